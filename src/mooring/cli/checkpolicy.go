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
	return command(developers, "check-policy", "[APP]", "explain what a lifecycle policy amounts to, before it is pushed",
		`Says the effective numbers of the policy, what each action on a host means for
the application's instances, what it can stand while an instance is down, and
what contradicts itself. Nothing is changed. The status is 1 when a push would
be refused.

Examples:
   moor check-policy -f app.yml
   moor check-policy -f app.yml redis-data --json`,
		[]cli.Flag{manifestFlag, jsonFlag}, checkPolicy)
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
		check, err := s.api.CheckPolicy(s.ctx(), pushOf(app))
		if err != nil {
			return fmt.Errorf("check the policy of %s: %w", app.Name, err)
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
	if len(r.Stands) > 0 {
		s.say("what it can stand:")
	}
	for _, stand := range r.Stands {
		s.say("  %s", stand.Text)
	}
	s.showFindings(r)
	return nil
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
