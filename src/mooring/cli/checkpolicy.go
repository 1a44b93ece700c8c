package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

func checkPolicyCommand() *cli.Command {
	return command(developers, "check-policy", "[APP]", "explain what a lifecycle policy amounts to and costs, before it is pushed",
		`Says the effective numbers of the policy, what each action on a host means for
the application's instances, what it can stand (an instance, a cell, a zone that
fails), what contradicts itself, and what the policy costs the fleet: how long
it takes to recreate every cell with it and without it, whether it is the
bottleneck, and what a limit that is one higher would buy. Nothing is changed.

With --alone no API is asked: the policy is judged by itself, for volumes of the
--class given, and what cannot be known that way is said.

The status is 1 when a push would be refused.

Examples:
   moor check-policy -f app.yml
   moor check-policy -f app.yml redis-data --json
   moor check-policy -f app.yml --alone --class persistent`,
		[]cli.Flag{manifestFlag, aloneFlag, classFlag, jsonFlag}, checkPolicy)
}

// policyReport is what check-policy says of one application.
type policyReport struct {
	App model.Name `json:"app"`
	*client.PolicyCheck
}

func checkPolicy(s *session) error {
	apps, err := s.manifest()
	if err != nil {
		return err
	}
	var reports []policyReport
	refused := 0
	for _, app := range apps {
		check, err := s.checkPolicyOf(&app)
		if err != nil {
			return err
		}
		reports = append(reports, policyReport{app.Name, check})
		refused += min(1, len(check.Faults))
	}
	printed, err := s.json(reports)
	for i := 0; i < len(reports) && !printed && err == nil; i++ {
		err = s.showPolicy(reports[i])
	}
	if err == nil && refused > 0 {
		err = fmt.Errorf("a push of %s would be refused", count(refused, "application"))
	}
	return err
}

func (s *session) showPolicy(r policyReport) error {
	s.say("%s, %s", r.App, count(r.Instances, "instance"))
	err := facts(s.out,
		"  max_interrupted", r.Limits.Interrupted,
		"  max_draining", r.Limits.Draining,
		"  max_disrupted", r.Limits.Disrupted,
	)
	if err != nil {
		return err
	}
	if len(r.Actions) > 0 {
		s.say("what an action on a host means for its instances there:")
		t := newTable(s.out, "  action", "at once", "meaning")
		for _, action := range r.Actions {
			atOnce := fmt.Sprint(action.Limit)
			if action.Limit < 0 {
				atOnce = "any"
			}
			t.row("  "+string(action.Action), atOnce, action.Text)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(r.Stands)+len(r.Failures) > 0 {
		s.say("what it can stand:")
	}
	for _, stand := range r.Stands {
		s.say("  %s", stand.Text)
	}
	for _, failure := range r.Failures {
		s.say("  %s", failure.Text)
	}
	if r.Cost != nil {
		if err := s.showCost(r.Cost); err != nil {
			return err
		}
	}
	for _, unknown := range r.Unknown {
		s.say("not known: %s", unknown)
	}
	s.showFindings(r)
	return nil
}

// showCost prints what a policy costs the fleet.
func (s *session) showCost(c *client.PolicyCost) error {
	s.say("what it costs to %s %s, all in one plan:", c.Action, count(c.Cells, "cell"))
	t := newTable(s.out, "  fleet", "expected", "p90", "bound")
	t.row("  with it", c.With.Expected, c.With.Longest, c.With.Bound)
	t.row("  without it", c.Without.Expected, c.Without.Longest, c.Without.Bound)
	if err := t.flush(); err != nil {
		return err
	}
	s.showBottleneck(c)
	if c.Never > 0 {
		s.say("  %s could never roll because of it", count(c.Never, "cell"))
	}
	if c.Supposed > 0 {
		s.say("  %s not running yet are counted where they would be placed", count(c.Supposed, "instance"))
	}
	if c.Unplaced > 0 {
		s.say("  %s would find no place", count(c.Unplaced, "instance"))
	}
	return nil
}

// showBottleneck says whether the policy is what keeps the plan from being
// faster, and what one more would buy.
func (s *session) showBottleneck(c *client.PolicyCost) {
	it := "it is the bottleneck"
	if e := c.Exclusive; e != nil {
		it = "it is part of the bottleneck"
		s.say("  any two of %s exclude each other (%s), through the limits of %s",
			count(len(e.Cells), "cell"), someOf(e.Cells), someOf(e.Apps))
	}
	switch {
	case c.Raise != nil && c.Raise.Saved > 0:
		s.say("  %s: %s %d instead of %d would save %s", it, c.Raise.Limit, c.Raise.To, c.Raise.From, c.Raise.Saved)
	case c.Raise != nil:
		s.say("  %s, and one more at once would save nothing: something else is as slow", it)
	case c.Exclusive != nil:
		s.say("  %s; other limits keep more of the cells apart", it)
	default:
		s.say("  it is not the bottleneck: something else sets the bound, and a higher limit here would not lower it")
	}
}

// fewNamed are as many names as are told in one line.
const fewNamed = 8

// someOf lists names, the first of them when there are many.
func someOf[T any](names []T) string {
	var listed []string
	for _, name := range names[:min(len(names), fewNamed)] {
		listed = append(listed, fmt.Sprint(name))
	}
	if more := len(names) - len(listed); more > 0 {
		listed = append(listed, fmt.Sprintf("%d more", more))
	}
	return strings.Join(listed, ", ")
}

// showFindings prints what to know about a policy, each thing once: the faults
// are those of the whole push, and some warnings are findings too.
func (s *session) showFindings(r policyReport) {
	for _, fault := range r.Faults {
		s.say("refused: %s", fault)
	}
	var said []string
	for _, finding := range r.Findings {
		if text := finding.Where + ": " + finding.Text; finding.Severity != lifecycle.Fault {
			s.say("%s: %s", finding.Severity, text)
			said = append(said, text)
		}
	}
	for _, warning := range r.Warnings {
		known := slices.ContainsFunc(said, func(text string) bool { return strings.Contains(text, warning) })
		if !known {
			s.say("warning: %s", warning)
		}
	}
}
