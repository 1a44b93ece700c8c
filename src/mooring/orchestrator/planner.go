package orchestrator

import (
	"fmt"
	"time"

	"mooring/model"
	"mooring/state"
)

// newPlan makes the plan that a spec asks for, with its cells in the order in
// which they get their turn, and how strictly that order is kept. It refuses a
// spec that chooses no cells or names one that does not exist.
func newPlan(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*model.Plan, error) {
	return newPlanWithin(snap, spec, now, nil)
}

// newPlanWithin is newPlan with an order that is bettered for as long as more
// says; nil for not at all.
func newPlanWithin(snap *state.Snapshot, spec model.PlanSpec, now time.Time, more func() bool) (*model.Plan, error) {
	cells, err := spec.Cells.Choose(snap.Cells())
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", spec.Name, err)
	}
	plan := &model.Plan{PlanSpec: spec, Intent: model.IntentRun, Status: model.PlanRunning, CreatedAt: now}
	for _, cell := range cells {
		plan.Order = append(plan.Order, cell.ID)
	}
	plan.Order, plan.Greedy = newForesight(snap, now).ordered(plan, plannedRolls(plan), more)
	return plan, nil
}

// plannedRolls gives the rolls of a plan as they will be at its beginning.
func plannedRolls(plan *model.Plan) []*model.Roll {
	rolls := make([]*model.Roll, len(plan.Order))
	for i, cell := range plan.Order {
		rolls[i] = &model.Roll{Plan: plan.Name, CellID: cell, Order: i, Action: plan.Action, Phase: model.Queued}
	}
	return rolls
}
