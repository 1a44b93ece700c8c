package orchestrator

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/host"
	"mooring/model"
	"mooring/state"
)

var convergeNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// group is a plan of the cells c1 to c4 through BOSH, with rolls in these
// phases.
func group(phases ...model.Phase) []model.Record {
	plan := &model.Plan{
		PlanSpec: model.PlanSpec{Name: "p", Action: model.Recreate, Cells: model.Selector{All: true}, Via: model.Via{Bosh: &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}}},
		Intent:   model.IntentRun, Status: model.PlanRunning,
	}
	records := []model.Record{plan}
	for i, phase := range phases {
		id := []string{"c1", "c2", "c3", "c4"}[i]
		plan.Order = append(plan.Order, id)
		records = append(records, &model.Cell{ID: id, AZ: "z1", Boot: "b"}, &model.Presence{CellID: id, Boot: "b"},
			&model.Roll{Plan: "p", CellID: id, Order: i, Action: model.Recreate, Phase: phase, Timeline: []model.Entry{{Phase: phase, At: convergeNow}}})
	}
	return records
}

func TestACellOfAWholeGroupRollsOnlyOnceBOSHHasComeToIt(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Queued, model.Queued)
	records[6].(*model.Roll).AtGate = convergeNow
	snap := state.SnapshotOf(records...)
	_, due := decide(snap, convergeNow, model.Via{}, time.Time{})
	g.Expect(due).To(Equal(convergeNow.Add(gatherFor)), "others may be about to come")
	txns, _ := decide(snap, due, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	g.Expect(snap.Roll("p", "c1").Phase).To(Equal(model.Queued))
	g.Expect(snap.Roll("p", "c2").Phase).NotTo(Equal(model.Queued))
}

func TestWhoActsOnTheHostsOfAPlanThroughBOSH(t *testing.T) {
	g := NewWithT(t)
	plan := group(model.Queued)[0].(*model.Plan)
	acts := &actions{}
	g.Expect(wantsAction(plan, &model.Roll{Phase: model.Acting})).To(BeFalse(), "the one task does, and the gate lets it")
	g.Expect(wantsTask(state.SnapshotOf(plan), plan)).To(BeTrue())
	plan.Intent = model.IntentPause
	g.Expect(wantsTask(state.SnapshotOf(plan), plan)).To(BeFalse(), "it has not been asked for")
	plan.Converging = &model.Converging{}
	g.Expect(wantsTask(state.SnapshotOf(plan), plan)).To(BeTrue(), "it is under way, and followed")
	plan.Converging.Ended = "BOSH task 7 ended as error"
	g.Expect(wantsAction(plan, &model.Roll{Phase: model.Acting})).To(BeTrue())
	g.Expect(acts.driver(plan)).To(Equal(host.Bosh{Via: *plan.Via.Bosh}))
	g.Expect(wantsTask(state.SnapshotOf(plan), plan)).To(BeFalse())
	g.Expect(acts.driver(plan).Act(t.Context(), host.Request{})).To(MatchError(host.ErrNoDirector))
	d := newDecision(state.SnapshotOf(), convergeNow, model.Via{})
	g.Expect(d.somebodyElse(plan)).To(BeFalse())
	g.Expect(d.surveyOf(plan, nil).problem.MaxInFlight).To(Equal(1), "a deployment takes one action at a time")
}

func TestAPlanSaysWhatItsTaskWaitsFor(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(group(model.Queued)...)
	snap = snap.Apply(converging(snap, "p", "deployment mooring is held by task 1 (create deployment by olga)"))
	g.Expect(converging(snap, "p", snap.Plan("p").Converging.Waits)).To(BeNil(), "it is on record")
	d := newDecision(snap, convergeNow, model.Via{})
	d.watchDirector()
	snap = snap.Apply(d.txns[0])
	g.Expect(snap.StuckItem("p.director")).To(And(HaveField("Kind", model.DirectorBlocks), HaveField("What", ContainSubstring("by olga"))))

	snap = snap.Apply(converging(snap, "p", ""))
	d = newDecision(snap, convergeNow, model.Via{})
	d.watchDirector()
	snap = snap.Apply(d.txns[0])
	g.Expect(snap.StuckItem("p.director").Recovered()).To(BeTrue())
	d = newDecision(snap, convergeNow.Add(keepOpen), model.Via{})
	d.closeRecovered()
	g.Expect(snap.Apply(d.txns[0]).StuckItem("p.director")).To(BeNil(), "it closes by itself")
}

func TestATaskThatEndsEarlyLeavesThePlanPausedAndNobodyAtTheGate(t *testing.T) {
	g := NewWithT(t)
	records := group(model.RollDone, model.Acting, model.Interrupting, model.Queued)
	records[9].(*model.Roll).AtGate = convergeNow
	records[6].(*model.Roll).Start = "before"
	snap := state.SnapshotOf(records...)
	snap = snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as cancelling"), convergeNow))

	plan := snap.Plan("p")
	g.Expect(plan.Intent).To(Equal(model.IntentPause))
	g.Expect(plan.Reason).To(ContainSubstring("task 7"))
	g.Expect(snap.Roll("p", "c2").Error).To(ContainSubstring("task 7"), "its host was in BOSH's hands")
	g.Expect(snap.Roll("p", "c3")).To(And(HaveField("Refused", ContainSubstring("task 7")), HaveField("AtGate", BeZero())))
	g.Expect(snap.Roll("p", "c4").Refused).To(BeEmpty(), "nobody was at its gate")
	g.Expect(blockedByDirector(plan, convergeNow)).To(HaveField("Advice", ContainSubstring("moor resume p")))
	g.Expect(converged(snap, "p", nil, convergeNow)).To(BeNil(), "it ends once")
}

