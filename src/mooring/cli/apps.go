package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func appsCommand() *cli.Command {
	return command(developers, "apps", "", "list applications", `Examples:
   moor apps
   moor apps --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			apps, err := s.api.Apps(s.ctx())
			if err != nil {
				return err
			}
			if printed, err := s.json(apps); printed || err != nil {
				return err
			}
			t := newTable(s.out, "name", "serving", "disrupted", "down", "max_interrupted", "max_draining", "version", "owner")
			for _, app := range apps {
				t.row(app.Name, fmt.Sprintf("%d/%d", app.Serving, app.Instances), app.Disrupted, app.Down,
					limitText(app.Policy.MaxInterrupted.String(), app.Limits.Interrupted),
					limitText(app.Policy.MaxDraining.String(), app.Limits.Draining), app.SpecVersion, app.Owned())
			}
			return t.flush()
		})
}

// limitText gives a limit as it was written, with the effective number where
// that is another.
func limitText(written string, effective int) string {
	if written == strconv.Itoa(effective) {
		return written
	}
	return fmt.Sprintf("%s (%d)", written, effective)
}

func appCommand() *cli.Command {
	return command(developers, "app", "APP", "show an application and its instances", `Examples:
   moor app redis-data
   moor app acme/prod/redis-data --json`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			name, err := s.name()
			if err != nil {
				return err
			}
			app, err := s.api.App(s.ctx(), name)
			if err != nil {
				return err
			}
			if printed, err := s.json(app); printed || err != nil {
				return err
			}
			return s.showApp(app)
		})
}

func (s *session) showApp(app *client.AppView) error {
	both := strconv.Itoa(app.Limits.Disrupted) + " (the larger of the two)"
	if app.Policy.MaxDisrupted != nil {
		both = limitText(app.Policy.MaxDisrupted.String(), app.Limits.Disrupted)
	}
	state := fmt.Sprintf("%d of %d serving, %d disrupted, %d down", app.Serving, app.Instances, app.Disrupted, app.Down)
	if app.Deleting {
		state = "being deleted; " + state
	}
	err := facts(s.out,
		"name", app.Name,
		"owner", app.Owned(),
		"instances", state,
		"version", app.SpecVersion,
		"memory", app.Spec.Memory,
		"policy", fmt.Sprintf("max_interrupted %s, max_draining %s, max_disrupted %s",
			limitText(app.Policy.MaxInterrupted.String(), app.Limits.Interrupted),
			limitText(app.Policy.MaxDraining.String(), app.Limits.Draining),
			both),
	)
	if err != nil {
		return err
	}
	s.warn(app.Warnings)
	s.say("")
	t := newTable(s.out, "#", "standing", "state", "since", "cell", "az", "address", "version", "details")
	for _, m := range app.Members {
		since := ""
		if m.Actual != nil {
			since = ago(m.Actual.Since, s.now())
		}
		t.row(m.Index, m.Standing, string(m.State), since, m.CellID, m.AZ, address(m), m.SpecVersion, details(m))
	}
	return t.flush()
}

// address is where an instance is reached first.
func address(m client.InstanceView) string {
	if m.Address == "" || len(m.Ports) == 0 {
		return m.Address
	}
	return fmt.Sprintf("%s:%d", m.Address, m.Ports[0].Number)
}

// details says what is unusual about an instance.
func details(m client.InstanceView) string {
	var parts []string
	if m.Unplaced != "" {
		parts = append(parts, "placed nowhere: "+m.Unplaced)
	}
	if m.GaveWay != "" {
		parts = append(parts, m.GaveWay)
	}
	if m.CellID != "" && !m.Present {
		parts = append(parts, "its cell does not answer")
	}
	if m.Removing {
		parts = append(parts, "being removed")
	}
	if m.Permit != nil {
		parts = append(parts, fmt.Sprintf("%s for %s, %s", m.Permit.Kind, m.Permit.Holder, m.Permit.Step))
	}
	if a := m.Actual; a != nil {
		if d := a.Disruption; d != nil && d.Progress >= 0 && d.Message != "" {
			parts = append(parts, fmt.Sprintf("%.0f%% %s", 100*d.Progress, d.Message))
		}
		if a.Restarts > 0 {
			parts = append(parts, count(a.Restarts, "restart"))
		}
		if a.LastExit != "" && (a.Restarts > 0 || a.State == model.Crashed) {
			parts = append(parts, "last "+a.LastExit)
		}
		if a.Error != "" {
			parts = append(parts, a.Error)
		}
	}
	return strings.Join(parts, "; ")
}

func scaleCommand() *cli.Command {
	return command(developers, "scale", "APP INSTANCES", "change the number of instances",
		`More instances get volumes of their own. Fewer are drained first, highest index
first, under the policy.

Examples:
   moor scale redis-data 8`,
		[]cli.Flag{jsonFlag}, func(s *session) error {
			name, err := s.name()
			if err != nil {
				return err
			}
			instances, err := strconv.Atoi(s.Args().Get(1))
			if err != nil || instances < 0 {
				return usage(s.Context, "INSTANCES is %q; give a whole number from 0", s.Args().Get(1))
			}
			scaled, err := s.api.Scale(s.ctx(), name, instances)
			if err != nil {
				return err
			}
			if printed, err := s.json(scaled); printed || err != nil {
				return err
			}
			s.warn(scaled.Warnings)
			s.say("%s scaled to %s; see moor app %s", name, count(instances, "instance"), name.Name)
			return nil
		})
}

func deleteCommand() *cli.Command {
	return command(developers, "delete", "APP", "stop an application and remove it; its volume sets stay",
		`Examples:
   moor delete redis-data
   moor delete redis-data --force`,
		[]cli.Flag{&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "do not ask"}}, func(s *session) error {
			name, err := s.name()
			if err != nil {
				return err
			}
			if !s.Bool("force") {
				if answer := s.typed(fmt.Sprintf("Really delete %s? [yN]", name)); answer != "y" && answer != "yes" {
					return fmt.Errorf("nothing was deleted; answer y, or give --force")
				}
			}
			if err := s.api.DeleteApp(s.ctx(), name); err != nil {
				return err
			}
			s.say("%s is being deleted; its volume sets stay", name)
			return nil
		})
}
