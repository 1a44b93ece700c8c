package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/model"
)

func stuckCommand() *cli.Command {
	return command(operators, "stuck", "[ID]", "show what is stuck, with the evidence and what to do about it",
		`Examples:
   moor stuck
   moor stuck ID --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			items, err := s.api.Stuck(s.ctx())
			if err != nil {
				return err
			}
			if s.NArg() > 0 {
				item, err := pick(items, s.Args().First())
				if err != nil {
					return err
				}
				items = []model.Stuck{*item}
			}
			if printed, err := s.json(items); printed || err != nil {
				return err
			}
			if len(items) == 0 {
				s.say("nothing is stuck")
			}
			for i := range items {
				if i > 0 {
					s.say("")
				}
				if err := showStuck(s.out, &items[i], s.now()); err != nil {
					return err
				}
			}
			return nil
		})
}

// errNotStuck is that nothing stuck has an ID.
var errNotStuck = errors.New("nothing stuck has the id")

// pick finds something stuck by its ID, or by the beginning of it.
func pick(items []model.Stuck, id string) (*model.Stuck, error) {
	var found []*model.Stuck
	for i := range items {
		if items[i].ID == id {
			return &items[i], nil
		}
		if strings.HasPrefix(items[i].ID, id) {
			found = append(found, &items[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w %s; it may have moved again, see moor stuck", errNotStuck, id)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s is the beginning of %d ids; write more of it, see moor stuck", id, len(found))
}

// showStuck prints one thing that is stuck with all that is known.
func showStuck(out io.Writer, item *model.Stuck, now time.Time) error {
	state := "STUCK"
	if item.Recovered() {
		state = "RECOVERED"
	}
	fmt.Fprintf(out, "%s %s: %s\n", state, item.ID, model.Printable(item.What))
	answers := ""
	if len(item.Answers) > 0 {
		answers = fmt.Sprintf("moor resolve %s %s --reason WHY", item.ID, strings.Join(verbs(item.Answers), "|"))
	}
	answered := ""
	if a := item.Answer; a != nil {
		answered = fmt.Sprintf("%s by %s: %s", a.Verb, cmp.Or(a.By, "somebody"), a.Reason)
	}
	progress := item.Message
	if item.Progress > 0 {
		progress = strings.TrimSpace(fmt.Sprintf("%.0f%% %s", 100*item.Progress, item.Message))
	}
	instance := ""
	if item.App != nil {
		instance = model.InstanceName(*item.App, item.Index)
	}
	recovered := ""
	if item.Recovered() {
		recovered = fmt.Sprintf("%s ago; it is kept open for a while, lest it come back", ago(item.RecoveredAt, now))
	}
	flaps := ""
	if item.Flaps > 0 {
		flaps = fmt.Sprintf("it came back %d times", item.Flaps)
	}
	err := facts(out,
		"  kind", item.Kind,
		"  since", fmt.Sprintf("%s (%s ago)", clock(item.Since), ago(item.Since, now)),
		"  recovered", recovered,
		"  flaps", flaps,
		"  cell", item.CellID,
		"  az", item.AZ,
		"  instance", instance,
		"  owner", item.Owner,
		"  plan", item.Plan,
		"  phase", string(item.Phase),
		"  step", string(item.Step),
		"  progress", progress,
		"  error", item.Error,
		"  task", item.Task.Said(now),
		"  blocks", strings.Join(item.Blocks, ", "),
		"  data", strings.Join(item.Data, ", "),
		"  do", item.Advice,
		"  answer", answers,
		"  answered", answered,
		"  runbook", item.Kind.Runbook(),
	)
	if err != nil {
		return err
	}
	for _, verb := range item.Answers {
		if effect := item.Effects[verb]; effect != "" {
			fmt.Fprintf(out, "  %s: %s\n", verb, model.Printable(effect))
		}
	}
	for _, line := range item.Output {
		fmt.Fprintln(out, "  |", model.Printable(line))
	}
	return nil
}

func verbs(list []model.Verb) []string {
	var texts []string
	for _, verb := range list {
		texts = append(texts, string(verb))
	}
	return slices.Compact(texts)
}
