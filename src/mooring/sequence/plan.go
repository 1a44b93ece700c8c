package sequence

import (
	"slices"
	"time"
)

// Plan is an order of all cells and how strictly it is kept.
type Plan struct {
	// Order lists every cell that may be rolled, first to last.
	Order []int
	Mode  Mode
	// Strategy names the way of planning that won, for people.
	Strategy string
}

// Order plans: it tries every strategy and keeps the one that does best by the
// expected durations and by durations that are off. It takes half a second at ten
// thousand cells of seventy apps.
func Order(p *Problem) *Plan { return eachAZ(p, (*planner).first) }

// Improve betters a plan for as long as more says that time remains. It asks
// between steps, which take some milliseconds to some tenths of a second by the
// size of the problem, and ends by itself when nothing is left to gain.
func Improve(p *Problem, plan *Plan, more func() bool) *Plan {
	return eachAZ(p, func(pl *planner) *candidate {
		return pl.improve(pl.adopt(plan), more)
	})
}

// eachAZ plans all cells or, when AZs go one after another, those of each AZ.
func eachAZ(p *Problem, find func(pl *planner) *candidate) *Plan {
	parts := [][]int{rollable(p)}
	if p.AZSerial {
		parts = byAZ(p, parts[0])
	}
	plan, longest := &Plan{}, time.Duration(0)
	for i, cells := range parts {
		pl := newPlanner(p, cells)
		best := find(pl)
		plan.Order = append(plan.Order, pl.canariesFirst(best.order, i == 0)...)
		// One dispatcher has one mode: that of the part that takes longest.
		if i == 0 || best.exact > longest {
			plan.Mode, plan.Strategy, longest = best.mode, best.name(), best.exact
		}
	}
	return plan
}

// rollable lists the cells that may still be rolled, those in roll first.
func rollable(p *Problem) []int {
	cells := make([]int, 0, len(p.Cells))
	for c := range p.Cells {
		if p.Cells[c].State != Rolled && !p.Cells[c].Foreign && p.never(c) < 0 {
			cells = append(cells, c)
		}
	}
	slices.SortStableFunc(cells, func(a, b int) int { return ahead(p.Cells[b].State) - ahead(p.Cells[a].State) })
	return cells
}

// byAZ parts cells by AZ. An AZ that has begun comes first, then the one with
// the lowest number.
func byAZ(p *Problem, cells []int) [][]int {
	began := map[int]bool{}
	for c := range p.Cells {
		if s := p.Cells[c].State; (holds(s) || s == Rolled) && !p.Cells[c].Foreign {
			began[p.Cells[c].AZ] = true
		}
	}
	parts := map[int][]int{}
	var azs []int
	for _, c := range cells {
		az := p.Cells[c].AZ
		if parts[az] == nil {
			azs = append(azs, az)
		}
		parts[az] = append(parts[az], c)
	}
	slices.SortFunc(azs, func(a, b int) int {
		if began[a] != began[b] {
			return b2i(began[b]) - b2i(began[a])
		}
		return a - b
	})
	out := make([][]int, len(azs))
	for i, az := range azs {
		out[i] = parts[az]
	}
	return out
}
