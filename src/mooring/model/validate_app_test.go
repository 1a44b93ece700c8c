package model_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// goodApp is an app that nothing is wrong with.
func goodApp() *model.App {
	return &model.App{
		GUID:      "guid",
		Name:      model.Name{Org: "acme", Space: "prod", Name: "redis-data"},
		Instances: 6,
		Spec: model.RunSpec{
			Command: "bin/node",
			Memory:  256 * model.Megabyte,
			Ports:   []string{"client", "bus"},
			Env:     map[string]string{"MODE": "cluster"},
			Mounts:  []model.Mount{{VolumeSet: "redis-data", Path: "/data"}},
			Health:  model.HealthCheck{Type: model.HealthHTTP, Path: "/healthy"},
		},
		Policy: model.Policy{
			MaxInterrupted: model.Limit{Count: 1},
			MaxDraining:    model.Limit{Percent: 25},
			Interrupt:      &model.Handler{Command: "bin/step-down"},
			Drain:          &model.Handler{HTTP: "/drain"},
		},
	}
}

// problems gives an error's lines, in the order they were found.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestValidateApp(t *testing.T) {
	NewWithT(t).Expect(goodApp().Validate()).To(Succeed())

	for name, row := range map[string]struct {
		change func(a *model.App)
		want   []string
	}{
		"no names": {func(a *model.App) { a.Name = model.Name{} }, []string{
			"org: is missing; name the organisation",
			"space: is missing; name the space",
			"name: is missing; name the application",
		}},
		"a name that is none": {func(a *model.App) { a.Name.Name = "Redis_Data" }, []string{
			`name: application "Redis_Data" is not a name: use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit`}},
		"fewer than none": {func(a *model.App) { a.Instances = -1 }, []string{"instances: is -1; it cannot be less than 0"}},
		"too many":        {func(a *model.App) { a.Instances = 10001 }, []string{"instances: is 10001; an application has at most 10000"}},
		"no command":      {func(a *model.App) { a.Spec.Command = " " }, []string{"command: is missing; say what an instance runs"}},
		"variables": {func(a *model.App) {
			a.Spec.Env = map[string]string{"PORT": "1", "MOORING_X": "", "A-B": "", "ZERO": "\x00"}
		}, []string{
			"env.A-B: is not the name of a variable: use letters, digits and '_'",
			"env.MOORING_X: is set by the platform; choose another name",
			"env.PORT: is set by the platform; choose another name",
			"env.ZERO: holds a zero byte, which no variable can",
		}},
		"the same port twice": {func(a *model.App) { a.Spec.Ports = []string{"a", "a"} }, []string{`ports[1]: "a" is there twice`}},
		"mounts": {func(a *model.App) {
			a.Spec.Mounts = []model.Mount{{VolumeSet: "a", Path: "/data"}, {VolumeSet: "a", Path: "/data/more"}, {VolumeSet: "b", Path: "../etc"}}
		}, []string{
			`mounts[1].volume: "a" is mounted twice`,
			`mounts[1].path: "/data/more" and "/data" lie inside each other`,
			`mounts[2].path: is "../etc"; write an absolute path such as /data`,
		}},
		"an unknown health check": {func(a *model.App) { a.Spec.Health = model.HealthCheck{Type: "tcp"} }, []string{
			`health.type: is "tcp"; use process, port, http or command`}},
		"a health check without its command": {func(a *model.App) { a.Spec.Health = model.HealthCheck{Type: model.HealthCommand} }, []string{
			"health.command: is missing; say what exits 0 while the instance is healthy"}},
		"a health check with what belongs to others": {func(a *model.App) { a.Spec.Health = model.HealthCheck{Command: "x", Path: "/"} }, []string{
			"health.path: goes with type http alone",
			"health.command: goes with type command alone",
		}},
		"cancel commands": {func(a *model.App) {
			a.Policy.Interrupt = &model.Handler{Command: "bin/step-down", Cancel: " "}
			a.Policy.Drain = &model.Handler{HTTP: "/drain", Cancel: "bin/undo"}
		}, []string{
			"lifecycle.interrupt.cancel: is blank; give a command, or leave it out",
			"lifecycle.drain.cancel: goes with interrupt alone; leave it out",
		}},
		"several at once": {func(a *model.App) { a.Spec.Command = ""; a.Policy.Interrupt = &model.Handler{} }, []string{
			"command: is missing; say what an instance runs",
			"lifecycle.interrupt: has neither a command nor an http path; give one",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			app := goodApp()
			row.change(app)
			NewWithT(t).Expect(problems(app.Validate())).To(Equal(row.want))
		})
	}
}

