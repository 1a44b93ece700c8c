package api

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

var gateNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// asks lets BOSH ask for leave, and gives the answer and what became of it.
func asks(snap *state.Snapshot, action model.Action) (*state.Snapshot, *client.GateView) {
	tx, view := decideLeave(snap, "c1", client.Leave{Action: action, Asking: "me", Deployment: "mooring"}, gateNow)
	if tx != nil {
		snap = snap.Apply(tx)
	}
	return snap, view
}

func aHost(id string) *model.Cell { return &model.Cell{ID: id, Boot: "0a1b2c3d-4e5f"} }

func rolls(plan string, action model.Action, phase model.Phase, by string) []model.Record {
	return []model.Record{
		&model.Plan{PlanSpec: model.PlanSpec{Name: plan, Action: action}, Intent: model.IntentRun, Status: model.PlanRunning, CreatedBy: by, Order: []string{"c1"}},
		&model.Roll{Plan: plan, CellID: "c1", Action: action, Phase: phase},
	}
}

func hostWith(records ...model.Record) *state.Snapshot {
	return state.SnapshotOf(append(records, aHost("c1"), &model.Presence{CellID: "c1"})...)
}

func TestCellsThatNobodyPlannedToRollAreGatheredInOnePlan(t *testing.T) {
	g := NewWithT(t)
	snap, view := asks(hostWith(aHost("c2"), aHost("c3")), model.Recreate)
	const name = "gate-mooring-recreate-0301-120000"
	g.Expect(view).To(Equal(&client.GateView{CellID: "c1", Plan: name, Phase: model.Queued, Covers: true}))
	plan := snap.Plan(name)
	g.Expect(plan.PlanSpec.Validate()).To(Succeed())
	g.Expect(plan).To(And(HaveField("Reason", "bosh"), HaveField("Via.Wait", true), HaveField("Action", model.Recreate), HaveField("Order", []string{"c1"})))
	g.Expect(snap.Roll(name, "c1")).To(And(HaveField("AtGate", gateNow), HaveField("Asking", "me"), HaveField("Deployment", "mooring"), HaveField("Order", model.NoOrder)))

	again, view := asks(snap, model.Recreate)
	g.Expect(again).To(BeIdenticalTo(snap), "asking again changes nothing")
	g.Expect(view.Plan).To(Equal(name))

	another := func(snap *state.Snapshot, leave client.Leave) string {
		tx, view := decideLeave(snap, "c2", leave, gateNow)
		return snap.Apply(tx).Plan(view.Plan).Name
	}
	g.Expect(another(snap, client.Leave{Action: model.Recreate, Deployment: "mooring"})).To(Equal(name))
	g.Expect(another(snap, client.Leave{Action: model.Retire, Deployment: "mooring"})).To(Equal("gate-mooring-retire-0301-120000"), "another action is another plan")
	g.Expect(another(snap, client.Leave{Action: model.Recreate, Deployment: "other"})).To(Equal("gate-other-recreate-0301-120000"), "and so is another deployment")
	g.Expect(another(snap, client.Leave{Action: model.Recreate})).To(Equal("gate-recreate-0301-120000"))

	done := *snap.Roll(name, "c1")
	done.Phase = model.RollDone
	tx := snap.Txn()
	tx.Put(&done)
	_, view = asks(snap.Apply(tx), model.Recreate)
	g.Expect(view.Plan).To(Equal(name+"-2"), "a cell that BOSH comes to once more begins another")
}

// A roll that BOSH comes to knows whether all of its deployment goes, whoever
// planned it.
func TestGate_RemembersThatADeploymentIsDeleted(t *testing.T) {
	leave := client.Leave{Action: model.Retire, Asking: "me", Deployment: "mooring", DeletesAll: true}
	for _, planned := range [][]model.Record{nil, rolls("p", model.Retire, model.Queued, "olga")} {
		g := NewWithT(t)
		other := aHost("c2")
		other.Deployment = "mooring"
		snap := hostWith(append(planned, other)...)
		tx, view := decideLeave(snap, "c1", leave, gateNow)
		snap = snap.Apply(tx)
		g.Expect(snap.Roll(view.Plan, "c1").DeletesAll).To(BeTrue())
		g.Expect(snap.Leaving()).To(Equal(map[string]string{"c1": view.Plan, "c2": view.Plan}))
	}
}

