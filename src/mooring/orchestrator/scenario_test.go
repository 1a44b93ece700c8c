package orchestrator

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"mooring/model"
)

// TestScenarios runs the stories in testdata. Each command prints what
// happened because of it; -rewrite writes the stories anew, to be read as a
// diff.
func TestScenarios(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatalf("there are no stories in testdata: %v", err)
	}
	for _, path := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			w := newWorld()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				w.log = nil
				text := w.tell(t, d)
				for _, violation := range w.violations {
					t.Errorf("%s: %s", d.Pos, violation)
				}
				w.violations = nil
				return text
			})
		})
	}
}

func (w *world) events() string { return strings.Join(w.log, "") }

func (w *world) tell(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "cells": // cells 6 az=2
		azs := 1
		d.MaybeScanArgs(t, "az", &azs)
		w.addCells(number(t, d, d.CmdArgs[0].Key), azs)
	case "push": // push redis instances=6 max_interrupted=1 class=persistent
		w.tellPush(t, d)
	case "roll": // roll all action=recreate order=(c2,c1) greedy: the last two instead of what the planner chose
		return w.tellRoll(t, d)
	case "run": // run 1m: that much time, or until nothing happens any more
		passed := 24 * time.Hour
		if len(d.CmdArgs) > 0 {
			passed = duration(t, d, d.CmdArgs[0].Key)
		}
		end := w.now.Add(passed)
		w.run(passed)
		if len(d.CmdArgs) > 0 {
			w.now = end
			w.settle()
		} else {
			w.checkRest()
		}
		return w.events()
	case "step": // step: the orchestrator decides once
		w.orchestrate(1)
		return w.events()
	case "hang", "fail", "break", "cling", "linger", "deaf": // hang redis/3 [off], deaf c1 [off]
		faults := map[string]map[string]bool{"hang": w.hang, "fail": w.fail, "break": w.broken, "cling": w.cling, "linger": w.linger, "deaf": w.deaf}[d.Cmd]
		faults[d.CmdArgs[0].Key] = !d.HasArg("off")
		w.settle()
		return w.events()
	case "kill-cell":
		w.takeDown(d.CmdArgs[0].Key)
		w.settle()
		return w.events()
	case "add-cell": // add-cell c5: one like the others
		added := *w.snap.Cells()[0]
		added.ID = d.CmdArgs[0].Key
		w.register(&added)
		w.settle()
		return w.events()
	case "start-cell":
		w.register(w.snap.Cell(d.CmdArgs[0].Key))
		w.settle()
		return w.events()
	case "fail-host", "slow-host", "stay-away": // fail-host c1 [off]
		faults := map[string]map[string]bool{"fail-host": w.failHost, "slow-host": w.slowHost, "stay-away": w.stayAway}[d.Cmd]
		faults[d.CmdArgs[0].Key] = !d.HasArg("off")
	case "takes": // takes c1 9m30s: so long an action on its host takes
		w.takes[d.CmdArgs[0].Key] = duration(t, d, d.CmdArgs[1].Key)
	case "full":
		w.full = !d.HasArg("off")
	case "kill-orchestrator":
		w.down = true
	case "start-orchestrator":
		w.down, w.began = false, w.now
		w.settle()
		return w.events()
	case "answer": // answer plan.c3.handler-hung force reason=because confirm=(o/s/redis/0)
		return w.tellAnswer(t, d)
	case "pause", "resume", "abort": // pause plan
		return w.tellIntent(d)
	case "policy": // policy redis max_interrupted=1
		app := *w.snap.App(d.CmdArgs[0].Key)
		app.Policy = policyOf(t, d, app.Policy)
		w.put(&app)
		w.settle()
		return w.events()
	case "scale": // scale redis 4
		app := *w.snap.App(d.CmdArgs[0].Key)
		app.Instances = number(t, d, d.CmdArgs[1].Key)
		w.put(&app)
		w.settle()
		return w.events()
	case "restart-cell": // restart-cell c1: its agent begins anew, and its host does not
		cell := w.snap.Cell(d.CmdArgs[0].Key)
		w.takeDown(cell.ID)
		w.registerIn(cell, cell.Boot)
		w.settle()
		return w.events()
	case "post-start": // post-start plan c1 asking=1: BOSH waits for the cell, or goes on
		return w.tellPostStart(t, d)
	case "delete": // delete redis: the app and its instances are gone
		w.tellDelete(d.CmdArgs[0].Key)
		return w.events()
	case "act": // act c1: somebody else acts on the host
		w.takeDown(d.CmdArgs[0].Key)
		w.settle()
		return w.events()
	case "show":
		return w.rollsText()
	case "stuck":
		return w.stuckText()
	case "most-away": // as seen from outside since the beginning
		var b strings.Builder
		for _, app := range w.snap.Apps() {
			fmt.Fprintf(&b, "%s %d\n", app.GUID, w.most[app.GUID])
		}
		return b.String()
	case "timeline": // timeline plan c1
		var b strings.Builder
		for _, entry := range w.snap.Roll(d.CmdArgs[0].Key, d.CmdArgs[1].Key).Timeline {
			fmt.Fprintf(&b, "%6s %s %s\n", entry.At.Sub(w.start), entry.Phase, entry.Note)
		}
		return b.String()
	case "forecast": // forecast plan
		return w.tellForecast(d)
	case "preview":
		return w.tellPreview(t, d)
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

func (w *world) tellPush(t *testing.T, d *datadriven.TestData) {
	class, instances, offset := model.ClassPersistent, 1, 0
	d.MaybeScanArgs(t, "class", &class)
	d.MaybeScanArgs(t, "instances", &instances)
	d.MaybeScanArgs(t, "offset", &offset)
	base := model.Policy{HealthyFor: model.Duration(10 * time.Second), ReturnWithin: model.Duration(10 * time.Minute), Drain: &model.Handler{Command: "drain"}}
	w.push(d.CmdArgs[0].Key, instances, offset, class, policyOf(t, d, base))
}

func (w *world) tellDelete(app string) {
	tx := w.snap.Txn()
	for _, inst := range w.snap.InstancesOf(app) {
		tx.Delete(inst)
	}
	tx.Delete(w.snap.App(app))
	tx.Delete(w.snap.Ledger(app))
	w.write(tx)
	w.settle()
}

func policyOf(t *testing.T, d *datadriven.TestData, policy model.Policy) model.Policy {
	for name, limit := range map[string]*model.Limit{"max_interrupted": &policy.MaxInterrupted, "max_draining": &policy.MaxDraining} {
		var text string
		if d.MaybeScanArgs(t, name, &text); text != "" {
			parsed, err := model.ParseLimit(text)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			*limit = parsed
		}
	}
	var text string
	if d.MaybeScanArgs(t, "force_after", &text); text != "" {
		policy.OnStuck = model.OnStuck{Answer: model.StuckForce, After: model.Duration(duration(t, d, text))}
	}
	return policy
}

func specOf(t *testing.T, d *datadriven.TestData) model.PlanSpec {
	spec := model.PlanSpec{Name: "plan", Action: model.Recreate}
	var action, limit, onStuck string
	d.MaybeScanArgs(t, "name", &spec.Name)
	if d.MaybeScanArgs(t, "action", &action); action != "" {
		spec.Action = model.Action(action)
	}
	d.MaybeScanArgs(t, "cells", &spec.Cells.IDs)
	d.MaybeScanArgs(t, "canaries", &spec.Canaries)
	d.MaybeScanArgs(t, "on_stuck", &onStuck)
	spec.OnStuck = model.StuckChoice(onStuck)
	if d.MaybeScanArgs(t, "max_in_flight", &limit); limit != "" {
		spec.MaxInFlight, _ = model.ParseLimit(limit)
	}
	spec.Via.Wait = d.HasArg("wait")
	for _, arg := range d.CmdArgs {
		if arg.Key == "window" {
			spec.Window = strings.Join(arg.Vals, " ")
		}
		if arg.Key == "cells" {
			spec.Cells.IDs = arg.Vals
		}
	}
	return spec
}

func (w *world) tellRoll(t *testing.T, d *datadriven.TestData) string {
	plan, err := newPlan(w.snap, specOf(t, d), w.now)
	if err != nil {
		return err.Error() + "\n"
	}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "order":
			plan.Order = arg.Vals
		case "greedy":
			plan.Greedy = true
		}
	}
	w.put(plan)
	return "order: " + strings.Join(plan.Order, " ") + "\n"
}