func TestProblemsCanBeTakenApart(t *testing.T) {
	g := NewWithT(t)
	app := goodApp()
	app.Spec.Command = ""
	var all model.Problems
	g.Expect(errors.As(app.Validate(), &all)).To(BeTrue())
	g.Expect(all).To(HaveLen(1))
	g.Expect(all[0].Where).To(Equal("command"))
	var first model.Problem
	g.Expect(errors.As(app.Validate(), &first)).To(BeTrue())
}

func TestValidatePolicy(t *testing.T) {
	minute := model.Duration(time.Minute)
	for name, row := range map[string]struct {
		change func(p *model.Policy)
		want   []string
	}{
		"a limit of never is accepted": {func(p *model.Policy) { p.MaxInterrupted = model.Limit{} }, nil},
		"limits that are none": {func(p *model.Policy) {
			p.MaxInterrupted = model.Limit{Count: -1}
			p.MaxDraining = model.Limit{Percent: 101}
			p.MaxDisrupted = &model.Limit{Count: 1, Percent: 1}
		}, []string{
			"lifecycle.max_interrupted: is -1; a limit cannot be less than 0",
			"lifecycle.max_draining: is 101%; a share lies between 0% and 100%",
			"lifecycle.max_disrupted: is both a count and a share; give one",
		}},
		"a handler of both kinds": {func(p *model.Policy) { p.Interrupt.HTTP = "/x" }, []string{
			"lifecycle.interrupt: has both a command and an http path; give one"}},
		"a handler that is no path": {func(p *model.Policy) { p.Drain.HTTP = "drain" }, []string{
			`lifecycle.drain.http: is "drain"; write a path on the instance's first port, beginning with /`}},
		"negative times": {func(p *model.Policy) {
			p.Interrupt.Timeout, p.Drain.ProgressTimeout, p.HealthyFor, p.ReturnWithin = -1, -1, -1, -1
		}, []string{
			"lifecycle.interrupt.timeout: is less than no time",
			"lifecycle.drain.progress_timeout: is less than no time",
			"lifecycle.healthy_for: is less than no time",
			"lifecycle.return_within: is less than no time",
		}},
		"a drain and none": {func(p *model.Policy) { p.DataDisposable = true }, []string{
			`lifecycle.drain: has a handler, and "drain: none" says that the data is disposable; keep one of the two`}},
		"a floating choice that is none": {func(p *model.Policy) { p.Floating = "fly" }, []string{`lifecycle.floating: is "fly"; use move or stay`}},
		"force at once":                  {func(p *model.Policy) { p.OnStuck = model.OnStuck{Answer: model.StuckForce} }, []string{`lifecycle.on_stuck.after: is missing; say how long to hold before force, as in "force_after: 2h"`}},
		"hold for a time":                {func(p *model.Policy) { p.OnStuck = model.OnStuck{Answer: model.StuckHold, After: minute} }, []string{"lifecycle.on_stuck.after: goes with force alone"}},
		"panic":                          {func(p *model.Policy) { p.OnStuck.Answer = "panic" }, []string{`lifecycle.on_stuck: is "panic"; use hold, skip, or force_after with a time`}},
	} {
		t.Run(name, func(t *testing.T) {
			app := goodApp()
			row.change(&app.Policy)
			NewWithT(t).Expect(problems(app.Policy.Validate())).To(Equal(row.want))
		})
	}
}