func TestTheLongestNameOfADeploymentLeavesRoomInThePlansName(t *testing.T) {
	for _, deployment := range []string{strings.Repeat("mooring", 30), "µ o/ring"} {
		name := gatherName(state.SnapshotOf(), client.Leave{Action: model.Recreate, Deployment: deployment}, gateNow)
		spec := model.PlanSpec{Name: name + "-100", Action: model.Restart, Cells: model.Selector{All: true}}
		NewWithT(t).Expect(spec.Validate()).To(Succeed())
	}
}

func TestTheGateOpensWhenARollThatCoversTheActionIsActing(t *testing.T) {
	for _, row := range []struct {
		planned, asked model.Action
		phase          model.Phase
		covers, open   bool
	}{
		{model.Recreate, model.Recreate, model.Queued, true, false},
		{model.Recreate, model.Recreate, model.Interrupting, true, false},
		{model.Recreate, model.Recreate, model.Quiesced, true, false},
		{model.Recreate, model.Recreate, model.Acting, true, true},
		{model.Retire, model.Restart, model.Acting, true, true},
		{model.Restart, model.Recreate, model.Acting, false, false},
		{model.Restart, model.Recreate, model.Draining, false, false},
		{model.Recreate, model.Recreate, model.Returning, false, false},
		{model.Recreate, model.Recreate, model.Settling, false, false},
	} {
		g := NewWithT(t)
		_, view := asks(hostWith(rolls("p", row.planned, row.phase, "olga")...), row.asked)
		g.Expect(view).To(And(HaveField("Plan", "p"), HaveField("Covers", row.covers), HaveField("Open", row.open)), "%+v", row)
		g.Expect(view.Why == "").To(Equal(row.covers), "what does not cover says why: %+v", row)
	}
}

func TestAHostWhoseAgentIsDownWhileItsRollWaitsForItMayBeActedOn(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(append(rolls("p", model.Recreate, model.Returning, "olga"), aHost("c1"))...)
	_, view := asks(snap, model.Recreate)
	g.Expect(view.Open).To(BeTrue())
}

func TestTheRollKnowsWhenItsCellCameToTheGate(t *testing.T) {
	g := NewWithT(t)
	snap, _ := asks(hostWith(rolls("p", model.Recreate, model.Queued, "olga")...), model.Recreate)
	g.Expect(snap.Roll("p", "c1").AtGate).To(Equal(gateNow))
	again, _ := asks(snap, model.Recreate)
	g.Expect(again).To(BeIdenticalTo(snap))
}

func TestWhoIsTurnedAwayMayComeAgain(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.Queued, "olga")
	roll := records[1].(*model.Roll)
	roll.Asking, roll.Refused = "me", "BOSH task 7 was cancelled"
	snap, view := asks(hostWith(records...), model.Recreate)
	g.Expect(view.Refused).To(Equal("BOSH task 7 was cancelled"))
	_, view = decideLeave(snap, "c1", client.Leave{Action: model.Recreate, Asking: "another"}, gateNow)
	g.Expect(view.Refused).To(BeEmpty())
	tx, _ := decideLeave(snap, "c1", client.Leave{Action: model.Recreate, Asking: "another"}, gateNow)
	g.Expect(snap.Apply(tx).Roll("p", "c1")).To(And(HaveField("Refused", ""), HaveField("Asking", "another"), HaveField("AtGate", gateNow)))
}