func TestAHostThatWasActedOnBeforeTheTaskEndedReturns(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Acting)
	records[3].(*model.Roll).Start = "before"
	snap := state.SnapshotOf(records...)
	snap = snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow))
	txns, _ := decide(snap, convergeNow, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	g.Expect(snap.Roll("p", "c1").Acted).To(BeTrue())
	g.Expect(snap.Roll("p", "c1").StuckID).To(BeEmpty())
}

func TestACellThatBOSHHoldsAtItsGateReturnsBeforeTheTaskEnds(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Acting)
	records[0].(*model.Plan).Via = model.Via{Command: "bosh recreate cell/$MOORING_CELL"}
	roll := records[3].(*model.Roll)
	roll.Start, roll.AtGate = "before", convergeNow
	snap := state.SnapshotOf(records...)
	txns, _ := decide(snap, convergeNow, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	g.Expect(snap.Roll("p", "c1").Acted).To(BeTrue())
}

func TestATaskThatDidNotComeToEveryCellIsNotDone(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(group(model.RollDone, model.Queued, model.Settling)...)
	snap = snap.Apply(converged(snap, "p", nil, convergeNow))
	g.Expect(snap.Plan("p").Converging.Ended).To(Equal("BOSH is done and did not come to c2"))
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentPause))

	snap = state.SnapshotOf(group(model.RollDone, model.Settling)...)
	snap = snap.Apply(converged(snap, "p", nil, convergeNow))
	g.Expect(snap.Plan("p").Converging.Ended).To(Equal(model.ConvergingDone))
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentRun))
}

func TestAnAbortedPlanCancelsItsTaskOnceWhatBOSHHadBegunIsFinished(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Acting, model.Interrupting)
	plan := records[0].(*model.Plan)
	plan.Intent, plan.Reason, plan.Converging = model.IntentAbort, "not tonight", &model.Converging{}
	snap := state.SnapshotOf(records...)
	look := func() {
		for range 3 {
			txns, _ := decide(snap, convergeNow, model.Via{}, time.Time{})
			for _, tx := range txns {
				snap = snap.Apply(tx)
			}
		}
	}
	look()
	g.Expect(snap.Roll("p", "c2")).To(And(HaveField("Phase", model.RollAborted)), "it had not been handed over")
	g.Expect(wantsTask(snap, snap.Plan("p"))).To(BeTrue(), "c1 is in BOSH's hands, which is followed")
	g.Expect(wantsNoTask(snap, snap.Plan("p"))).To(BeFalse())

	done := *snap.Roll("p", "c1")
	done.Phase = model.RollDone
	tx := snap.Txn()
	tx.Put(&done)
	snap = snap.Apply(tx)
	look()
	g.Expect(wantsTask(snap, snap.Plan("p"))).To(BeFalse())
	g.Expect(wantsNoTask(snap, snap.Plan("p"))).To(BeTrue())
	g.Expect(snap.Plan("p").Finished()).To(BeFalse(), "while its task may still come to cells")

	snap = snap.Apply(converging(snap, "p", "the Director does not answer"))
	g.Expect(blockedByDirector(snap.Plan("p"), convergeNow)).To(HaveField("What", Equal("plan p is aborted, and its task of BOSH cannot be cancelled: the Director does not answer")))

	snap = snap.Apply(withdrawn(snap, "p", nil, convergeNow))
	g.Expect(withdrawn(snap, "p", nil, convergeNow)).To(BeNil(), "it is on record")
	look()
	g.Expect(snap.Plan("p").Status).To(Equal(model.PlanAborted))
}

func TestAHostThatTheTaskDidNotComeToAfterItHadLeaveIsBackInLine(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(group(model.Acting)...)
	snap = snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as cancelled"), convergeNow))
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentPause))
	txns, _ := decide(snap, convergeNow, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Queued), HaveField("Error", "")))
}

// BOSH has come to none of the cells yet, and may take hours to.
func TestWhatAPolicyForbidsIsFlaggedBeforeBOSHComesToIt(t *testing.T) {
	g := NewWithT(t)
	name := model.Name{Org: "acme", Space: "prod", Name: "legacy"}
	records := append(group(model.Queued, model.Queued),
		&model.App{GUID: "legacy", Name: name, Owner: "team-legacy", Instances: 1, Policy: model.Policy{MaxInterrupted: model.Limit{}}},
		&model.VolumeSet{GUID: "set", Name: name, AppGUID: "legacy", Class: model.ClassPersistent, Survives: model.Recreate, Count: 1},
		&model.Volume{GUID: "v", SetGUID: "set", Class: model.ClassPersistent, AZ: "z1", CellID: "c2", Mounted: true},
		&model.Instance{AppGUID: "legacy", Placement: model.Placement{GUID: "i", CellID: "c2"}, Volumes: []string{"v"}},
		&model.ActualInstance{AppGUID: "legacy", CellID: "c2", GUID: "i", State: model.Serving})
	snap := state.SnapshotOf(records...)
	txns, _ := decide(snap, convergeNow, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	g.Expect(snap.StuckItem("p.c2.policy-forbids")).To(And(HaveField("Owner", "team-legacy"), HaveField("CellID", "c2")))
	g.Expect(snap.StuckItems()).To(HaveLen(1))
	g.Expect(snap.Roll("p", "c1").StuckID).To(BeEmpty())
}
