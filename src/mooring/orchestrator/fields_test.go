package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// lookedAt decides once and gives what became of it.
func lookedAt(snap *state.Snapshot, now time.Time) *state.Snapshot {
	txns, _ := decide(snap, now, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	return snap
}

func TestAPlanThatBOSHDoesNotCarryOutHasAllThatAnAlertHas(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Queued, model.RollDone, model.Queued)
	plan := records[0].(*model.Plan)
	plan.CreatedAt = convergeNow.Add(-time.Minute)
	plan.Converging = &model.Converging{Waits: "deployment mooring is held by task 1 (create deployment by olga)"}
	snap := lookedAt(state.SnapshotOf(records...), convergeNow)

	alert := snap.StuckItem("p.director")
	g.Expect(alert.Since).To(Equal(plan.CreatedAt), "nothing has moved since then")
	g.Expect(alert.FlaggedAt).To(Equal(convergeNow))
	g.Expect(alert.Phase).To(Equal(model.Queued))
	g.Expect(alert.Blocks).To(Equal([]string{"c1", "c3"}))
	g.Expect(alert.Answers).To(Equal([]model.Verb{model.Wait}))
	g.Expect(alert.Effects).To(HaveLen(1))

	answered := *alert
	answered.Answer = &model.Answer{Verb: model.Wait, For: model.Duration(time.Hour), Reason: "olga is at it", By: "ops"}
	snap = lookedAt(lookedAt(snap.Apply(put(snap, &answered)), convergeNow), convergeNow)
	g.Expect(snap.StuckItems()).To(BeEmpty(), "somebody said to wait")
	_, due := decide(snap, convergeNow, model.Via{}, time.Time{})
	g.Expect(due).To(Equal(convergeNow.Add(time.Hour)))
	g.Expect(lookedAt(snap, due).StuckItems()).To(HaveLen(1), "and then it is told again")
}

func put(snap *state.Snapshot, records ...model.Record) *state.Txn {
	tx := snap.Txn()
	for _, record := range records {
		tx.Put(record)
	}
	return tx
}

func TestACellThatIsGoneSaysSinceWhenAndWhatWaitsForIt(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(2, 1)
	w.push("redis", 2, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	cell := *w.snap.Cell("c1")
	cell.LeaseTTL = model.Duration(10 * time.Second)
	w.put(&cell)
	w.now = w.now.Add(time.Hour)
	w.takeDown("c1")
	w.settle()

	alert := w.snap.StuckItem("cell.c1.cell-gone")
	g.Expect(alert.Since).To(Equal(w.now.Add(-10*time.Second)), "about when it was last heard of")
	g.Expect(alert.Plan).To(BeEmpty())

	w.put(&model.Plan{PlanSpec: model.PlanSpec{Name: "p", Action: model.Restart}, Intent: model.IntentRun, Status: model.PlanRunning, Order: []string{"c1"}})
	w.settle()
	alert = w.snap.StuckItem("cell.c1.cell-gone")
	g.Expect(alert.Plan).To(Equal("p"))
	g.Expect(alert.Phase).To(Equal(model.Queued))
	g.Expect(alert.Blocks).To(Equal([]string{"c1"}))

	plan := *w.snap.Plan("p")
	plan.Intent = model.IntentAbort
	w.put(&plan)
	w.settle()
	g.Expect(w.snap.Plan("p").Status).To(Equal(model.PlanAborted))
	alert = w.snap.StuckItem("cell.c1.cell-gone")
	g.Expect(alert).NotTo(BeNil(), "it is gone with or without a plan")
	g.Expect(alert.Recovered()).To(BeFalse())
	g.Expect(alert.Plan).To(BeEmpty())
}

func TestWhatAnUpdateDisruptsSaysHowFarItHasCome(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(1, 1)
	w.push("redis", 1, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	w.cling["redis/0"] = true
	w.put(&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{ID: "1", Kind: model.Interrupt, Reason: model.ReasonUpdate, Holder: model.UpdateHolder("redis"),
		CellID: "c1", Step: model.StepGranted, Want: model.WantOut, Times: map[model.Step]time.Time{model.StepGranted: w.now}}}})
	w.run(2 * time.Minute)

	alert := w.snap.StuckItem("update.o.s.redis.0.instance-not-stopped")
	g.Expect(alert).NotTo(BeNil(), w.stuckText())
	g.Expect(alert.Step).To(Equal(model.StepRunning))
	g.Expect(alert.Error).To(ContainSubstring("the device is busy"))
	g.Expect(alert.CellID).To(Equal("c1"))
	g.Expect(alert.Answers).To(Equal([]model.Verb{model.Wait, model.Retry}))

	w.cling["redis/0"] = false
	answered := *alert
	answered.Answer = &model.Answer{Verb: model.Retry, Reason: "freed", By: "ops"}
	w.put(&answered)
	w.run(time.Second)
	g.Expect(w.snap.Ledger("redis").Permits).To(BeEmpty(), "it is asked for anew")
	g.Expect(w.snap.Claims()).To(HaveLen(1))
}

// A cell whose reports are refused counts as gone, also when nothing is bound
// to it: only the control plane can say why.
func TestCellGone_ARefusedReportIsNamed(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(2, 1)
	cell := *w.snap.Cell("c1")
	cell.Refused = `the report of cell c1 is refused; instances[0].index: is -1; indexes go from 0 to 9999`
	w.put(&cell)
	w.settle()
	g.Expect(w.snap.StuckItems()).To(BeEmpty(), "its lease has not run out")
	w.takeDown("c1")
	w.settle()
	alert := w.snap.StuckItem("cell.c1.cell-gone")
	g.Expect(alert).NotTo(BeNil(), w.events())
	g.Expect(alert.Owner).To(Equal(model.CloudOps))
	g.Expect(alert.What).To(ContainSubstring("cell c1 counts as gone, since the control plane refuses what its agent reports"))
	g.Expect(alert.Error).To(Equal(cell.Refused))

	cell.Refused = ""
	w.put(&cell)
	w.register(w.snap.Cell("c1"))
	w.settle()
	g.Expect(w.snap.StuckItem("cell.c1.cell-gone").Recovered()).To(BeTrue())
}
