package sequence

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// strategy is a way to order cells. One that is slow is left to improvement
// when there is much to order.
type strategy struct {
	name  string
	order func() []int
	slow  bool
}

// strategies gives the ways that planning begins with.
func (pl *planner) strategies() []strategy {
	ways := []strategy{{"tickets by domain", pl.byDomain, false}}
	for i, turn := range pl.turns() {
		ways = append(ways, strategy{"AZ after AZ", func() []int { return pl.azMajor(turn) }, i > 0})
	}
	return append(ways, strategy{"longest-first waves", pl.waves, true}, strategy{"list by softmax", pl.softmax, true})
}

// turns gives the orders that AZs may go in: every one while there are three
// AZs at most, else as they are numbered. Each gives the turn of every AZ.
func (pl *planner) turns() [][]int {
	azs := 0
	for _, c := range pl.cells {
		azs = max(azs, pl.p.Cells[c].AZ+1)
	}
	turn := make([]int, azs)
	for az := range turn {
		turn[az] = az
	}
	if azs != 3 {
		return [][]int{turn}
	}
	return [][]int{turn, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
}

// sorted gives the cells in an order.
func (pl *planner) sorted(before func(a, b int) int) []int {
	order := slices.Clone(pl.cells)
	slices.SortStableFunc(order, before)
	return order
}

// longer orders cells with the longest first.
func (pl *planner) longer(a, b int) int { return cmp.Compare(pl.expected[b], pl.expected[a]) }

// byDomain goes domain by domain through all AZs at once.
func (pl *planner) byDomain() []int {
	return pl.sorted(func(a, b int) int {
		x, y := &pl.p.Cells[a], &pl.p.Cells[b]
		return cmp.Or(cmp.Compare(x.Domain, y.Domain), pl.longer(a, b), cmp.Compare(x.AZ, y.AZ))
	})
}

// azMajor goes AZ by AZ, in their turns, as far as apps make the next wait for it.
func (pl *planner) azMajor(turn []int) []int {
	return pl.sorted(func(a, b int) int {
		x, y := &pl.p.Cells[a], &pl.p.Cells[b]
		return cmp.Or(cmp.Compare(turn[x.AZ], turn[y.AZ]), cmp.Compare(x.Domain, y.Domain), pl.longer(a, b))
	})
}

// waves colours the cells, the longest first, so that cells of one colour can
// roll together, and goes colour by colour.
func (pl *planner) waves() []int {
	wave := newPacker(pl.p, pl.cells, make([]time.Duration, len(pl.expected)), slotsPerBound)
	wave.pack(pl.sorted(pl.longer))
	return pl.sorted(func(a, b int) int { return cmp.Or(cmp.Compare(wave.start[a], wave.start[b]), pl.longer(a, b)) })
}

// sharpness is how much more an app that takes all of the bound counts than
// one that takes none, as a logarithm.
const sharpness = 8

// softmax puts first the cells whose apps, together, have most to do for the
// time there is: each app counts by the exponential of its work over its limit
// and the bound.
func (pl *planner) softmax() []int {
	work := make([]float64, len(pl.p.Apps))
	for _, c := range pl.cells {
		for _, use := range pl.p.Cells[c].Uses {
			work[use.App] += float64(use.N) * float64(pl.expected[c])
		}
	}
	for a, app := range pl.p.Apps {
		share := work[a] / float64(max(1, app.Limit)) / float64(max(1, pl.bound))
		work[a] = math.Exp(sharpness * share)
	}
	weight := make([]float64, len(pl.p.Cells))
	for _, c := range pl.cells {
		for _, use := range pl.p.Cells[c].Uses {
			weight[c] += work[use.App]
		}
	}
	return pl.sorted(func(a, b int) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), pl.longer(a, b)) })
}
