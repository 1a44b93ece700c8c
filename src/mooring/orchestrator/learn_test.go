package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/estimate"
	"mooring/model"
	"mooring/state"
)

// rolled is a world in which an app was rolled once by each plan named.
func rolled(t *testing.T, upset func(*world), plans ...string) *world {
	t.Helper()
	w := newWorld()
	w.addCells(3, 1)
	w.push("redis", 3, 0, model.ClassPersistent, model.Policy{
		MaxInterrupted: model.Limit{Count: 1}, HealthyFor: model.Duration(10 * time.Second), Drain: &model.Handler{Command: "drain"},
	})
	upset(w)
	for _, name := range plans {
		w.rollAll(t, name)
	}
	return w
}

// rollAll takes all cells through a plan, as the API would start it.
func (w *world) rollAll(t *testing.T, name string) {
	t.Helper()
	spec := model.PlanSpec{Name: name, Cells: model.Selector{All: true}, Action: model.Recreate, OnStuck: model.StuckSkip}
	preview, err := Preview(w.snap, spec, w.now)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := newPlan(w.snap, spec, w.now)
	if err != nil {
		t.Fatal(err)
	}
	plan.Foreseen = model.Foreseen{Half: preview.Expected, Most: preview.Longest}
	w.put(plan)
	w.run(24 * time.Hour)
}

// took gives what was measured of a step, in seconds.
func (w *world) took(subject string, step estimate.Step) (seconds []float64) {
	known := w.snap.Durations(subject)
	if known == nil {
		return nil
	}
	for _, sample := range known.Samples[string(step)] {
		seconds = append(seconds, sample.Took().Seconds())
	}
	return seconds
}

var recreated = estimate.Host(model.Recreate, estimate.Away)

func TestFinishedRollsAreLearnedFrom(t *testing.T) {
	g := NewWithT(t)
	w := rolled(t, func(*world) {}, "first")
	app := w.snap.Apps()[0]
	g.Expect(w.took(app.GUID, estimate.Handler(model.Interrupt))).To(HaveEach(BeNumerically("~", 5, 0.1)))
	g.Expect(w.took(app.GUID, estimate.Return)).To(HaveEach(BeNumerically("~", 2, 0.1)), "without healthy_for")
	g.Expect(w.took(app.GUID, estimate.Return)).To(HaveLen(3))
	g.Expect(w.took(model.Hosts, recreated)).To(Equal([]float64{40, 40, 40}))
	g.Expect(w.took(model.Hosts, estimate.Host(model.Recreate, model.Returning))).To(Equal([]float64{10, 10, 10}))
}

func TestForesightNarrowsAsRollsFinish(t *testing.T) {
	g := NewWithT(t)
	w := rolled(t, func(*world) {}, "first", "second")
	width := func(f model.Foreseen) float64 { return f.Most.D().Seconds() / f.Half.D().Seconds() }
	first, last := w.snap.Roll("first", w.snap.Plan("first").Order[0]), w.snap.Roll("second", w.snap.Plan("second").Order[2])
	g.Expect(width(last.Foreseen)).To(BeNumerically("<", width(first.Foreseen)))
	g.Expect(last.Foreseen.Half.D()).To(BeNumerically("~", time.Minute, 15*time.Second))
	g.Expect(width(w.snap.Plan("second").Foreseen)).To(BeNumerically("<", width(w.snap.Plan("first").Foreseen)))

	known := w.snap.Durations(model.Hosts)
	g.Expect(known.Rolls.Early + known.Rolls.Within + known.Rolls.Late).To(Equal(6))
	g.Expect(known.Plans.Early + known.Plans.Within + known.Plans.Late).To(Equal(2))
}

func TestARollThatDidNotEndTeachesNothing(t *testing.T) {
	g := NewWithT(t)
	w := rolled(t, func(w *world) { w.stayAway["c2"] = true }, "first")
	g.Expect(w.snap.Roll("first", "c2").Phase).NotTo(Equal(model.RollDone))
	g.Expect(w.took(model.Hosts, recreated)).To(HaveLen(1), "one did not come back, and one waits for it")
	g.Expect(w.snap.Durations(model.Hosts).Plans).To(BeZero())
}

func TestOneThatWasStuckCountsAsLongAsTheWait(t *testing.T) {
	g := NewWithT(t)
	roll := &model.Roll{Phase: model.RollDone, Action: model.Recreate, Foreseen: model.Foreseen{Half: 1, Most: 2}}
	at := time.Unix(0, 0)
	for _, entry := range []struct {
		phase model.Phase
		took  time.Duration
	}{{model.Cordoned, 0}, {model.Acting, 3 * time.Hour}, {model.Returning, time.Minute}, {model.Settling, time.Second}, {model.RollDone, 0}} {
		roll.Timeline = append(roll.Timeline, model.Entry{Phase: entry.phase, At: at})
		at = at.Add(entry.took)
	}
	w := newWorld()
	d := newDecision(w.snap, w.now, w.via)
	d.learnRoll(&model.Plan{}, roll)
	g.Expect(d.learned.Samples[string(recreated)][0].Took()).To(Equal(30 * time.Minute))
	g.Expect(d.learned.Rolls).To(Equal(model.Tally{Late: 1}))
}

func TestTimeInLineIsNoPartOfARoll(t *testing.T) {
	g := NewWithT(t)
	second := func(n int) time.Time { return time.Unix(int64(n), 0) }
	in, whole, disturbed := newDecision(state.SnapshotOf(), convergeNow, model.Via{}).measured(&model.Roll{Timeline: []model.Entry{
		{Phase: model.Queued, At: second(0)},
		{Phase: model.Cordoned, At: second(10)}, {Phase: model.Interrupting, At: second(10)},
		{Phase: model.Queued, At: second(60), Note: "paused"},
		{Phase: model.Cordoned, At: second(100)}, {Phase: model.Interrupting, At: second(101)},
		{Phase: model.Interrupting, At: second(300), Note: waitsNote + "x is down"}, {Phase: model.Interrupting, At: second(400), Note: grantedNote},
		{Phase: model.Quiesced, At: second(405)}, {Phase: model.Acting, At: second(405)}, {Phase: model.Returning, At: second(435)},
		{Phase: model.Settling, At: second(445)}, {Phase: model.RollDone, At: second(457)},
	}})
	g.Expect(disturbed).To(BeFalse(), "an earlier attempt does not count")
	g.Expect(in[model.Interrupting]).To(Equal(5 * time.Second))
	g.Expect(in[model.Settling]).To(Equal(12 * time.Second))
	g.Expect(whole).To(Equal(58 * time.Second))
}

func TestWhatWasLearnedOutlivesItsRollsAndNotItsApp(t *testing.T) {
	g := NewWithT(t)
	w := rolled(t, func(*world) {}, "first")
	app := w.snap.Apps()[0]
	tx := w.snap.Txn()
	for _, roll := range w.snap.Rolls("first") {
		tx.Delete(roll)
	}
	tx.Delete(w.snap.Plan("first"))
	after := w.snap.Apply(tx)
	g.Expect(newForesight(after, w.now).durations().Measured(model.Recreate)).To(BeTrue())
	g.Expect(forget(after, w.now).Empty()).To(BeTrue())

	tx = after.Txn()
	tx.Delete(app)
	_, deleted := forget(after.Apply(tx), w.now).Changes()
	g.Expect(deleted).To(Equal([]string{model.TableDurations + "/" + app.GUID}))
}
