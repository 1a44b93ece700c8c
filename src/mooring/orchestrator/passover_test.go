package orchestrator

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// never adds to the records of a group an app that lets its one instance, on c4,
// never go.
func never(records []model.Record) []model.Record {
	return append(records,
		&model.App{GUID: "n", Name: model.Name{Org: "o", Space: "s", Name: "never"}, Instances: 1, Policy: model.Policy{MaxDraining: model.Limit{Count: 1}}},
		&model.Ledger{AppGUID: "n"}, &model.VolumeSet{GUID: "nset", Survives: model.Recreate}, &model.Volume{GUID: "nv", SetGUID: "nset", CellID: "c4", Mounted: true},
		&model.Instance{AppGUID: "n", Placement: model.Placement{CellID: "c4", GUID: "ni"}, Volumes: []string{"nv"}},
		&model.ActualInstance{AppGUID: "n", CellID: "c4", GUID: "ni", State: model.Serving}, &model.ActualVolume{GUID: "nv", CellID: "c4"})
}

// passed gives what a task asked for now would pass over.
func passed(snap *state.Snapshot) []string {
	return newDecision(snap, convergeNow, model.Via{}).passes(snap.Plan("p"))
}

func TestWhatAPlansTaskPassesOver(t *testing.T) {
	g := NewWithT(t)
	g.Expect(passed(state.SnapshotOf(never(group(model.Queued, model.Queued, model.Queued, model.Queued))...))).To(Equal([]string{"c4"}), "a policy never lets it go")
	g.Expect(passed(state.SnapshotOf(group(model.RollDone, model.RollSkipped, model.Returning, model.Queued)...))).To(Equal([]string{"c1", "c2", "c3"}))
	g.Expect(passed(state.SnapshotOf(group(model.Queued)[0]))).To(BeEmpty(), "its rolls have yet to be made")
}

func TestACellThatIsPassedOverIsFlaggedAndIsNotLeftOver(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(never(group(model.RollDone, model.RollDone, model.RollDone, model.Queued))...)
	snap = snap.Apply(ignores(snap, "p", []string{"c4"}, []string{"c4"}))
	g.Expect(wantsUnignored(snap.Plan("p"))).To(BeFalse(), "BOSH has not settled what it does")
	snap = snap.Apply(changed(snap, "p", func(c *model.Converging) bool { c.Begun = true; return true }))
	g.Expect(wantsUnignored(snap.Plan("p"))).To(BeTrue())

	snap = looked(snap, convergeNow)
	g.Expect(snap.StuckItem("p.c4.policy-forbids")).NotTo(BeNil(), "though BOSH does not come to it")

	snap = snap.Apply(converged(snap, "p", nil, convergeNow))
	g.Expect(snap.Plan("p").Converging).To(And(HaveField("Ended", model.ConvergingDone), HaveField("Ignored", Equal([]string{"c4"}))))
	g.Expect(wantsUnignored(snap.Plan("p"))).To(BeTrue(), "whatever becomes of the plan")
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentRun))

	app := *snap.App("n")
	app.Policy.MaxInterrupted = model.Limit{Count: 1}
	tx := snap.Txn()
	tx.Put(&app)
	snap = looked(snap.Apply(tx), convergeNow)
	g.Expect(snap.Roll("p", "c4").Phase).NotTo(Equal(model.Queued), "it is taken by itself once it may be")
}

func TestNoTaskIsAskedForThatWouldPassOverEveryCell(t *testing.T) {
	g := NewWithT(t)
	records := never(group(model.Queued, model.Queued, model.Queued, model.Queued))
	records[0].(*model.Plan).Order = []string{"c4"}
	snap := state.SnapshotOf(records...)
	tx := newDecision(snap, convergeNow, model.Via{}).nothingToConverge("p")
	g.Expect(tx).NotTo(BeNil())
	snap = snap.Apply(tx)
	g.Expect(snap.Plan("p").Converging.Passes).To(Equal([]string{"c4"}))

	snap = state.SnapshotOf(never(group(model.Queued, model.Queued, model.Queued, model.Queued))...)
	g.Expect(newDecision(snap, convergeNow, model.Via{}).nothingToConverge("p")).To(BeNil())
}