// tellPostStart has BOSH come to the cell's gate once it is done with the host,
// and says whether it waits there.
func (w *world) tellPostStart(t *testing.T, d *datadriven.TestData) string {
	roll := *w.snap.Roll(d.CmdArgs[0].Key, d.CmdArgs[1].Key)
	asking := "1"
	d.MaybeScanArgs(t, "asking", &asking)
	if !roll.HoldsBack(asking) {
		return "BOSH goes on\n"
	}
	if roll.BackAsking != asking {
		roll.BackAt, roll.BackAsking = w.now, asking
		w.put(&roll)
		w.settle()
	}
	return w.events() + "BOSH waits\n"
}

func (w *world) tellAnswer(t *testing.T, d *datadriven.TestData) string {
	alert := w.snap.StuckItem(d.CmdArgs[0].Key)
	if alert == nil {
		return "nothing of that name is stuck\n"
	}
	answered := *alert
	answer := model.Answer{Verb: model.Verb(d.CmdArgs[1].Key), Reason: "because", By: "ops"}
	var longer string
	if d.MaybeScanArgs(t, "for", &longer); longer != "" {
		answer.For = model.Duration(duration(t, d, longer))
	}
	for _, arg := range d.CmdArgs {
		if arg.Key == "confirm" {
			answer.Confirm = arg.Vals
		}
	}
	answered.Answer = &answer
	w.put(&answered)
	w.settle()
	return w.events()
}