func TestARollOfTheGateMakesWayForOneThatCoversMore(t *testing.T) {
	g := NewWithT(t)
	snap, _ := asks(hostWith(), model.Restart)
	snap, view := asks(snap, model.Retire)
	g.Expect(view).To(And(HaveField("Covers", false), HaveField("Open", false)))
	g.Expect(snap.Roll(view.Plan, "c1").Refused).To(Equal("BOSH asks for a retire now"))
	g.Expect(snap.Plan(view.Plan).Intent).To(Equal(model.IntentRun), "others stay in the plan")
	again, _ := asks(snap, model.Retire)
	g.Expect(again).To(BeIdenticalTo(snap), "until it has ended")
}

func TestACellThatDidNotSettleMayBeActedOnAgain(t *testing.T) {
	g := NewWithT(t)
	records := rolls("gate-c1", model.Restart, model.Settling, gateActor)
	records[0].(*model.Plan).Gathers = &model.Gathering{}
	records[1].(*model.Roll).StuckID = "s1"
	snap, view := asks(hostWith(records...), model.Restart)
	g.Expect(view.Covers).To(BeFalse())
	g.Expect(snap.Roll("gate-c1", "c1").Refused).NotTo(BeEmpty())
}

func TestWhoWasTurnedAwayIsToldSoAgain(t *testing.T) {
	g := NewWithT(t)
	snap, view := asks(hostWith(), model.Restart)
	ended := *snap.Roll(view.Plan, "c1")
	ended.Phase = model.RollAborted
	ended.Timeline = append(ended.Timeline, model.Entry{Phase: model.RollAborted, Note: "task 7 is being cancelled"})
	tx := snap.Txn()
	tx.Put(&ended)
	snap = snap.Apply(tx)
	_, again := asks(snap, model.Restart)
	g.Expect(again.Refused).To(Equal("its roll in plan " + view.Plan + " was aborted: task 7 is being cancelled"))
	_, later := decideLeave(snap, "c1", client.Leave{Action: model.Restart, Asking: "another"}, gateNow)
	g.Expect(later.Refused).To(BeEmpty(), "a later task of BOSH is another matter")
}

func TestTheTaskOfAPlanIsTurnedAwayWhereThePlanHasGivenUp(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.RollSkipped, "olga")
	plan := records[0].(*model.Plan)
	plan.Cells, plan.Via.Bosh = model.Selector{All: true}, &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}
	refused := func() string { _, view := asks(hostWith(records...), model.Recreate); return view.Refused }
	g.Expect(refused()).To(BeEmpty(), "its task has not begun, so this is somebody else's")
	plan.Converging = &model.Converging{}
	g.Expect(refused()).To(ContainSubstring("its roll in plan p was skipped"))
	plan.Via.Bosh.Deployment = "other"
	g.Expect(refused()).To(BeEmpty(), "another deployment is another task")
	plan.Via.Bosh.Deployment, plan.Status = "mooring", model.PlanAborted
	g.Expect(refused()).To(BeEmpty(), "the plan is over")
}

func TestWhatTheControlPlaneDoesNotKnowMayBeStopped(t *testing.T) {
	lost := aHost("c1")
	lost.Lost = true
	for _, snap := range []*state.Snapshot{state.SnapshotOf(), state.SnapshotOf(lost)} {
		_, view := asks(snap, model.Retire)
		NewWithT(t).Expect(view).To(And(HaveField("Open", true), HaveField("Why", Not(BeEmpty()))))
	}
}

func TestACellReturnsWhenItsRollIsOver(t *testing.T) {
	for phase, open := range map[model.Phase]bool{
		model.Queued: true, model.Draining: true, model.Acting: false, model.Returning: false, model.Settling: false, model.RollDone: true, model.RollSkipped: true,
	} {
		_, view := decideReturn(hostWith(rolls("p", model.Recreate, phase, "olga")...), "c1", "me", gateNow)
		NewWithT(t).Expect(view.Open).To(Equal(open), string(phase))
	}
	tx, view := decideReturn(state.SnapshotOf(), "c1", "me", gateNow)
	NewWithT(t).Expect(tx).To(BeNil())
	NewWithT(t).Expect(view.Open).To(BeTrue())
}

