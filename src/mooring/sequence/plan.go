package sequence

import (
	"cmp"
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
	// Makespan is what the plan takes by the expected durations.
	Makespan time.Duration
}

// Order plans: it tries every strategy on the expected durations and keeps the
// best. It takes well under a second at ten thousand cells of seventy apps.
func Order(p *Problem) *Plan {
	var best *Plan
	for _, plan := range []*Plan{byDomain(p), byAZ(p)} {
		plan.Makespan = Simulate(p, plan, nil).Makespan
		if best == nil || plan.Makespan < best.Makespan {
			best = plan
		}
	}
	return best
}

// rollable lists the cells that may still be rolled.
func rollable(p *Problem) []int {
	cells := make([]int, 0, len(p.Cells))
	for c := range p.Cells {
		if p.Cells[c].State != Rolled && p.never(c) < 0 {
			cells = append(cells, c)
		}
	}
	return cells
}

// byDomain goes domain by domain through all AZs at once, the longest cells of
// a domain first.
func byDomain(p *Problem) *Plan {
	order, expected := rollable(p), p.Expected()
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &p.Cells[a], &p.Cells[b]
		if p.AZSerial && x.AZ != y.AZ {
			return cmp.Compare(x.AZ, y.AZ)
		}
		return cmp.Or(cmp.Compare(x.Domain, y.Domain), cmp.Compare(expected[b], expected[a]), cmp.Compare(x.AZ, y.AZ))
	})
	return &Plan{Order: order, Strategy: "tickets by domain"}
}

// byAZ goes AZ by AZ, the longest cells of each first.
func byAZ(p *Problem) *Plan {
	order, expected := rollable(p), p.Expected()
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &p.Cells[a], &p.Cells[b]
		return cmp.Or(cmp.Compare(x.AZ, y.AZ), cmp.Compare(expected[b], expected[a]), cmp.Compare(x.Domain, y.Domain))
	})
	return &Plan{Order: order, Strategy: "tickets by AZ"}
}
