package orchestrator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// newPlan makes the plan that a spec asks for, with its cells in the order in
// which they get their turn. It refuses a spec that chooses no cells or names
// one that does not exist.
func newPlan(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*model.Plan, error) {
	cells, err := selectCells(snap, spec.Cells)
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
	plan.Order = order
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

// selectCells gives the cells that a selector chooses, by ID. A cell named by
// its ID must exist.
func selectCells(snap *state.Snapshot, selector model.Selector) ([]*model.Cell, error) {
	for _, id := range selector.IDs {
		if cell := snap.Cell(id); cell == nil || cell.Lost {
			return nil, fmt.Errorf("there is no cell %q; see moor cells", id)
		}
	}
	var chosen []*model.Cell
	for _, cell := range snap.Cells() {
		switch {
		case cell.Lost:
		case len(selector.IDs) > 0 && !slices.Contains(selector.IDs, cell.ID):
		case selector.Pool != "" && !samePool(selector.Pool, cell.Pool):
		case len(selector.AZ) > 0 && !slices.Contains(selector.AZ, cell.AZ):
		default:
			chosen = append(chosen, cell)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("it names no cell; see moor cells")
	}
	return chosen, nil
}
