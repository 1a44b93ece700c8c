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

// sketch says what is left of a roll, without the time it stands in line.
func (d *decision) sketch(roll *model.Roll) *estimate.Roll {
	sketch := d.durations().Roll(roll.Action)
	if roll.Phase != model.Queued && roll.Phase != model.Cordoned {
		sketch.UnderWay(roll.Phase, d.spent(roll))
	}
	for _, h := range d.held[roll.Holder()] { // those that have left come back elsewhere
		inst, app := d.snap.Instance(h.appGUID, h.permit.Index), d.snap.App(h.appGUID)
		switch {
		case inst == nil || app == nil || inst.CellID == roll.CellID:
		case h.permit.Kind == model.Drain:
			sketch.Drain(app, limitOn(app, model.Drain))
		default:
			sketch.Move(app, limitOn(app, model.Interrupt))
		}
	}
	for _, o := range d.queuedOn(roll) {
		switch {
		case o.app == nil || o.leaving || roll.Phase == model.Settling && d.servesNow(o):
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
	// as it does one time in two; with a window, what is expected of each.
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
	if s.problem.Window != nil {
		// Between the ends of two draws the window may be closed, and no plan end.
		at := func(share float64) time.Duration { return ends[byEnd[int(share*float64(len(byEnd)-1))]] }
		f.ends.Short, f.ends.Half, f.ends.Most = at(0.1), at(0.5), at(0.9)
		f.typical = s.problem.Expected() // when it ends says little of how long its cells take
		for cell, sketch := range s.sketches {
			if sketch == nil {
				f.typical[cell] = 0
			}
		}
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
			continue
		}
		drawn := sketch.Draw(fmt.Sprintf("%s %d", s.problem.Cells[cell].ID, round))
		for i, took := range drawn.Took {
			ways[i].durations[cell] = s.problem.Cells[cell].Elapsed + took
			if drawn.Spells != nil {
				ways[i].spells[cell] = drawn.Spells[i]
			}
		}
	}
	return ways
}
