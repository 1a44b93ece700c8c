package cli

import (
	"fmt"
	"os"
	"os/user"

	"github.com/urfave/cli/v2"

	"mooring/client"
)

var (
	watchFlag = &cli.BoolFlag{Name: "watch", Aliases: []string{"w"}, Usage: "show progress as it happens, until the plan has finished"}
	waitFlag  = &cli.BoolFlag{Name: "wait", Usage: "return when the plan has finished, or as soon as something is stuck (status 3)"}
)

// byFlags say who asks and why; both are kept with the events.
func byFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "reason", Usage: "`WHY`; kept with the events"},
		&cli.StringFlag{Name: "by", EnvVars: []string{"MOORING_USER", "USER", "LOGNAME"}, Value: userID(), Usage: "`WHO` asks"},
	}
}

// userID names the user where no variable does.
func userID() string {
	if known, err := user.Current(); err == nil {
		return known.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

func rollCommand() *cli.Command {
	return command(operators, "roll", "[PLAN]", "take cells through maintenance under all lifecycle policies",
		`PLAN is a file; flags describe a plan without one, or change what it says.
Without --watch or --wait it returns as soon as the plan has started.

Examples:
   moor roll plan.yml --watch
   moor roll --cells all --action recreate --max-in-flight 10%
   moor roll --name kernel --az z1 --action reboot --reason "CVE" --wait

A plan file:
   name: stemcell-1.915
   cells: {pool: default, az: [z1, z2]}   # or a list, or all
   action: recreate                       # restart | reboot | recreate | retire
   max_in_flight: 10%
   canaries: 1
   window: "Sat 02:00-06:00 Europe/London"
   on_stuck: hold                         # hold | skip`,
		planFlags(append(byFlags(), watchFlag, waitFlag, jsonFlag)...), func(s *session) error {
			wanted, err := s.plan()
			if err != nil {
				return err
			}
			view, err := s.api.StartPlan(s.ctx(), wanted)
			if err != nil {
				return err
			}
			if s.Bool("watch") || s.Bool("wait") {
				return s.follow(view.Name)
			}
			if printed, err := s.json(view); printed || err != nil {
				return err
			}
			s.say("plan %s started: %s %s; see moor plan-status %s --watch", view.Name, view.Action, count(len(view.Order), "cell"), view.Name)
			return nil
		})
}

func plansCommand() *cli.Command {
	return command(operators, "plans", "", "list plans, the newest first", `Examples:
   moor plans
   moor plans --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			plans, err := s.api.Plans(s.ctx())
			if err != nil {
				return err
			}
			if printed, err := s.json(plans); printed || err != nil {
				return err
			}
			t := newTable(s.out, "plan", "action", "status", "done", "rolling", "queued", "dropped", "stuck", "started", "by")
			for _, p := range plans {
				t.row(p.Name, string(p.Action), string(p.Status), fmt.Sprintf("%d/%d", p.Done, len(p.Rolls)), p.Rolling, p.Queued, p.Dropped,
					len(p.Stuck), ago(p.CreatedAt, s.now())+" ago", p.CreatedBy)
			}
			return t.flush()
		})
}

// steer makes a command that asks something of a plan under way.
func steer(name, does, description, did string, ask func(s *session, plan string) (*client.PlanView, error)) *cli.Command {
	return command(operators, name, "PLAN", does, description, append(byFlags(), jsonFlag), func(s *session) error {
		view, err := ask(s, s.Args().First())
		if err != nil {
			return err
		}
		if printed, err := s.json(view); printed || err != nil {
			return err
		}
		s.say("plan %s %s", view.Name, did)
		return nil
	})
}

func pauseCommand() *cli.Command {
	return steer("pause", "let no roll of a plan start; cells being acted on finish, all others go back to serving", `Examples:
   moor pause stemcell-1.915 --reason "incident"`,
		"is paused; cells being acted on finish, all others go back to serving", func(s *session, plan string) (*client.PlanView, error) {
			return s.api.Pause(s.ctx(), plan, s.String("by"), s.String("reason"))
		})
}

func resumeCommand() *cli.Command {
	return steer("resume", "go on with a paused plan", `Examples:
   moor resume stemcell-1.915`,
		"goes on", func(s *session, plan string) (*client.PlanView, error) {
			return s.api.Resume(s.ctx(), plan, s.String("by"), s.String("reason"))
		})
}

func abortCommand() *cli.Command {
	return steer("abort", "end a plan; what can be undone is, and no cell stays cordoned", `Examples:
   moor abort stemcell-1.915 --reason "wrong stemcell"`,
		"is being aborted", func(s *session, plan string) (*client.PlanView, error) {
			return s.api.Abort(s.ctx(), plan, s.String("by"), s.String("reason"))
		})
}
