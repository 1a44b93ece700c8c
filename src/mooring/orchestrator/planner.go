package orchestrator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// NewPlan makes the plan that a spec asks for, with the order in which its
// cells get their turn. It refuses a spec that makes no sense on this
// snapshot: no name, no such action, a window that never opens, no cells, or
// cells that an unfinished plan has already. Storing the plan starts it.
func NewPlan(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*model.Plan, error) {
	if err := checkSpec(spec); err != nil {
		return nil, err
	}
	if snap.Plan(spec.Name) != nil {
		return nil, fmt.Errorf("plan %s exists already; choose another name", spec.Name)
	}
	plan, err := newPlan(snap, spec, now)
	if err != nil {
		return nil, err
	}
	for _, other := range snap.Plans() {
		if other.Finished() {
			continue
		}
		for _, cell := range plan.Order {
			if roll := snap.Roll(other.Name, cell); roll != nil && !roll.Phase.Final() || roll == nil && slices.Contains(other.Order, cell) {
				return nil, fmt.Errorf("plan %s: cell %s still has its roll in plan %s; wait for that, or abort it", spec.Name, cell, other.Name)
			}
		}
	}
	return plan, nil
}

// newPlan orders the cells of a spec.
func newPlan(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*model.Plan, error) {
	cells, err := selectCells(snap, spec.Cells)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", spec.Name, err)
	}
	plan := &model.Plan{PlanSpec: spec, Intent: model.IntentRun, Status: model.PlanRunning, CreatedAt: now}
	for _, cell := range cells {
		plan.Order = append(plan.Order, cell.ID)
	}
	d := newDecision(snap, now, model.Via{})
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

func checkSpec(spec model.PlanSpec) error {
	var problems []error
	if strings.Trim(spec.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != "" || spec.Name == "" {
		problems = append(problems, fmt.Errorf("plan name %q: use letters, digits, '-', '_' and '.'", spec.Name))
	}
	if spec.Action.Rank() == 0 {
		problems = append(problems, fmt.Errorf("action %q is none of restart, reboot, recreate, retire", spec.Action))
	}
	if _, err := model.ParseWindow(spec.Window); err != nil {
		problems = append(problems, err)
	}
	if spec.Via.Command != "" && spec.Via.Wait {
		problems = append(problems, errors.New("via: choose command or wait, not both"))
	}
	if spec.Canaries < 0 {
		problems = append(problems, fmt.Errorf("canaries: %d is negative", spec.Canaries))
	}
	switch spec.OnStuck {
	case "", model.StuckHold, model.StuckSkip:
	default:
		problems = append(problems, fmt.Errorf("on_stuck %q is neither hold nor skip", spec.OnStuck))
	}
	return errors.Join(problems...)
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
