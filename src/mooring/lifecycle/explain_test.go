package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

func kit() *model.App {
	return &model.App{Policy: model.Policy{
		MaxInterrupted: limit(1), MaxDraining: limit(1),
		Interrupt: &model.Handler{Command: "bin/step-down"},
		Drain:     &model.Handler{HTTP: "/drain"},
	}}
}

func TestExplainSaysWhatEachActionMeans(t *testing.T) {
	g := NewWithT(t)
	e := lifecycle.Explain(kit(), 6, []model.Class{ephemeral})
	g.Expect(e.Limits).To(Equal(lifecycle.Limits{Interrupted: 1, Draining: 1, Disrupted: 1}))
	var lines []string
	for _, a := range e.Actions {
		lines = append(lines, fmt.Sprintf("%s (%d): %s", a.Action, a.Limit, a.Text))
	}
	g.Expect(lines).To(Equal([]string{
		"restart (1): interrupted: it comes back on the same cell with the same data; at most 1 of 6 at once; bin/step-down has 1m, with progress every 15s",
		"reboot (1): interrupted: it comes back on the same cell with the same data; at most 1 of 6 at once; bin/step-down has 1m, with progress every 15s",
		"recreate (1): drained: its data leaves with the cell, and it starts anew on another; at most 1 of 6 at once; POST /drain has 2h, with progress every 5m",
		"retire (1): drained: its data leaves with the cell, and it starts anew on another; at most 1 of 6 at once; POST /drain has 2h, with progress every 5m",
	}))
	g.Expect(lifecycle.Explain(kit(), 6, nil).Actions[0].Limit).To(Equal(-1))
	g.Expect(lifecycle.Explain(kit(), 6, nil).Actions[0].Text).To(HavePrefix("replaced first"))
	g.Expect(lifecycle.Explain(kit(), 6, []model.Class{shared}).Actions[3].Text).To(HavePrefix("interrupted and moved"))
}

func TestExplainSaysWhatAnAppCanStand(t *testing.T) {
	g := NewWithT(t)
	app := kit()
	texts := func(n int) (lines []string) {
		for _, s := range lifecycle.Explain(app, n, []model.Class{persistent}).Stands {
			lines = append(lines, s.Text)
		}
		return lines
	}
	g.Expect(texts(6)).To(Equal([]string{
		"while all 6 serve, 1 may be interrupted or 1 drained at once",
		"while 1 is down, no other may be disrupted: maintenance waits until it serves again",
	}))
	app.Policy.MaxInterrupted = model.Limit{Percent: 50}
	g.Expect(texts(6)).To(Equal([]string{
		"while all 6 serve, 3 may be interrupted or 1 drained at once",
		"while 1 is down, 2 may be interrupted or 0 drained at once of those that serve",
	}))
	g.Expect(texts(1)).To(HaveLen(1))
}

