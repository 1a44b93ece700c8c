package orchestrator

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/estimate"
	"mooring/model"
	"mooring/state"
)

// drawFloating draws a fleet of one AZ whose apps all float, each with a policy
// that allows something, however many of it share a cell.
func (w *world) drawFloating(rt *rapid.T) {
	w.addCells(rapid.IntRange(2, 5).Draw(rt, "cells"), 1)
	for i := range rapid.IntRange(1, 2).Draw(rt, "apps") {
		policy := model.Policy{
			MaxInterrupted: model.Limit{Count: rapid.IntRange(1, 3).Draw(rt, "max_interrupted")},
			HealthyFor:     model.Duration(10 * time.Second), ReturnWithin: model.Duration(5 * time.Minute),
		}
		w.push(fmt.Sprintf("app%d", i), rapid.IntRange(1, 6).Draw(rt, "instances"), rapid.IntRange(0, 5).Draw(rt, "offset"), model.ClassShared, policy)
	}
}

// TestWhatFloatsNeverStrandsAPlan: what moves off one cell comes to crowd the
// next. As long as nothing fails all cells are rolled, and nobody is called.
func TestWhatFloatsNeverStrandsAPlan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		w.drawFloating(rt)
		w.drawPlan(rt, "plan")
		retire := w.snap.Plan("plan").Action == model.Retire // the last cell's instances have nowhere to go
		w.run(48 * time.Hour)
		w.hold(rt, nil)
		for _, app := range w.snap.Apps() {
			if allowed := app.Policy.Disrupted(app.Instances); w.most[app.GUID] > allowed {
				rt.Fatalf("%s had %d away, its policy allows %d\n%s", app.GUID, w.most[app.GUID], allowed, w.events())
			}
		}
		if alerts := w.snap.StuckItems(); len(alerts) > 0 && !retire {
			rt.Fatalf("%s\n%s", w.stuckText(), w.events())
		}
		if plan := w.snap.Plan("plan"); !plan.Finished() && !retire {
			rt.Fatalf("the plan is %s\n%s\n%s", plan.Status, w.rollsText(), w.events())
		}
	})
}

