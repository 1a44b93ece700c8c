package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// gather puts a cell that BOSH wants to stop, and nobody planned to, into the
// plan of those that BOSH wants to stop in the same way at the same time. The
// first of them makes it.
func gather(snap *state.Snapshot, cell *model.Cell, leave client.Leave, now time.Time, view *client.GateView) (*state.Txn, *client.GateView) {
	plan := &model.Plan{
		PlanSpec: model.PlanSpec{
			Name: gatherName(snap, leave, now), Action: leave.Action, Via: model.Via{Wait: true}, OnStuck: model.StuckHold,
		},
		Intent: model.IntentRun, Reason: "bosh", Status: model.PlanRunning,
		CreatedAt: now, CreatedBy: gateActor, Gathers: &model.Gathering{Deployment: leave.Deployment},
	}
	if open := gathering(snap, cell.ID, leave); open != nil {
		joined := *open
		plan = &joined
	}
	plan.Order = append(slices.Clone(plan.Order), cell.ID)
	plan.Cells.IDs = append(slices.Clone(plan.Cells.IDs), cell.ID)
	roll := &model.Roll{
		Plan: plan.Name, CellID: cell.ID, Order: model.NoOrder, Action: leave.Action, Phase: model.Queued,
		AtGate: now, Asking: leave.Asking, Deployment: leave.Deployment, DeletesAll: leave.DeletesAll,
		Timeline: []model.Entry{{Phase: model.Queued, At: now}},
	}
	view.Plan, view.Phase, view.Covers = plan.Name, model.Queued, true
	tx := snap.Txn()
	tx.Put(plan)
	tx.Put(roll)
	// Nobody else may have planned for the cell, or made the plan to join.
	tx.RequireUnder(model.TablePlans)
	if len(plan.Order) == 1 {
		tx.Event(model.Event{At: now, Kind: model.EventPlanStarted, Actor: gateActor, Plan: plan.Name, Reason: plan.Reason,
			Text: fmt.Sprintf("plan %s gathers the cells that BOSH asks leave to %s", plan.Name, leave.Action)})
	}
	tx.Event(model.Event{At: now, Kind: model.EventGateAsked, Actor: gateActor, Plan: plan.Name, CellID: cell.ID, Entry: &roll.Timeline[0],
		Text: fmt.Sprintf("cell %s: BOSH asks for leave to %s it", cell.ID, leave.Action)})
	return tx, view
}

// gathering gives the plan that a cell can join, nil when there is none. One
// that had the cell before is not it: BOSH has come round again.
func gathering(snap *state.Snapshot, cellID string, leave client.Leave) *model.Plan {
	for _, plan := range snap.Plans() {
		if plan.Gathers != nil && !plan.Finished() && plan.Intent != model.IntentAbort &&
			plan.Gathers.Deployment == leave.Deployment && plan.Action == leave.Action && !slices.Contains(plan.Order, cellID) {
			return plan
		}
	}
	return nil
}

// gatherName names a plan after what BOSH does, to what and when. The longest
// name of a deployment is cut to what leaves room for the rest.
func gatherName(snap *state.Snapshot, leave client.Leave, now time.Time) string {
	deployment := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, leave.Deployment)
	if deployment != "" {
		deployment = fmt.Sprintf("%.24s-", deployment)
	}
	base := fmt.Sprintf("gate-%s%s-%s", deployment, leave.Action, now.UTC().Format("0102-150405"))
	name := base
	for n := 2; snap.Plan(name) != nil; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}