func (w *world) tellIntent(d *datadriven.TestData) string {
	name := "plan"
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	plan := *w.snap.Plan(name)
	plan.Intent = map[string]model.Intent{"pause": model.IntentPause, "resume": model.IntentRun, "abort": model.IntentAbort}[d.Cmd]
	w.put(&plan)
	w.settle()
	return w.events()
}

func (w *world) stuckText() string {
	var b strings.Builder
	for _, alert := range w.snap.StuckItems() {
		fmt.Fprintf(&b, "%s (%s)\n  %s\n  %s\n  answers %v blocks %v data %v\n", alert.ID, alert.Owner, alert.What, alert.Advice, alert.Answers, alert.Blocks, alert.Data)
	}
	return b.String()
}

func (w *world) tellPreview(t *testing.T, d *datadriven.TestData) string {
	preview, err := Preview(w.snap, specOf(t, d), w.now)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "order %s\nat once %d, ends in %s (%s to %s), bound %s by %s\n", strings.Join(preview.Order, " "),
		preview.AtOnce, preview.Expected, preview.Shortest, preview.Longest, preview.Bound, preview.Bottleneck)
	if preview.Opens != nil {
		fmt.Fprintf(&b, "from %s\n", preview.Opens.UTC().Format("Mon 15:04"))
	}
	for _, r := range preview.Raises {
		fmt.Fprintf(&b, "%s %d instead of %d for %s saves %s, bound %s\n", r.Limit, r.To, r.From, r.App, r.Saved, r.Bound)
	}
	for _, slot := range preview.Timeline {
		fmt.Fprintf(&b, "  %s %s to %s\n", slot.CellID, slot.From, slot.To)
	}
	for _, never := range preview.Never {
		fmt.Fprintf(&b, "never %s: %s, %s of %s: %s\n", never.CellID, never.Instance, never.Limit, never.Owner, never.Text)
	}
	for _, data := range preview.DataAtRisk {
		fmt.Fprintf(&b, "data at risk: %s\n", data)
	}
	for _, warning := range preview.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}

func (w *world) tellForecast(d *datadriven.TestData) string {
	forecast := Foresee(w.snap, w.snap.Plan(d.CmdArgs[0].Key), w.now)
	if forecast == nil {
		return "nothing is left\n"
	}
	var b strings.Builder
	in := func(at time.Time) time.Duration { return at.Sub(w.now).Round(time.Second) }
	fmt.Fprintf(&b, "%d left, in %s (%s to %s), %d open, bottleneck %s\n",
		forecast.Left, in(forecast.Likely), in(forecast.Earliest), in(forecast.Latest), forecast.Open, forecast.Bottleneck)
	for _, turn := range forecast.Slots {
		fmt.Fprintf(&b, "  %s %s to %s\n", turn.CellID, in(turn.From), in(turn.To))
	}
	return b.String()
}

func duration(t *testing.T, d *datadriven.TestData, text string) time.Duration {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return parsed
}

func number(t *testing.T, d *datadriven.TestData, text string) int {
	var n int
	if _, err := fmt.Sscan(text, &n); err != nil {
		d.Fatalf(t, "%v", err)
	}
	return n
}