func TestExplainFindsContradictions(t *testing.T) {
	fixed := []model.Class{persistent}
	for _, row := range []struct {
		name    string
		change  func(a *model.App)
		n       int
		classes []model.Class
		want    []string
	}{
		{"nothing but that it is tight", nil, 6, fixed, []string{
			"note lifecycle: one instance that is down uses up the whole budget: no cell with another one is rolled until it serves again"}},
		{"roomy", func(a *model.App) { a.Policy.MaxInterrupted = limit(2) }, 6, fixed, nil},
		{"no drain on fixed", func(a *model.App) { a.Policy.MaxInterrupted = limit(2); a.Policy.Drain = nil }, 6, fixed, []string{
			`fault lifecycle.drain: is missing, and a fixed volume's data leaves with its cell: give a handler that hands it over, or write "drain: none" if the data is disposable`}},
		{"disposable", func(a *model.App) {
			a.Policy.MaxInterrupted = limit(2)
			a.Policy.Drain, a.Policy.DataDisposable = nil, true
		}, 6, fixed, []string{
			"note lifecycle.drain: none: what is on a fixed volume may be thrown away whenever its cell goes"}},
		{"a drain nobody needs", func(a *model.App) { a.Policy.MaxInterrupted = limit(2) }, 6, []model.Class{shared}, []string{
			"note lifecycle.drain: is never used: no fixed volume is mounted"}},
		{"no interrupt handler", func(a *model.App) { a.Policy.MaxInterrupted = limit(2); a.Policy.Interrupt = nil }, 6, fixed, []string{
			"note lifecycle.interrupt: no handler: TERM is all an instance hears before it stops"}},
		{"never", func(a *model.App) { a.Policy.MaxInterrupted, a.Policy.MaxDraining = limit(0), limit(2) }, 6, fixed, []string{
			"warning lifecycle.max_interrupted: is 0: no instance may ever be interrupted, so no cell with one can be rolled where its volumes stay, and no update reaches them"}},
		{"a single instance", nil, 1, fixed, []string{
			"warning lifecycle.drain: a single instance has no peer to hand its data to",
			"warning lifecycle: a single instance: every disruption is an outage"}},
		{"a single instance that may not be disrupted", func(a *model.App) {
			a.Policy.Drain, a.Policy.MaxInterrupted, a.Policy.MaxDraining = nil, limit(0), limit(0)
		}, 1, nil, []string{
			"warning lifecycle.max_interrupted: is 0, and so is max_draining",
			"warning lifecycle: a single instance that may never be disrupted: its cell is rolled by force or not at all"}},
		{"force that is later than it looks", func(a *model.App) {
			a.Policy.MaxInterrupted, a.Policy.Drain = limit(2), nil
			a.Policy.OnStuck = model.OnStuck{Answer: model.StuckForce, After: model.Duration(30 * time.Second)}
		}, 6, nil, []string{
			"note lifecycle.on_stuck: force_after 30s is counted from when something is found to be stuck, which takes up to interrupt's timeout of 1m"}},
		{"volumes of which nothing is known", func(a *model.App) {
			a.Policy.MaxInterrupted, a.Policy.Drain = limit(2), nil
			a.Spec.Mounts = []model.Mount{{VolumeSet: "data", Path: "/data"}}
		}, 6, nil, nil},
		{"all at once", func(a *model.App) { a.Policy.MaxInterrupted = model.Limit{Percent: 100} }, 3, fixed, []string{
			"warning lifecycle.max_interrupted: allows all 3 at once: nothing may be left serving"}},
		{"less together than each", func(a *model.App) {
			a.Policy.MaxInterrupted, a.Policy.MaxDraining, a.Policy.MaxDisrupted = limit(3), limit(1), &model.Limit{Count: 2}
		}, 6, fixed, []string{
			"warning lifecycle.max_interrupted: allows 3, but max_disrupted allows 2 of both kinds together: the smaller one counts"}},
		{"more together than both", func(a *model.App) { a.Policy.MaxDisrupted = &model.Limit{Count: 4} }, 6, fixed, []string{
			"note lifecycle.max_disrupted: allows 4, more than max_interrupted and max_draining can add up to"}},
		{"return before healthy", func(a *model.App) {
			a.Policy.MaxInterrupted = limit(2)
			a.Policy.ReturnWithin = model.Duration(5 * time.Second)
			a.Spec.Health.StartTimeout = model.Duration(time.Second)
		}, 6, fixed, []string{
			"warning lifecycle.return_within: 5s is over before an instance can have been healthy for 10s: every return will be flagged"}},
		{"return before started", func(a *model.App) {
			a.Policy.MaxInterrupted = limit(2)
			a.Policy.ReturnWithin = model.Duration(30 * time.Second)
		}, 6, fixed, []string{
			"warning lifecycle.return_within: 30s is shorter than the health check's start_timeout of 1m: a slow start will be flagged before it has failed"}},
		{"hung only at the deadline", func(a *model.App) {
			a.Policy.MaxInterrupted = limit(2)
			a.Policy.Interrupt.ProgressTimeout = model.Duration(time.Hour)
		}, 6, fixed, []string{
			"warning lifecycle.interrupt.progress_timeout: 1h is longer than the timeout of 1m: a handler that hangs is noticed only at its deadline"}},
		{"forced without asking", func(a *model.App) {
			a.Policy.MaxInterrupted = limit(2)
			a.Policy.OnStuck = model.OnStuck{Answer: model.StuckForce, After: model.Duration(2 * time.Hour)}
		}, 6, fixed, []string{
			"warning lifecycle.on_stuck: force_after 2h: a drain that is stuck for so long is forced, and its data is lost without anybody being asked"}},
		{"the worst first", func(a *model.App) { a.Policy.Drain, a.Policy.Interrupt = nil, nil }, 1, fixed, []string{"fault", "warning", "note"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			app := kit()
			if row.change != nil {
				row.change(app)
			}
			found := lifecycle.Explain(app, row.n, row.classes).Findings
			g.Expect(found).To(HaveLen(len(row.want)), "%v", found)
			for i, f := range found {
				g.Expect(strings.Join([]string{string(f.Severity), " ", f.Where, ": ", f.Text}, "")).To(HavePrefix(row.want[i]))
			}
		})
	}
}
