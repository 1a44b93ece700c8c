package orchestrator

import (
	"fmt"
	"slices"
	"time"

	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// newPlan makes the plan that a spec asks for, with its cells in the order in
// which they get their turn, and how strictly that order is kept. It refuses a spec that chooses no cells or names
// one that does not exist.
func newPlan(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*model.Plan, error) {
	cells, err := spec.Cells.Choose(snap.Cells())
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", spec.Name, err)
	}
	plan := &model.Plan{PlanSpec: spec, Intent: model.IntentRun, Status: model.PlanRunning, CreatedAt: now}
	for _, cell := range cells {
		plan.Order = append(plan.Order, cell.ID)
	}
	d := newForesight(snap, now)
	s := d.surveyOf(plan, plannedRolls(plan))
	best := sequence.Order(&s.problem)
	order := make([]string, 0, len(plan.Order))
	for _, cell := range best.Order {
		order = append(order, s.problem.Cells[cell].ID)
	}
	for _, cell := range plan.Order { // those that can never be rolled come last
		if !slices.Contains(order, cell) {
			order = append(order, cell)
		}
	}
	plan.Order, plan.Greedy = order, best.Mode == sequence.Greedy
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
