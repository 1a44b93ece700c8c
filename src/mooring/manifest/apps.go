package manifest

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"mooring/model"
)

// appsFile is the manifest of applications as it is written.
type appsFile struct {
	Applications []appEntry `yaml:"applications"`
}

type appEntry struct {
	Name      scalar            `yaml:"name"`
	Org       scalar            `yaml:"org"`
	Space     scalar            `yaml:"space"`
	Owner     scalar            `yaml:"owner"`
	Instances scalar            `yaml:"instances"`
	Memory    scalar            `yaml:"memory"`
	Command   scalar            `yaml:"command"`
	Env       map[string]scalar `yaml:"env"`
	Ports     scalars           `yaml:"ports"`
	Health    healthEntry       `yaml:"health"`
	Mounts    []mountEntry      `yaml:"mounts"`
	Pool      scalar            `yaml:"pool"`
	Lifecycle *lifecycleEntry   `yaml:"lifecycle"`
}

type healthEntry struct {
	Type         scalar `yaml:"type"`
	Path         scalar `yaml:"path"`
	Command      scalar `yaml:"command"`
	Interval     scalar `yaml:"interval"`
	Timeout      scalar `yaml:"timeout"`
	StartTimeout scalar `yaml:"start_timeout"`
}

type mountEntry struct {
	Volume scalar `yaml:"volume"`
	Path   scalar `yaml:"path"`
}

// ParseApps reads the manifest of one or more applications. file is its name,
// for messages; org and space that an application leaves out come from
// defaults. The apps have what the manifest says and nothing else: no GUID, no
// defaults filled, except that an app has one instance if it says nothing,
// and one without volumes may leave lifecycle out and may then be disrupted
// one instance at a time.
//
// The error is Problems, whole: nothing is returned beside it.
func ParseApps(file string, data []byte, defaults model.Name) ([]model.App, error) {
	r := &reader{file: file}
	var manifest appsFile
	if !r.read(data, &manifest) {
		return nil, r.found.err()
	}
	if len(manifest.Applications) == 0 {
		r.missing("", "applications", "list at least one")
	}
	var apps []model.App
	named := make(map[model.Name]bool)
	for i, entry := range manifest.Applications {
		base := fmt.Sprintf("applications[%d]", i)
		app := r.app(base, entry, defaults)
		r.place(base, app.Validate())
		if named[app.Name] {
			r.wrong(r.locate(base+".name"), "name", fmt.Sprintf("%s is in the manifest twice", app.Name))
		}
		named[app.Name] = true
		apps = append(apps, app)
	}
	if err := r.found.err(); err != nil {
		return nil, err
	}
	return apps, nil
}

func (r *reader) app(base string, e appEntry, defaults model.Name) model.App {
	app := model.App{
		Name:      model.Name{Org: or(e.Org, defaults.Org), Space: or(e.Space, defaults.Space), Name: e.Name.text},
		Owner:     e.Owner.text,
		Instances: r.number(e.Instances, "instances", 1),
		Spec: model.RunSpec{
			Command: e.Command.text,
			Memory:  r.size(e.Memory, "memory"),
			Ports:   e.Ports.texts(),
			Health:  r.health(e.Health),
			Pool:    e.Pool.text,
		},
	}
	for name, value := range e.Env {
		if app.Spec.Env == nil {
			app.Spec.Env = make(map[string]string)
		}
		app.Spec.Env[name] = value.text
	}
	for _, mount := range e.Mounts {
		app.Spec.Mounts = append(app.Spec.Mounts, model.Mount{VolumeSet: mount.Volume.text, Path: mount.Path.text})
	}
	switch {
	case e.Lifecycle != nil:
		app.Policy = r.policy(base, e.Lifecycle, len(e.Mounts) > 0)
	case len(e.Mounts) > 0:
		r.missing(base, "lifecycle", "an application with volumes says how many of its instances may be disrupted")
	default:
		app.Policy = model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}
	}
	return app
}

func (r *reader) health(e healthEntry) model.HealthCheck {
	return model.HealthCheck{
		Type:         model.HealthKind(e.Type.text),
		Path:         e.Path.text,
		Command:      e.Command.text,
		Interval:     r.duration(e.Interval, "health.interval"),
		Timeout:      r.duration(e.Timeout, "health.timeout"),
		StartTimeout: r.duration(e.StartTimeout, "health.start_timeout"),
	}
}

func or(s scalar, otherwise string) string {
	if s.given() {
		return s.text
	}
	return otherwise
}

// word gives the text of a node that is a single value, "" when it is not.
func word(node ast.Node) string {
	var s scalar
	if s.UnmarshalYAML(node) != nil {
		return ""
	}
	return s.text
}