func TestGate_KnowsSinceWhenBOSHWaitsForTheCell(t *testing.T) {
	g := NewWithT(t)
	snap := hostWith(rolls("p", model.Recreate, model.Returning, "olga")...)
	tx, view := decideReturn(snap, "c1", "me", gateNow)
	g.Expect(view.Open).To(BeFalse())
	g.Expect(tx.Events()).To(ConsistOf(And(HaveField("Kind", model.EventGateReturned), HaveField("CellID", "c1"), HaveField("Plan", "p"))))
	snap = snap.Apply(tx)
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("BackAt", gateNow), HaveField("BackAsking", "me")))

	tx, view = decideReturn(snap, "c1", "me", gateNow.Add(time.Minute))
	g.Expect(tx).To(BeNil(), "it is on record")
	g.Expect(view.Open).To(BeFalse())
	tx, _ = decideReturn(snap, "c1", "another", gateNow.Add(time.Minute))
	g.Expect(snap.Apply(tx).Roll("p", "c1").BackAt).To(Equal(gateNow.Add(time.Minute)), "BOSH has come once more")

	for _, phase := range []model.Phase{model.Queued, model.Settling, model.RollDone} {
		tx, _ := decideReturn(hostWith(rolls("p", model.Recreate, phase, "olga")...), "c1", "me", gateNow)
		g.Expect(tx).To(BeNil(), string(phase))
	}
}

func TestGate_LetsGoWhoWaitsForAnAttemptThatIsOver(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.Acting, "olga")
	roll := records[1].(*model.Roll)
	roll.BackAsking = "me" // and BackAt is gone with the attempt
	snap := hostWith(records...)
	tx, view := decideReturn(snap, "c1", "me", gateNow)
	g.Expect(tx).To(BeNil())
	g.Expect(view).To(And(HaveField("Open", true), HaveField("Why", "plan p begins the recreate of the cell anew, so what came of it before is not waited for")))
	tx, view = decideReturn(snap, "c1", "another", gateNow)
	g.Expect(view.Open).To(BeFalse(), "who comes of the new attempt waits for it")
	g.Expect(snap.Apply(tx).Roll("p", "c1").BackAt).To(Equal(gateNow))
	g.Expect(returning(snap, "c1", "").Open).To(BeFalse(), "and so does who gives no name")
}

func TestGate_SaysThatTheHostWasOnlyRestarted(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.Returning, "olga")
	roll := records[1].(*model.Roll)
	roll.Boot, roll.Start, roll.StuckID = "0a1b2c3d-4e5f", "before", "p.c1.cell-not-returned"
	stuck := &model.Stuck{ID: roll.StuckID, Kind: model.NotReturned, Plan: "p", CellID: "c1", Owner: model.CloudOps,
		What: "cell c1 is not back from its recreate: it was restarted, not recreated", Answers: []model.Verb{model.Retry, model.Skip, model.Lost}}
	snap := state.SnapshotOf(append(records, aHost("c1"), &model.Presence{CellID: "c1", Boot: roll.Boot, Start: "after"}, stuck)...)
	g.Expect(gateLine(snap, "c1", gateNow)).To(Equal("plan p: returning: STUCK: cell c1 is not back from its recreate: it was restarted, not recreated; " +
		"cloud ops must see to it, or somebody answer: moor resolve p.c1.cell-not-returned retry|skip|lost --reason WHY"))
	calm := snap.Txn()
	calm.Delete(stuck)
	g.Expect(gateLine(snap.Apply(calm), "c1", gateNow)).To(Equal("plan p: returning: waits: the agent of cell c1 answers with the boot from before the recreate: the host was restarted, not recreated; cloud ops can help"))
}

