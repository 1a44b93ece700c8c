package api

import (
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
	tx, view := decideLeave(snap, "c1", client.Leave{Action: action, Asking: "me"}, gateNow)
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

func TestACellThatNobodyPlannedToRollGetsAPlanOfItsOwn(t *testing.T) {
	g := NewWithT(t)
	snap, view := asks(hostWith(), model.Recreate)
	g.Expect(view).To(Equal(&client.GateView{CellID: "c1", Plan: "gate-c1-0a1b2c3d", Phase: model.Queued, Covers: true}))
	plan := snap.Plan("gate-c1-0a1b2c3d")
	g.Expect(plan.PlanSpec.Validate()).To(Succeed())
	g.Expect(plan).To(And(HaveField("Reason", "bosh"), HaveField("Via.Wait", true), HaveField("Action", model.Recreate), HaveField("Order", []string{"c1"})))

	again, view := asks(snap, model.Recreate)
	g.Expect(again).To(BeIdenticalTo(snap), "asking again changes nothing")
	g.Expect(view.Plan).To(Equal(plan.Name))

	done := *plan
	done.Status = model.PlanDone
	tx := snap.Txn()
	tx.Put(&done)
	_, view = asks(snap.Apply(tx), model.Recreate)
	g.Expect(view.Plan).To(Equal("gate-c1-0a1b2c3d-2"))
}

func TestTheLongestCellIDLeavesRoomInThePlansName(t *testing.T) {
	cell := &model.Cell{ID: "cell-" + string(make([]byte, 0, 58)), Boot: "-"}
	for len(cell.ID) < 63 {
		cell.ID += "a"
	}
	_, view := gatePlan(state.SnapshotOf(cell), cell, model.Restart, gateNow, &client.GateView{})
	spec := model.PlanSpec{Name: view.Plan, Action: model.Restart, Cells: model.Selector{All: true}}
	NewWithT(t).Expect(spec.Validate()).To(Succeed())
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

func TestAGatePlanMakesWayForOneThatCoversMore(t *testing.T) {
	g := NewWithT(t)
	snap, _ := asks(hostWith(), model.Restart)
	snap, view := asks(snap, model.Retire)
	g.Expect(view).To(And(HaveField("Covers", false), HaveField("Open", false)))
	g.Expect(snap.Plan(view.Plan).Intent).To(Equal(model.IntentAbort))
	again, _ := asks(snap, model.Retire)
	g.Expect(again).To(BeIdenticalTo(snap), "until it has ended")
}

func TestACellThatDidNotSettleMayBeActedOnAgain(t *testing.T) {
	g := NewWithT(t)
	records := rolls("gate-c1", model.Restart, model.Settling, gateActor)
	records[1].(*model.Roll).StuckID = "s1"
	snap, view := asks(hostWith(records...), model.Restart)
	g.Expect(view.Covers).To(BeFalse())
	g.Expect(snap.Plan("gate-c1").Intent).To(Equal(model.IntentAbort))
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
		NewWithT(t).Expect(returning(hostWith(rolls("p", model.Recreate, phase, "olga")...), "c1").Open).To(Equal(open), string(phase))
	}
	NewWithT(t).Expect(returning(state.SnapshotOf(), "c1").Open).To(BeTrue())
}

func TestAnOpeningByHandIsKeptAndEndsTheGatesOwnPlan(t *testing.T) {
	g := NewWithT(t)
	snap, view := asks(hostWith(), model.Restart)
	opened := client.GateOpened{Reason: "INC-1", By: "olga", At: gateNow, Overridden: "queued"}
	tx := decideOpened(snap, "c1", opened, gateNow)
	g.Expect(tx.Events()).To(ConsistOf(And(HaveField("Kind", "gate.opened"), HaveField("Actor", "olga"), HaveField("Reason", "INC-1"), HaveField("CellID", "c1"), HaveField("Text", ContainSubstring("queued")))))
	snap = snap.Apply(tx)
	g.Expect(snap.Plan(view.Plan).Intent).To(Equal(model.IntentAbort))

	planned := hostWith(rolls("p", model.Recreate, model.Queued, "olga")...)
	planned = planned.Apply(decideOpened(planned, "c1", opened, gateNow))
	g.Expect(planned.Plan("p").Intent).To(Equal(model.IntentRun), "an operator's plan is the operator's")
}

func TestTheGateOverTheAPI(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	view, err := f.AskLeave(t.Context(), "c1", client.Leave{Action: model.Restart})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(view.Covers).To(BeTrue())
	g.Expect(f.Returning(t.Context(), "c1")).To(HaveField("Open", true))
	opened := client.GateOpened{Reason: "INC-1", By: "olga", At: gateNow}
	g.Expect(f.GateOpened(t.Context(), "c1", opened)).To(Succeed())
	g.Expect(f.GateOpened(t.Context(), "c1", opened)).To(Succeed())
	events, err := f.Events(t.Context(), client.EventQuery{CellID: "c1"})
	g.Expect(err).NotTo(HaveOccurred())
	told := 0
	for _, event := range events {
		if event.Kind == "gate.opened" {
			told++
		}
	}
	g.Expect(told).To(Equal(1), "an opening is told once")
}
