package orchestrator

import (
	"slices"

	"mooring/model"
)

// blockedBy lists the cells that wait for an alert about a cell ("" for none)
// to close: its own, and those in the queue, of any plan, that need the budget
// of the apps it concerns.
func (d *decision) blockedBy(cellID string, apps ...string) []string {
	var blocked []string
	if cellID != "" {
		blocked = append(blocked, cellID)
	}
	on := map[string]bool{}
	for _, app := range apps {
		for _, inst := range d.snap.InstancesOf(app) {
			on[inst.CellID] = true
		}
	}
	for _, plan := range d.snap.Plans() {
		if plan.Finished() {
			continue
		}
		for _, cell := range plan.Order {
			roll := d.snap.Roll(plan.Name, cell)
			if on[cell] && !slices.Contains(blocked, cell) && roll != nil && roll.Phase == model.Queued {
				blocked = append(blocked, cell)
			}
		}
	}
	return blocked
}

// heldBack lists the queued cells of a plan that wait for one of its rolls that
// is stuck because of what the plan itself says: nothing starts beside a canary,
// and what is stuck after its host was touched goes on counting against the
// ceiling.
func (d *decision) heldBack(plan *model.Plan, stuck *model.Roll) []string {
	var queued []string
	done, holding := 0, 0
	for _, cell := range plan.Order {
		roll := d.snap.Roll(plan.Name, cell)
		if cell == stuck.CellID {
			roll = stuck // as this look has it
		}
		switch {
		case roll == nil:
		case roll.Phase == model.RollDone:
			done++
		case roll.Phase.Final():
		case roll.CellID != stuck.CellID && roll.Phase == model.Queued && roll.StuckID == "":
			queued = append(queued, cell)
		case !roll.Phase.BeforeHost() && (roll.StuckID != "" || roll == stuck):
			holding++
		}
	}
	ceiling := len(plan.Order)
	if !plan.MaxInFlight.Never() {
		ceiling = plan.MaxInFlight.Of(len(plan.Order))
	}
	if oneAtATime(plan) {
		ceiling = 1
	}
	if done < plan.Canaries || holding > 0 && holding >= ceiling && !stuck.Phase.BeforeHost() {
		return queued
	}
	return nil
}

// oneAtATime reports whether BOSH takes the hosts of a plan one after another.
func oneAtATime(plan *model.Plan) bool {
	return plan.Via.Bosh != nil && !plan.WholeGroup() || plan.Converging != nil && !plan.Converges()
}

// union appends to one list of cells what another has besides.
func union(cells, more []string) []string {
	for _, cell := range more {
		if !slices.Contains(cells, cell) {
			cells = append(cells, cell)
		}
	}
	return cells
}
