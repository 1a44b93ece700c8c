package fleet

import (
	"time"

	"mooring/sequence"
)

// Problem gives the planning problem of a placed fleet and the true duration of
// each of its cells, in the order of f.Cells. Only estimates go into the
// problem. AZs are numbered in the order in which the cells name them first.
func (f *Fleet) Problem() (*sequence.Problem, []time.Duration) {
	p := &sequence.Problem{
		Cells: make([]sequence.Cell, len(f.Cells)), Apps: make([]sequence.App, len(f.Apps)),
		MaxInFlight: f.MaxInFlight.Of(len(f.Cells)), Canaries: f.Canaries, AZSerial: f.AZSerial,
	}
	truth := make([]time.Duration, len(f.Cells))
	outside, numbers := 0, f.numbering()
	number, azs := make(map[string]int32, len(f.Cells)), map[string]int{}
	for c := range f.Cells {
		cell := &f.Cells[c]
		if _, known := azs[cell.AZ]; !known {
			azs[cell.AZ] = len(azs)
		}
		number[cell.ID] = int32(c)
		p.Cells[c] = sequence.Cell{ID: cell.ID, AZ: azs[cell.AZ], Domain: numbers.number(cell.Domain), Expected: seconds(f.Estimates[cell.ID])}
		if s, rolls := f.Rolls[cell.ID]; rolls {
			truth[c] = seconds(s)
		} else {
			p.Cells[c].State = sequence.Rolled
			outside++
		}
	}
	if p.Canaries > 0 {
		p.Canaries += outside // those are no canaries
	}
	f.uses(p, number)
	return p, truth
}

// moves has what can move leave its cell in steps.
func (f *Fleet) moves(p *sequence.Problem) {
	for c := range p.Cells {
		for i, use := range p.Cells[c].Uses {
			if move := f.move(&f.Apps[use.App]); move > 0 {
				p.Cells[c].Uses[i] = sequence.Moves(use.App, int(use.N), p.Apps[use.App].Limit, move)
			}
		}
	}
}

// uses fills in what each cell spends, out of one array for all of them.
func (f *Fleet) uses(p *sequence.Problem, number map[string]int32) {
	type place struct{ cell, app int32 }
	var places []place
	count := make([]int, len(f.Cells))
	for a := range f.Apps {
		app := &f.Apps[a]
		p.Apps[a] = sequence.App{Name: app.Name, Limit: app.Limit()}
		for _, id := range app.Cells {
			c := number[id]
			places = append(places, place{c, int32(a)})
			count[c]++
		}
	}
	arena := make([]sequence.Use, len(places))
	for c := range p.Cells {
		p.Cells[c].Uses, arena = arena[:0:count[c]], arena[count[c]:]
	}
	for _, at := range places {
		uses := p.Cells[at.cell].Uses
		if last := len(uses) - 1; last >= 0 && uses[last].App == at.app {
			uses[last].N++ // places of one app come together
		} else {
			p.Cells[at.cell].Uses = append(uses, sequence.Use{App: at.app, N: 1})
		}
	}
	f.moves(p)
}
