package sequence

import (
	"cmp"
	"slices"
)

// stale is how many steps without a gain end an improvement.
const stale = 400

// improve goes on from a candidate: it justifies the schedule forward and
// backward, and in between lets the wheel that squeaks have its way: cells that
// end last move up, and some noise moves the others about.
func (pl *planner) improve(from *candidate, more func() bool) *candidate {
	best := from
	if pl.near(best) || !more() {
		return best
	}
	tickets := pl.try(best.strategy, best.order)
	if other := pl.portfolio(func(strategy) bool { return more() }); other != nil && other.score < tickets.score {
		tickets = other
	}
	order := tickets.order
	for idle := 0; idle < stale && more() && !pl.near(tickets); idle++ {
		found := pl.justify(tickets.strategy, order)
		if found.score < tickets.score {
			tickets, idle = found, 0
		}
		if found.score <= tickets.score+tickets.score/200 {
			order = found.order
		} else {
			order = tickets.order
		}
		order = pl.squeak(order)
	}
	if tickets.score < best.score {
		best = tickets
	}
	if greedy := pl.tryGreedy(tickets); greedy.score < best.score {
		best = greedy
	}
	return best
}

// justify packs an order from the front, then what came of it from the back,
// then from the front again, and scores the best.
func (pl *planner) justify(strategy string, order []int) *candidate {
	pl.pack().pack(order)
	best := pl.try(strategy, pl.packer.byStart())
	pl.packer.pack(pl.packer.byEnd())
	order = pl.packer.byEnd() // backward in time, so the last is the first
	pl.packer.pack(order)
	if again := pl.try(strategy, pl.packer.byStart()); again.score < best.score {
		best = again
	}
	return best
}

// squeak moves cells about in an order: those that the packing ends with go up
// far, the others by chance.
func (pl *planner) squeak(order []int) []int {
	last := 0
	for _, c := range order {
		last = max(last, pl.packer.start[c]+pl.packer.length[c])
	}
	key := make([]float64, len(pl.p.Cells))
	noise := 0.02 + 0.1*pl.random.Float64()
	for i, c := range order {
		at := float64(i) / float64(len(order))
		key[c] = at + noise*(pl.random.Float64()-0.5)
		if end := pl.packer.start[c] + pl.packer.length[c]; end*20 > last*19 {
			key[c] -= 0.5 * pl.random.Float64()
		}
	}
	moved := slices.Clone(order)
	slices.SortStableFunc(moved, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
	return moved
}
