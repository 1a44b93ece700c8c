package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
)

func whyCommand() *cli.Command {
	return command(everybody, "why", "CELL|PLAN", "say why a cell or a plan does not move, down to whom to see about it",
		`Each line is why the one before it waits; the last is the one instance,
policy, lock or person at the end. A cell goes before a plan of its name.

Examples:
   moor why cell-3
   moor why kernel-6.1
   moor why --plan cell-3`,
		[]cli.Flag{&cli.BoolFlag{Name: "plan", Usage: "a plan is meant, whatever cells are called"}, jsonFlag}, func(s *session) error {
			why, err := s.why(s.Args().First())
			if err != nil {
				return err
			}
			if printed, err := s.json(why); printed || err != nil {
				return err
			}
			s.showWhy(why)
			return nil
		})
}

// why asks about a cell and, when there is none of the name, about a plan.
func (s *session) why(name string) (*client.Why, error) {
	if !s.Bool("plan") {
		why, err := s.api.WhyCell(s.ctx(), name)
		if !client.HasStatus(err, http.StatusNotFound) {
			return why, err
		}
	}
	why, err := s.api.WhyPlan(s.ctx(), name)
	if client.HasStatus(err, http.StatusNotFound) && !s.Bool("plan") {
		return nil, fmt.Errorf("there is no cell and no plan %s; see moor cells and moor plans", name)
	}
	return why, err
}

func (s *session) showWhy(why *client.Why) {
	for i, link := range why.Chain {
		text := link.Text
		if since := ago(link.Since, s.now()); since != "" {
			text += ", since " + since
		}
		if last := link.Task.Said(s.now()); last != "" {
			text += "; " + last
		}
		if link.Owner != "" && !strings.Contains(link.Text, link.Owner) {
			text += " [" + link.Owner + "]"
		}
		if i == 0 {
			s.say("%s", text)
			continue
		}
		s.say("%sbecause %s", strings.Repeat("  ", i), text)
	}
	if why.Moving {
		s.say("nobody needs to do anything")
	}
	if len(why.Also) > 0 {
		s.say("also stuck: %s", strings.Join(why.Also, ", "))
	}
}