func TestAnOpeningByHandIsKeptAndEndsTheGatesOwnPlan(t *testing.T) {
	g := NewWithT(t)
	snap, view := asks(hostWith(), model.Restart)
	opened := client.GateOpened{Reason: "INC-1", By: "olga", At: gateNow, Overridden: "queued"}
	tx, err := decideOpened(snap, "c1", opened, gateNow)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tx.Events()).To(ConsistOf(And(HaveField("Kind", model.EventGateOpened), HaveField("Actor", "olga"), HaveField("Reason", "INC-1"), HaveField("CellID", "c1"), HaveField("Text", ContainSubstring("queued")))))
	snap = snap.Apply(tx)
	g.Expect(snap.Roll(view.Plan, "c1").Refused).To(Equal("the gate was opened by hand: INC-1"))

	planned := hostWith(rolls("p", model.Recreate, model.Queued, "olga")...)
	tx, err = decideOpened(planned, "c1", opened, gateNow)
	g.Expect(err).NotTo(HaveOccurred())
	planned = planned.Apply(tx)
	g.Expect(planned.Roll("p", "c1").Refused).To(BeEmpty(), "an operator's plan is the operator's")
}

func TestGateEvents_OfACellThatThereIsNotAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	before, err := f.Events(t.Context(), client.EventQuery{})
	g.Expect(err).NotTo(HaveOccurred())
	err = f.GateOpened(t.Context(), "nowhere", client.GateOpened{Reason: "made up", By: "olga", At: gateNow})
	g.Expect(err).To(refusal(404, "there is no cell nowhere"))
	g.Expect(f.AskLeave(t.Context(), "nowhere", client.Leave{Action: model.Restart})).To(HaveField("Open", true))
	g.Expect(f.Returning(t.Context(), "nowhere", client.Return{Asking: "me"})).To(HaveField("Open", true))
	g.Expect(f.Events(t.Context(), client.EventQuery{})).To(HaveLen(len(before)), "nothing is written down of it")
}

func TestTheGateOverTheAPI(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	view, err := f.AskLeave(t.Context(), "c1", client.Leave{Action: model.Restart})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(view.Covers).To(BeTrue())
	g.Expect(f.Returning(t.Context(), "c1", client.Return{Asking: "me"})).To(HaveField("Open", true))
	opened := client.GateOpened{Reason: "INC-1", By: "olga", At: gateNow}
	g.Expect(f.GateOpened(t.Context(), "c1", opened)).To(Succeed())
	f.noise(t, 1100)
	_, err = f.Register(t.Context(), another(aCell("c1", "z1"), "boot-2", "start-2"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.GateOpened(t.Context(), "c1", opened)).To(Succeed())
	events, err := f.Events(t.Context(), client.EventQuery{CellID: "c1", Limit: 5000})
	g.Expect(err).NotTo(HaveOccurred())
	told := 0
	for _, event := range events {
		if event.Kind == "gate.opened" {
			told++
		}
	}
	g.Expect(told).To(Equal(1), "an opening is told once")
	opened.At = opened.At.Add(time.Millisecond)
	g.Expect(f.GateOpened(t.Context(), "c1", opened)).To(Succeed())
	g.Expect(f.Events(t.Context(), client.EventQuery{CellID: "c1", Limit: 1})).To(ConsistOf(HaveField("Kind", model.EventGateOpened)), "another is told as well")
}

func TestAPlanWhoseTaskHasNotBegunIsNotWhatBOSHComesFor(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.Queued, "olga")
	plan := records[0].(*model.Plan)
	plan.Cells, plan.Via.Bosh = model.Selector{All: true}, &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}
	_, view := asks(hostWith(records...), model.Restart)
	g.Expect(view).To(And(HaveField("Covers", false), HaveField("Why", ContainSubstring("about to have BOSH act"))), "it may be its task")
	plan.Converging = &model.Converging{Waits: "held by task 7"}
	_, view = asks(hostWith(records...), model.Restart)
	g.Expect(view.Plan).To(Equal("gate-mooring-restart-0301-120000"), "that is somebody else's task")
	plan.Converging = &model.Converging{}
	_, view = asks(hostWith(records...), model.Restart)
	g.Expect(view).To(And(HaveField("Plan", "p"), HaveField("Covers", true)))
}
