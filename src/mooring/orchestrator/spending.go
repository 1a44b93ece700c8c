package orchestrator

import (
	"slices"
	"time"

	"mooring/estimate"
	"mooring/model"
	"mooring/sequence"
)

// spending is what the roll of one cell spends, or would spend, of each budget.
type spending struct {
	d      *decision
	survey *survey
	// sketch says for how long what leaves is away; nil without foresight, when
	// the ledgers show it.
	sketch *estimate.Roll
	of     map[int]*spent
	order  []int // the budgets in the order in which they came
}

// spent is what a roll spends of one budget, in instances: those that stay go
// all together, those that leave in steps. A roll holds at least as many as it
// has permits for.
type spent struct {
	stays, leaves, held int
	leavers             []int         // of the sketch
	back                time.Duration // until those that have left serve, from now
}

// add counts one instance that stays with the cell or leaves it; held: the roll
// has its permit.
func (s *spending) add(app *model.App, kind model.Kind, leaves, held bool) {
	for _, a := range s.survey.budgetsFor(app, kind) {
		if s.of[a] == nil {
			s.of[a] = &spent{}
			s.order = append(s.order, a)
		}
		of := s.of[a]
		if held {
			of.held++
		}
		if !leaves {
			of.stays++
			continue
		}
		of.leaves++
		if s.sketch == nil {
			continue
		}
		switch n := s.sketch.Leaver(app.GUID, kind); {
		case n < 0: // nothing of it is on the cell any more
			of.back = max(of.back, s.d.durations().Back(app, estimate.Move).Half()+app.Policy.HealthyFor.D())
		case !slices.Contains(of.leavers, n):
			of.leavers = append(of.leavers, n)
		}
	}
}

// uses gives what is spent as sequence has it by a roll that began some time
// ago. What leaves has left before what stays is asked for, so the two do not
// add up.
func (s *spending) uses(elapsed time.Duration) []sequence.Use {
	uses := make([]sequence.Use, 0, len(s.order))
	for _, a := range s.order {
		of := s.of[a]
		use := sequence.Moves(int32(a), of.leaves, s.survey.problem.Apps[a].Limit, 0)
		use.N = max(use.N, int32(of.stays), int32(of.held))
		if of.stays == 0 && of.back > 0 {
			use.Hold = elapsed + of.back
		}
		uses = append(uses, use)
	}
	return uses
}

// spells lists the uses that are over before the roll is, since nothing stays.
func (s *spending) spells(cell int) []spelled {
	var spells []spelled
	for i, a := range s.order {
		if of := s.of[a]; of.stays == 0 && len(of.leavers) > 0 {
			spells = append(spells, spelled{cell, i, of.leaves, of.leavers})
		}
	}
	return spells
}

// spelled is a use of a cell that is over when some of its roll's leavers serve
// elsewhere.
type spelled struct {
	cell, use int
	instances int
	leavers   []int
}

// hold sets for how long the use is spent.
func (s *spelled) hold(p *sequence.Problem, spells []estimate.Spell, of func(estimate.Spell, time.Duration) time.Duration) {
	var hold time.Duration
	for _, n := range s.leavers {
		hold = max(hold, of(spells[n], p.Cells[s.cell].Elapsed))
	}
	p.Cells[s.cell].Uses[s.use].Hold = hold
}

// spend gives the problem as it is when a plan goes one way.
func (s *survey) spend(w way, of func(estimate.Spell, time.Duration) time.Duration) *sequence.Problem {
	if len(s.spells) == 0 {
		return &s.problem
	}
	p := s.unshared(&s.problem)
	for i := range s.spells {
		s.spells[i].hold(p, w.spells[s.spells[i].cell], of)
	}
	return p
}

// higher gives a form of the problem as it would be if some limits were one
// higher: what leaves would leave in larger steps, and fewer. For a bound only
// what is spent in all counts, which stays the same.
func (s *survey) higher(p *sequence.Problem, budgets []int, bound bool) *sequence.Problem {
	p = s.unshared(p)
	p.Apps = slices.Clone(p.Apps)
	for _, a := range budgets {
		p.Apps[a].Limit++
	}
	for _, at := range s.spells {
		use := &p.Cells[at.cell].Uses[at.use]
		if !slices.Contains(budgets, int(use.App)) {
			continue
		}
		limit := p.Apps[use.App].Limit
		before, after := sequence.Moves(use.App, at.instances, limit-1, 1), sequence.Moves(use.App, at.instances, limit, 1)
		spent := use.Hold * time.Duration(use.N)
		use.N = max(use.N, after.N)
		if use.Hold = use.Hold * after.Hold / before.Hold; bound {
			use.Hold = spent / time.Duration(use.N)
		}
	}
	return p
}

// unshared copies a form of the problem so that its spells can be changed.
func (s *survey) unshared(p *sequence.Problem) *sequence.Problem {
	copied := *p
	copied.Cells = slices.Clone(p.Cells)
	for i, at := range s.spells {
		if i == 0 || s.spells[i-1].cell != at.cell {
			copied.Cells[at.cell].Uses = slices.Clone(p.Cells[at.cell].Uses)
		}
	}
	return &copied
}
