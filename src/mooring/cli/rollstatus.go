package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func planStatusCommand() *cli.Command {
	return command(operators, "plan-status", "[PLAN]", "show a plan's progress, the newest plan's without a name",
		`With --watch it is shown as it happens: redrawn on a terminal, a line for each
change elsewhere. With --wait it returns when the plan has finished. The status
is 3 when the plan was aborted, and with --wait when something is stuck.

Examples:
   moor plan-status
   moor plan-status stemcell-1.915 --watch
   moor plan-status stemcell-1.915 --wait && echo rolled`,
		[]cli.Flag{watchFlag, waitFlag, jsonFlag}, func(s *session) error {
			name := s.Args().First()
			if name == "" {
				newest, err := s.newestPlan()
				if err != nil {
					return err
				}
				name = newest
			}
			if s.Bool("watch") || s.Bool("wait") {
				return s.follow(name)
			}
			view, err := s.api.PlanForecast(s.ctx(), name)
			if err != nil {
				return err
			}
			if err := s.showOnce(view); err != nil {
				return err
			}
			return ended(view)
		})
}

// newestPlan gives the name of the newest plan, one under way before one that
// has finished.
func (s *session) newestPlan() (string, error) {
	plans, err := s.api.Plans(s.ctx())
	if err != nil {
		return "", err
	}
	for _, p := range plans {
		if !p.Finished() {
			return p.Name, nil
		}
	}
	if len(plans) == 0 {
		return "", errors.New("there is no plan; start one with moor roll")
	}
	return plans[0].Name, nil
}

// ended is the error of a plan that did not end well, nil for any other.
func ended(view *client.PlanView) error {
	if view.Status != model.PlanAborted {
		return nil
	}
	text := "plan " + view.Name + " was aborted"
	if view.Reason != "" {
		text += ": " + view.Reason
	}
	return &statusError{exitStuck, text}
}

// stuckNow is the error of a plan that waits for a person, nil when none is
// needed: what has been answered is being carried out.
func stuckNow(view *client.PlanView) error {
	for _, item := range view.Stuck {
		if item.Answer == nil {
			return &statusError{exitStuck, fmt.Sprintf("plan %s is stuck: %s; see moor stuck %s", view.Name, item.What, item.ID)}
		}
	}
	return nil
}
