package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mooring/estimate"
	"mooring/model"
	"mooring/sequence"
)

// durations is what is known of how long things take, at this look.
func (d *decision) durations() *estimate.Known {
	if d.known == nil {
		d.known = estimate.New(d.snap.Durations, d.now, d.since)
	}
	return d.known
}

// sketch says what a roll is made of, once it has started and without the time
// it stands in line.
func (d *decision) sketch(roll *model.Roll) *estimate.Roll {
	sketch := d.durations().Roll(roll.Action)
	for _, o := range d.queuedOn(roll) {
		switch {
		case o.app == nil || o.leaving:
		case o.means.Replace:
			sketch.Replace()
		case o.means.Kind == model.Drain:
			sketch.Drain(o.app, limitOn(o.app, model.Drain))
		case o.means.Move:
			sketch.Move(o.app, limitOn(o.app, model.Interrupt))
		default:
			sketch.Interrupt(o.app)
		}
	}
	return sketch
}

// A plan is simulated in so many draws at most, and in fewer when it is large:
// simulatedUses bounds the uses of budgets that are simulated in all, which
// takes about a second. Fewer than fewestDraws would say nothing of a range.
const (
	mostDraws     = 256
	simulatedUses = 4_000_000
	fewestDraws   = 8
)

// foresight is when a plan may end.
type foresight struct {
	ends estimate.Range
	// typical is how long each cell takes where the plan takes about as long
	// as it does one time in two.
	typical []time.Duration
	// certain is the problem for a lower bound: of what leaves its cell no more
	// is counted than it takes in that case.
	certain *sequence.Problem
}

// foresee simulates a plan as it may go.
func (s *survey) foresee(plan *sequence.Plan) foresight {
	draws := min(mostDraws, max(fewestDraws, simulatedUses/max(1, s.uses())))
	var ends []time.Duration
	var ways [][]time.Duration
	for round := 0; len(ends) < draws; round++ {
		for _, way := range s.draw(round)[:min(estimate.Draws, draws-len(ends))] {
			problem := s.spend(way, estimate.Spell.GivenBack)
			ways = append(ways, way.durations)
			ends = append(ends, sequence.Simulate(problem, plan, way.durations).Makespan)
		}
	}
	byEnd := make([]int, len(ends))
	for i := range byEnd {
		byEnd[i] = i
	}
	slices.SortStableFunc(byEnd, func(a, b int) int { return cmp.Compare(ends[a], ends[b]) })
	typical := byEnd[(len(byEnd)-1)/2]
	f := foresight{ends: estimate.RangeOf(ends), typical: ways[typical], certain: &s.problem}
	if len(s.spells) > 0 {
		f.certain = s.spend(s.draw(typical / estimate.Draws)[typical%estimate.Draws], estimate.Spell.Spent)
	}
	return f
}

// uses counts the cells and what each spends: what a simulation costs.
func (s *survey) uses() int {
	uses := len(s.problem.Cells)
	for i := range s.problem.Cells {
		uses += len(s.problem.Cells[i].Uses)
	}
	return uses
}

// way is one way a plan may go: how long each cell takes and, of cells that
// something leaves, how that spends its budget.
type way struct {
	durations []time.Duration
	spells    [][]estimate.Spell
}

// draw gives the ways of one round of draws.
func (s *survey) draw(round int) []way {
	ways := make([]way, estimate.Draws)
	for i := range ways {
		ways[i] = way{make([]time.Duration, len(s.sketches)), make([][]estimate.Spell, len(s.sketches))}
	}
	for cell, sketch := range s.sketches {
		if sketch == nil {
			continue // it is over
		}
		drawn := sketch.Draw(fmt.Sprintf("%s %d", s.problem.Cells[cell].ID, round))
		for i, took := range drawn.Took {
			ways[i].durations[cell] = took
			if drawn.Spells != nil {
				ways[i].spells[cell] = drawn.Spells[i]
			}
		}
	}
	return ways
}
