package cli

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/manifest"
	"mooring/model"
)

var manifestFlag = &cli.StringFlag{Name: "manifest", Aliases: []string{"f"}, Value: "app.yml", Usage: "`FILE` that describes the applications, - for standard input"}

func pushCommand() *cli.Command {
	return command(developers, "push", "[APP]", "create applications, or update them under their policies",
		`Reads a manifest and makes it the desired state; with APP only that
application of it. A changed application is rolled to its new version under
its own lifecycle policy. Volume sets must exist: see create-volume-set.

Examples:
   moor push -f app.yml
   moor push -f app.yml redis-data
   render-manifest | moor push -f -`,
		[]cli.Flag{manifestFlag, jsonFlag}, push)
}

func push(s *session) error {
	apps, err := s.manifest()
	if err != nil {
		return err
	}
	var done []*client.Pushed
	for _, app := range apps {
		pushed, err := s.api.Push(s.ctx(), pushOf(app))
		if err != nil {
			return fmt.Errorf("push %s: %w", app.Name, err)
		}
		done = append(done, pushed)
		if s.Bool(jsonFlag.Name) {
			continue
		}
		s.warn(pushed.Warnings)
		s.say("%s %s", app.Name, outcome(pushed))
	}
	_, err = s.json(done)
	return err
}

// outcome says what a push or a scale has begun.
func outcome(p *client.Pushed) string {
	instances := count(p.App.Instances, "instance")
	switch {
	case p.Created:
		return "created: " + instances + " to start; see moor app " + p.App.Name.Name
	case p.Rolling:
		return fmt.Sprintf("updated: its instances follow to version %d under its policy; see moor app %s", p.App.SpecVersion, p.App.Name.Name)
	}
	return "updated: " + instances
}

// manifest reads the applications of the manifest, or the one that is named.
func (s *session) manifest() ([]model.App, error) {
	file, data, err := s.read(s.String(manifestFlag.Name))
	if err != nil {
		return nil, err
	}
	apps, err := manifest.ParseApps(file, data, s.here)
	if err != nil {
		return nil, fmt.Errorf("the manifest has problems, and nothing was changed\n%w", err)
	}
	if s.NArg() == 0 {
		return apps, nil
	}
	name, err := s.name()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(apps, func(app model.App) bool { return app.Name == name })
	if at < 0 {
		return nil, fmt.Errorf("there is no application %s in %s", name, file)
	}
	return apps[at : at+1], nil
}

func pushOf(app model.App) client.Push {
	return client.Push{Name: app.Name, Owner: app.Owner, Instances: app.Instances, Spec: app.Spec, Policy: app.Policy}
}
