package api

import (
	"fmt"
	"slices"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// decideLeave says whether a host may be acted on and, where that takes a roll
// and there is none, makes it. It is pure.
//
// The roll that opens the gate is any of the cell, whoever planned it, whose
// action destroys at least as much as the one asked for: what would be lost
// has then been handed over.
func decideLeave(snap *state.Snapshot, cellID string, leave client.Leave, now time.Time) (*state.Txn, *client.GateView) {
	view := &client.GateView{CellID: cellID}
	cell := snap.Cell(cellID)
	if cell == nil || cell.Lost {
		view.Open = true
		view.Why = "the control plane has no such cell, so nothing of its runs there"
		return nil, view
	}
	plan, roll := rollOf(snap, cellID)
	if plan != nil && plan.AboutToConverge() {
		view.Plan, view.Phase = plan.Name, roll.Phase
		view.Why = fmt.Sprintf("plan %s is about to have BOSH act on the cell; whether this is its task shows in a moment", plan.Name)
		return nil, view
	}
	if plan == nil {
		if view.Refused = turnedAway(snap, cellID, leave); view.Refused != "" {
			return nil, view
		}
		return gather(snap, cell, leave, now, view)
	}
	view.Plan, view.Phase = plan.Name, roll.Phase
	enough := roll.Action.Rank() >= leave.Action.Rank()
	gone := !snap.Present(cellID)
	switch phase := roll.Phase; {
	case enough && (phase == model.Acting && !roll.Acted || phase == model.Returning && gone):
		view.Open, view.Covers = true, true
	case enough && phase.BeforeHost():
		view.Covers = plan.Intent != model.IntentAbort
	case plan.Gathers != nil && (phase.BeforeHost() || roll.StuckID != ""):
		// BOSH now wants to destroy more, or acts once more on a cell that did
		// not come back well: the next asking finds the cell without a roll.
		view.Why = fmt.Sprintf("the roll in plan %s makes way for one that covers a %s", plan.Name, leave.Action)
		if roll.Refused != "" {
			return nil, view
		}
		tx := snap.Txn()
		tx.Put(withdrawn(roll, "BOSH asks for a "+string(leave.Action)+" now"))
		return tx, view
	case !enough:
		view.Why = fmt.Sprintf("plan %s takes the cell through a %s, which does not cover a %s; it has to end first: finish it, or moor abort %s", plan.Name, roll.Action, leave.Action, plan.Name)
	default:
		view.Why = fmt.Sprintf("plan %s has acted on the host already and the cell has not settled since", plan.Name)
	}
	if !view.Covers || snap.Roll(plan.Name, cellID) == nil {
		return nil, view
	}
	if roll.Asking == leave.Asking && (roll.Refused != "" || !roll.AtGate.IsZero()) {
		view.Refused = roll.Refused
		return nil, view
	}
	return arrive(snap, roll, leave, now), view
}

// arrive writes down who stands at the gate for a roll.
func arrive(snap *state.Snapshot, roll *model.Roll, leave client.Leave, now time.Time) *state.Txn {
	arrived := *roll
	arrived.AtGate, arrived.Asking, arrived.Refused = now, leave.Asking, ""
	arrived.Deployment, arrived.DeletesAll = leave.Deployment, leave.DeletesAll
	tx := snap.Txn()
	tx.Put(&arrived)
	tx.Event(model.Event{At: now, Kind: model.EventGateAsked, Actor: gateActor, CellID: roll.CellID, Plan: roll.Plan,
		Text: fmt.Sprintf("cell %s: BOSH asks for leave to %s it", roll.CellID, leave.Action)})
	return tx
}

// withdrawn is a roll of the gate's own that nobody stands at the gate for any
// more. The orchestrator ends it.
func withdrawn(roll *model.Roll, why string) *model.Roll {
	next := *roll
	next.Refused = why
	return &next
}

// rollOf gives the unfinished roll of a cell and its plan, nil when it has
// none. A roll that the orchestrator has not written yet is queued. The roll of
// a plan whose own task of BOSH has yet to begin is not it: whatever BOSH does
// to the cell until then is somebody else's doing.
func rollOf(snap *state.Snapshot, cellID string) (of *model.Plan, found *model.Roll) {
	for _, plan := range snap.Plans() {
		if plan.Finished() || !slices.Contains(plan.Order, cellID) {
			continue
		}
		roll := snap.Roll(plan.Name, cellID)
		if roll == nil {
			roll = &model.Roll{Plan: plan.Name, CellID: cellID, Action: plan.Action, Phase: model.Queued}
		}
		switch {
		case roll.Phase.Final() || yetToBegin(plan):
		case !roll.AtGate.IsZero():
			return plan, roll // it is the one that BOSH waits for
		case found == nil:
			of, found = plan, roll
		}
	}
	return of, found
}

// yetToBegin reports whether the one task of a plan waits to begin.
func yetToBegin(plan *model.Plan) bool {
	if !plan.Converges() {
		return false
	}
	if plan.AboutToConverge() {
		return plan.Intent != model.IntentRun
	}
	return plan.Converging.Waits != ""
}

// turnedAway says why the cell must not be stopped although nothing is planned
// for it, "" when it may get a roll of its own: who asks was told no before,
// or is the task of a plan that has given the cell up.
func turnedAway(snap *state.Snapshot, cellID string, leave client.Leave) string {
	for _, plan := range snap.Plans() {
		roll := snap.Roll(plan.Name, cellID)
		if roll == nil || roll.Phase != model.RollAborted && roll.Phase != model.RollSkipped {
			continue
		}
		if told := leave.Asking != "" && roll.Asking == leave.Asking; !told && !begun(plan, leave.Deployment) {
			continue
		}
		return fmt.Sprintf("its roll in plan %s was %s: %s", plan.Name, roll.Phase, roll.LastNote())
	}
	return ""
}

// begun reports whether BOSH works at the one task of a plan, on a deployment
// or on one that the cell does not name.
func begun(plan *model.Plan, deployment string) bool {
	return !plan.Finished() && plan.Converges() && !plan.AboutToConverge() && (plan.Converging.Waits == "" || plan.Intent == model.IntentAbort) &&
		(deployment == "" || deployment == plan.Via.Bosh.Deployment)
}
