package orchestrator

import (
	"mooring/model"
	"mooring/sequence"
)

// spending is what the roll of one cell spends, or would spend, of each budget.
type spending struct {
	survey *survey
	of     map[int]*spent
	order  []int // the budgets in the order in which they came
}

// spent is what a roll spends of one budget, in instances: those that stay go
// all together, those that leave in steps. A roll holds at least as many as it
// has permits for.
type spent struct {
	stays, leaves, held int
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
		of.held += count(held)
		if leaves {
			of.leaves++
		} else {
			of.stays++
		}
	}
}

// uses gives what is spent as sequence has it. What leaves has left before what
// stays is asked for, so the two do not add up.
func (s *spending) uses() []sequence.Use {
	uses := make([]sequence.Use, 0, len(s.order))
	for _, a := range s.order {
		of := s.of[a]
		use := sequence.Moves(int32(a), of.leaves, s.survey.problem.Apps[a].Limit, 0)
		use.N = max(use.N, int32(of.stays), int32(of.held))
		uses = append(uses, use)
	}
	return uses
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