func TestAPlanThatGoesOnAfterItsTaskEndedEarlyAsksForAnother(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(group(model.RollDone, model.Acting, model.Queued, model.Queued)...)
	presence := *snap.Presence("c2")
	presence.Start = "another"
	tx := snap.Txn()
	tx.Put(&presence)
	snap = snap.Apply(tx)
	snap = snap.Apply(failedOn(snap, "p", "c2", noRoomForVM, convergeNow))
	snap = snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow))
	first := onceOf(snap.Plan("p"))
	snap = looked(snap, convergeNow)
	g.Expect(wantsTask(snap, snap.Plan("p"))).To(BeFalse(), "a person says how to go on")

	plan := *snap.Plan("p")
	plan.Intent = model.IntentRun
	tx = snap.Txn()
	tx.Put(&plan)
	snap = looked(snap.Apply(tx), convergeNow)
	g.Expect(wantsTask(snap, snap.Plan("p"))).To(BeTrue())
	g.Expect(onceOf(snap.Plan("p"))).NotTo(Equal(first))
	g.Expect(snap.Plan("p").AboutToConverge()).To(BeTrue())
	g.Expect(passed(snap)).To(Equal([]string{"c1", "c2"}), "what it failed on is not for it")
	g.Expect(snap.Plan("p").Converging.Attempt).To(Equal(1), "once")
}

func TestATaskThatFailedOnNothingButSkippedCellsIsFollowedByAnother(t *testing.T) {
	fails := func(snap *state.Snapshot) *state.Snapshot {
		if tx := failedOn(snap, "p", "c1", "1 of 1 pre-stop scripts failed", convergeNow); tx != nil {
			snap = snap.Apply(tx)
		}
		return looked(snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow)), convergeNow)
	}
	start := func() *state.Snapshot {
		records := group(model.RollSkipped, model.RollDone, model.Queued, model.Queued)
		records[0].(*model.Plan).Converging = &model.Converging{Task: &model.HostTask{ID: 7}}
		return state.SnapshotOf(records...)
	}
	g := NewWithT(t)
	snap := fails(start())
	g.Expect(snap.Plan("p")).To(And(HaveField("Intent", model.IntentRun), HaveField("Converging.Attempt", 1), HaveField("Converging.Ended", "")))

	snap = start()
	snap = fails(snap.Apply(changed(snap, "p", func(c *model.Converging) bool { c.Cancelled = true; return true })))
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentPause), "somebody did not want it")
}

func TestTheAnswerForACellThatIsPassedOverDoesNotEndTheTask(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Returning, model.Queued, model.Queued, model.Queued)
	records[0].(*model.Plan).Converging = &model.Converging{Attempt: 1, Passes: []string{"c1"}, Task: &model.HostTask{ID: 8}}
	roll := records[3].(*model.Roll)
	roll.Error, roll.Acted = noRoomForVM, true
	snap := looked(state.SnapshotOf(records...), convergeNow)
	snap = looked(answered(snap, "p.c1.action-failed", model.Retry), convergeNow)
	g.Expect(snap.Plan("p").Converging.Answered).To(BeFalse())
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Acting), HaveField("Alone", true)))
	g.Expect(wantsAction(snap.Plan("p"), snap.Roll("p", "c1"))).To(BeFalse(), "the task has the deployment")
	snap = looked(snap, convergeNow.Add(100*time.Hour))
	g.Expect(snap.Roll("p", "c1").StuckID).To(BeEmpty())
}

func TestACellThatIsStuckAtItsGateBlocksThoseThatBOSHComesToLater(t *testing.T) {
	g := NewWithT(t)
	records := never(group(model.RollDone, model.Queued, model.Queued, model.Queued))
	records[0].(*model.Plan).Converging = &model.Converging{Task: &model.HostTask{ID: 7}}
	records[12].(*model.Roll).AtGate = convergeNow.Add(-time.Hour) // its policy was changed since
	snap := state.SnapshotOf(records...)
	g.Expect(looked(snap, convergeNow).StuckItem("p.c4.policy-forbids").Blocks).To(Equal([]string{"c4", "c2", "c3"}))

	away := snap.Apply(turnAway(snap, "BOSH is done with it", convergeNow, func(_ *model.Plan, roll *model.Roll) bool { return roll.CellID == "c2" }))
	g.Expect(looked(away, convergeNow).StuckItem("p.c4.policy-forbids").Blocks).To(Equal([]string{"c4", "c3"}), "to one that was turned away it does not come again")
}

func TestWhatBOSHStillIgnoresIsToldOfWhateverHasBecomeOfThePlan(t *testing.T) {
	g := NewWithT(t)
	records := group(model.RollDone)
	plan := records[0].(*model.Plan)
	plan.Status = model.PlanDone
	plan.Converging = &model.Converging{Ended: model.ConvergingDone, Ignored: []string{"c1"}}
	g.Expect(blockedByDirector(plan, convergeNow)).To(BeNil(), "that is about to be undone")
	plan.Converging.StillIgnored = "no route to host"
	snap := looked(state.SnapshotOf(records...), convergeNow)
	g.Expect(snap.StuckItem("p.director").What).To(Equal("BOSH still ignores what plan p had its task pass over, cells c1: no route to host"))
	snap = looked(snap.Apply(changed(snap, "p", func(c *model.Converging) bool { c.Ignored, c.StillIgnored = nil, ""; return true })), convergeNow)
	g.Expect(snap.StuckItem("p.director")).To(BeNil())
}