func TestCheckMounts(t *testing.T) {
	name := model.Name{Org: "acme", Space: "prod", Name: "redis-data"}
	fixed := func() *model.VolumeSet { return &model.VolumeSet{Name: name, Class: "persistent"} }
	undrained := func(a *model.App) { a.Policy.Drain = nil }
	for row, c := range map[string]struct {
		change func(a *model.App)
		set    *model.VolumeSet
		want   string
	}{
		"fixed with a drain handler":          {nil, fixed(), ""},
		"fixed without":                       {undrained, fixed(), `lifecycle.drain: is missing, and volume set acme/prod/redis-data is fixed: its data leaves with its cell; give a handler that hands it over, or write "drain: none" if the data is disposable`},
		"fixed without, and disposable":       {func(a *model.App) { undrained(a); a.Policy.DataDisposable = true }, fixed(), ""},
		"floating without":                    {undrained, &model.VolumeSet{Name: name, Floating: true}, ""},
		"a set that is not there":             {func(a *model.App) { a.Spec.Mounts[0].VolumeSet = "other" }, fixed(), "mounts[0].volume: there is no volume set acme/prod/other; create it first with: moor create-volume-set other"},
		"a set of another space":              {func(a *model.App) { a.Space = "test" }, fixed(), "mounts[0].volume: there is no volume set acme/test/redis-data; create it first with: moor create-volume-set redis-data"},
		"a set of another app":                {nil, &model.VolumeSet{Name: name, AppGUID: "another"}, "mounts[0].volume: volume set acme/prod/redis-data belongs to another application; a set serves one"},
		"its own set":                         {nil, &model.VolumeSet{Name: name, AppGUID: "guid"}, ""},
		"a set that is going":                 {nil, &model.VolumeSet{Name: name, Deleting: true}, "mounts[0].volume: volume set acme/prod/redis-data is being deleted; wait until it is gone, or mount another"},
		"no mounts and no drain is no matter": {func(a *model.App) { undrained(a); a.Spec.Mounts = nil }, fixed(), ""},
	} {
		t.Run(row, func(t *testing.T) {
			g := NewWithT(t)
			app := goodApp()
			if c.change != nil {
				c.change(app)
			}
			err := app.CheckMounts([]*model.VolumeSet{c.set})
			if c.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(c.want))
		})
	}
}

func TestWarningsSayNeverLoudly(t *testing.T) {
	for name, row := range map[string]struct {
		policy    model.Policy
		instances int
		want      string
	}{
		"limits above 0":      {goodApp().Policy, 6, ""},
		"no interrupts":       {model.Policy{MaxDraining: model.Limit{Count: 1}}, 6, "lifecycle.max_interrupted: is 0: no instance may ever be interrupted"},
		"no drains":           {model.Policy{MaxInterrupted: model.Limit{Count: 1}, Drain: &model.Handler{}}, 6, "lifecycle.max_draining: is 0: no instance may ever be drained"},
		"no drains to be had": {model.Policy{MaxInterrupted: model.Limit{Count: 1}}, 6, ""},
		"nothing at all":      {model.Policy{}, 6, "lifecycle.max_interrupted: is 0, and so is max_draining: no instance may ever be disrupted"},
		"nothing together":    {model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDisrupted: &model.Limit{}}, 6, "lifecycle.max_disrupted: is 0: no instance may ever be disrupted"},
		"no instances":        {model.Policy{}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			app := goodApp()
			app.Policy, app.Instances = row.policy, row.instances
			if row.want == "" {
				g.Expect(app.Warnings()).To(BeEmpty())
				return
			}
			g.Expect(app.Warnings()).To(ConsistOf(HavePrefix(row.want)))
		})
	}
}
