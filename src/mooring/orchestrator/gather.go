package orchestrator

import (
	"time"

	"mooring/model"
	"mooring/sequence"
)

// Cells that BOSH comes to get their turn in the order of one plan. Where
// nobody made that plan beforehand, it is ordered when they have come.

// gatherFor is how long the first cell at its gate waits for others that BOSH
// comes to at the same time: its threads do not arrive all at once, and who
// starts first is the planner's to say.
const gatherFor = time.Second

// gatheringStill reports whether the cells of a plan are still coming to their
// gates.
func (d *decision) gatheringStill(plan *model.Plan) bool {
	if plan.Gathers == nil && !plan.Converges() {
		return false
	}
	var first time.Time
	for _, roll := range d.snap.Rolls(plan.Name) {
		if roll.Phase == model.Queued && roll.StuckID == "" && !roll.AtGate.IsZero() && (first.IsZero() || d.seen(roll.AtGate).Before(first)) {
			first = d.seen(roll.AtGate)
		}
	}
	return !first.IsZero() && !d.lookAt(first.Add(gatherFor))
}

// orderAnew gives the cells that have come to a gathering plan their places:
// all that are not over are ordered as if the plan were made now. It reports
// whether it did.
func (d *decision) orderAnew(plan *model.Plan) bool {
	if plan.Gathers == nil {
		return false
	}
	var order []string
	var rolls []*model.Roll
	arrived := false
	for _, cell := range plan.Order {
		switch roll := d.snap.Roll(plan.Name, cell); {
		case roll == nil:
		case roll.Phase.Final():
			order = append(order, cell)
		default:
			rolls = append(rolls, roll)
			arrived = arrived || roll.Order == model.NoOrder
		}
	}
	if !arrived {
		return false
	}
	next := *plan
	line, greedy := d.ordered(plan, rolls, nil)
	next.Order, next.Greedy = append(order, line...), greedy
	tx := d.snap.Txn()
	tx.Put(&next)
	for i, cell := range next.Order {
		if roll := d.snap.Roll(plan.Name, cell); roll.Order != i {
			placed := *roll
			placed.Order = i
			tx.Put(&placed)
		}
	}
	d.add(tx)
	return true
}

// ordered gives the cells of rolls in the order in which they get their turn,
// and whether any that fits may pass others. Those that can never be rolled
// come last. The order is bettered for as long as more says; nil for not at
// all.
func (d *decision) ordered(plan *model.Plan, rolls []*model.Roll, more func() bool) (order []string, greedy bool) {
	ahead := newForesight(d.snap, d.now)
	ahead.known = d.durations()
	s := ahead.surveyOf(plan, rolls)
	best := sequence.Order(&s.problem)
	if more != nil {
		best = sequence.Improve(&s.problem, best, more)
	}
	placed := make([]bool, len(rolls)) // the problem has a cell for each roll
	for _, cell := range best.Order {
		placed[cell] = true
		order = append(order, rolls[cell].CellID)
	}
	for cell, roll := range rolls {
		if !placed[cell] {
			order = append(order, roll.CellID)
		}
	}
	return order, best.Mode == sequence.Greedy
}
