package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mooring/estimate"
	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// A plan starts in the first order that is complete, and is bettered while its
// first cells roll. Nothing but the order comes of it, so whoever is killed
// meanwhile has lost nothing but time.

// improvable reports whether a plan's order may be bettered: it decides what
// comes next, the first have begun, and there is something to choose among the
// others.
func improvable(snap *state.Snapshot, plan *model.Plan) bool {
	if !orderDecides(plan) {
		return false
	}
	begun, queued := 0, 0
	for _, roll := range snap.Rolls(plan.Name) {
		if roll.Phase == model.Queued {
			queued++
		} else {
			begun++
		}
	}
	return begun > 0 && queued > 1
}

// orderDecides reports whether cells get their turn by the order of a plan:
// not while it stands still, nor where BOSH comes to them in an order of its
// own.
func orderDecides(plan *model.Plan) bool {
	return plan.Status == model.PlanRunning && plan.Intent == model.IntentRun && plan.Gathers == nil && !plan.Converges()
}

// reorder is a better order of what a plan has not begun.
type reorder struct {
	from   *model.Plan // as it was
	queued []string    // the cells that had not begun, in their new order
	greedy bool
	// Of what is left of the plan: how long it takes, on average over how it
	// may go.
	before, after time.Duration
}

// worth is the least part of what is left that a new order has to save: less
// is not worth writing to every roll.
const worth = 200

// seek looks for a better order of what a plan has not begun for as long as
// more says, which it asks between steps; nil when it found none.
func seek(snap *state.Snapshot, plan *model.Plan, now time.Time, more func() bool) *reorder {
	d := newForesight(snap, now)
	d.since = plan.CreatedAt
	var rolls []*model.Roll
	for _, cell := range plan.Order {
		if roll := snap.Roll(plan.Name, cell); roll != nil {
			rolls = append(rolls, roll)
		}
	}
	s := d.surveyOf(plan, rolls)
	d.beside(s, plan.Name)
	turns := s.turns()
	better := sequence.Improve(&s.problem, turns, more)
	found := &reorder{from: plan, greedy: better.Mode == sequence.Greedy}
	found.before, found.after = s.compare(turns, better)
	if found.after > found.before-found.before/worth {
		return nil
	}
	placed := make([]bool, len(rolls))
	place := func(cell int) {
		if !placed[cell] && rolls[cell].Phase == model.Queued {
			found.queued = append(found.queued, rolls[cell].CellID)
		}
		placed[cell] = true
	}
	for _, cell := range better.Order {
		place(cell)
	}
	for cell := range rolls {
		place(cell) // those that can never be rolled
	}
	return found
}

// until gives more, nil when that is nil, and notes in cut when it says no.
func until(more func() bool, cut *bool) func() bool {
	if more == nil {
		return nil
	}
	return func() bool {
		*cut = *cut || !more()
		return !*cut
	}
}

// Two plans are compared on what is expected and in so many draws of how it may
// go; comparedUses bounds the uses of budgets that are simulated for it.
const (
	comparedDraws = 8
	comparedUses  = 1_000_000
)

// compare gives what two plans take on average.
func (s *survey) compare(one, other *sequence.Plan) (first, second time.Duration) {
	ways := s.draw(0)[:min(comparedDraws, max(1, comparedUses/max(1, s.uses())))]
	first, second = sequence.Simulate(&s.problem, one, nil).Makespan, sequence.Simulate(&s.problem, other, nil).Makespan
	for _, way := range ways {
		problem := s.spend(way, estimate.Spell.GivenBack)
		first += sequence.Simulate(problem, one, way.durations).Makespan
		second += sequence.Simulate(problem, other, way.durations).Makespan
	}
	n := time.Duration(len(ways) + 1)
	return first / n, second / n
}

// swap gives the transaction that puts the better order in place, nil when the
// plan has gone another way meanwhile or nothing would change. What has begun
// since keeps its place.
func (r *reorder) swap(snap *state.Snapshot, now time.Time) *state.Txn {
	plan := snap.Plan(r.from.Name)
	if plan == nil || !orderDecides(plan) || !plan.CreatedAt.Equal(r.from.CreatedAt) ||
		plan.Greedy != r.from.Greedy || !slices.Equal(plan.Order, r.from.Order) {
		return nil
	}
	rank := map[string]int{} // 0 for what has come back to the queue since
	for i, cell := range r.queued {
		rank[cell] = i + 1
	}
	var free []int
	var queued []string
	rolls := map[string]*model.Roll{}
	for i, cell := range plan.Order {
		if roll := snap.Roll(plan.Name, cell); roll != nil && roll.Phase == model.Queued {
			free, queued = append(free, i), append(queued, cell)
			rolls[cell] = roll
		}
	}
	slices.SortStableFunc(queued, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	next := *plan
	next.Order, next.Greedy = slices.Clone(plan.Order), r.greedy
	tx := snap.Txn()
	for i, cell := range queued {
		next.Order[free[i]] = cell
		if roll := rolls[cell]; roll.Order != free[i] {
			placed := *roll
			placed.Order = free[i]
			tx.Put(&placed)
		}
	}
	if tx.Empty() && next.Greedy == plan.Greedy {
		return nil
	}
	tx.Put(&next)
	tx.Event(model.Event{At: now, Kind: model.EventPlanReordered, Actor: actor, Plan: plan.Name, Text: fmt.Sprintf(
		"plan %s: the %d cells that have not begun have a better order: what is left takes %s instead of %s",
		plan.Name, len(queued), rounded(r.after), rounded(r.before))})
	return tx
}