// One that has moved and does not serve there holds up those of its app that
// are to follow it, and nothing else: it is flagged, and the roll goes on by
// itself once it serves.
func TestAStepThatDoesNotComeBackIsFlagged(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(3, 1)
	policy := model.Policy{MaxInterrupted: model.Limit{Count: 1}, HealthyFor: model.Duration(10 * time.Second), ReturnWithin: model.Duration(5 * time.Minute)}
	w.push("files", 6, 0, model.ClassShared, policy)
	spec := model.PlanSpec{Name: "plan", Action: model.Recreate}
	spec.Cells.IDs = []string{"c1"}
	plan, err := newPlan(w.snap, spec, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	w.put(plan)

	w.run(6 * time.Second) // files/0 has yielded and starts elsewhere
	w.broken["files/0"] = true
	w.run(time.Hour)
	g.Expect(w.snap.StuckItems()).To(HaveExactElements(And(
		HaveField("Kind", model.WaitingForBudget), HaveField("CellID", "c1"), HaveField("Index", 0),
		HaveField("What", ContainSubstring("cell c1 waits for o/s/files/0")))))
	g.Expect(w.snap.Cordons()).To(BeEmpty())

	w.broken["files/0"] = false
	w.run(time.Hour)
	g.Expect(w.snap.StuckItems()).To(BeEmpty())
	g.Expect(w.snap.Roll("plan", "c1").Phase).To(Equal(model.RollDone))
	g.Expect(w.violations).To(BeEmpty())
}

// What was measured of a phase is what its steps took, without the time in
// line before each.
func TestStepsAreMeasuredWithoutTheTimeInLine(t *testing.T) {
	g := NewWithT(t)
	start := time.Unix(0, 0)
	roll := &model.Roll{Phase: model.RollDone}
	for _, line := range []struct {
		phase model.Phase
		after time.Duration
		note  string
	}{
		{model.Cordoned, 0, ""}, {model.Moving, 0, ""},
		{model.Moving, 100, grantedNote}, {model.Moving, 117, nextStepNote},
		{model.Moving, 317, grantedNote}, {model.Moving, 330, nextStepNote},
		{model.Moving, 430, grantedNote}, {model.Interrupting, 440, ""}, {model.RollDone, 440, ""},
	} {
		roll.Timeline = append(roll.Timeline, model.Entry{Phase: line.phase, At: start.Add(line.after * time.Second), Note: line.note})
	}
	in, whole, disturbed := newDecision(state.SnapshotOf(), start, model.Via{}).measured(roll)
	g.Expect(in[model.Moving]).To(Equal(40 * time.Second))
	g.Expect(whole).To(Equal(40 * time.Second))
	g.Expect(disturbed).To(BeFalse())
}

// knowDurations has measured what takes how long in this world.
func (w *world) knowDurations() {
	var records []model.Record
	know := func(subject string, steps map[estimate.Step]time.Duration) {
		var known *model.Durations
		for step, took := range steps {
			for i := range 32 { // never quite the same
				known = estimate.Learn(known, subject, step, took*time.Duration(90+i*20/31)/100, w.now)
			}
		}
		records = append(records, known)
	}
	know(model.Hosts, map[estimate.Step]time.Duration{estimate.Host(model.Recreate, estimate.Away): actionTime + bootTime})
	for _, app := range w.snap.Apps() {
		know(app.GUID, map[estimate.Step]time.Duration{
			estimate.Handler(model.Interrupt): handlerTime, estimate.Move: startTime,
			estimate.Handler(model.Drain): handlerTime, estimate.Return: startTime,
		})
	}
	w.put(records...)
}

// One more at once makes steps larger, not only more cells roll at once: of
// three on a cell, two go and then one.
func TestAHigherLimitMakesLargerSteps(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(4, 1)
	w.push("files", 12, 0, model.ClassShared, model.Policy{MaxInterrupted: model.Limit{Count: 1}, HealthyFor: model.Duration(10 * time.Second)})
	w.knowDurations()
	spec := model.PlanSpec{Name: "plan", Action: model.Recreate, Cells: model.Selector{IDs: []string{"c1", "c2", "c3", "c4"}}}
	w.addCells(16, 1)
	preview, err := Preview(w.snap, spec, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	near := func(d model.Duration, want time.Duration) {
		g.Expect(d.D()).To(BeNumerically("~", want*time.Second, want*time.Second/10))
	}
	near(preview.Expected, 3*3*17+2*17+45) // the last cell begins after three, and acts once its own third has stopped
	near(preview.Bound, 12*17)
	near(preview.Raise.Saved, 3*17) // what a roll takes by itself is not made shorter
	near(preview.Raise.Bound, 12*17/2)
}

// TestWhatLeavesIsForetoldAsItGoes: apps whose instances leave their cell, for
// cells that are empty and stay, so that none comes to where it is moved again.
func TestWhatLeavesIsForetoldAsItGoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := NewWithT(rt)
		w := newWorld()
		w.unchecked = true // others look at that
		rolled := rapid.IntRange(2, 4).Draw(rt, "cells")
		w.addCells(rolled, 1)
		instances, apps := 0, rapid.IntRange(1, 2).Draw(rt, "apps")
		for i := range apps {
			limit := model.Limit{Count: rapid.IntRange(1, 2).Draw(rt, "limit")}
			policy := model.Policy{MaxInterrupted: limit, MaxDraining: limit, HealthyFor: model.Duration(10 * time.Second), Drain: &model.Handler{Command: "drain"}}
			class := rapid.SampledFrom([]string{model.ClassShared, model.ClassShared, model.ClassEphemeral}).Draw(rt, "class")
			n := rapid.IntRange(1, 2*rolled).Draw(rt, "instances")
			w.push(fmt.Sprintf("app%d", i), n, rapid.IntRange(0, 3).Draw(rt, "offset"), class, policy)
			instances += n
		}
		spec := model.PlanSpec{Name: "plan", Action: model.Recreate}
		for _, cell := range w.snap.Cells() {
			spec.Cells.IDs = append(spec.Cells.IDs, cell.ID)
		}
		w.addCells(rolled+instances, 1) // those that are there already are registered anew
		w.knowDurations()
		w.settle()
		preview, err := Preview(w.snap, spec, w.now)
		g.Expect(err).NotTo(HaveOccurred())
		plan, err := newPlan(w.snap, spec, w.now)
		g.Expect(err).NotTo(HaveOccurred())
		w.put(plan)
		began := w.now
		w.run(24 * time.Hour)

		g.Expect(w.snap.StuckItems()).To(BeEmpty())
		near := func(foretold model.Duration, truth time.Duration) {
			g.Expect(foretold.D()).To(BeNumerically("~", truth, 4*time.Second+truth/5), "%+v\n%s", preview.Timeline, w.events())
		}
		g.Expect(preview.Timeline).To(HaveLen(rolled))
		for _, slot := range preview.Timeline {
			started, _ := w.snap.Roll("plan", slot.CellID).Entered(model.Cordoned)
			if apps == 1 { // of two, which gives back first decides who is next
				near(slot.From, started.Sub(began))
			}
		}
		took := w.snap.Plan("plan").FinishedAt.Sub(began)
		near(preview.Expected, took)
		g.Expect(preview.Bound.D()).To(BeNumerically("<=", took+took/10+time.Second))
	})
}
