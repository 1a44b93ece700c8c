package sequence

import (
	"cmp"
	"slices"
)

// stale is how many steps without a gain end an improvement.
const stale = 400

// improve goes on from a candidate: it tries the whole portfolio, then changes
// the better mode's best order step by step. Between steps the wheel that
// squeaks has its way: cells that end last move up, and some noise moves the
// others about.
func (pl *planner) improve(from *candidate, more func() bool) *candidate {
	best := from
	if pl.near(best) || !more() {
		return best
	}
	keep := func(c *candidate) *candidate {
		if c != nil && c.score < best.score {
			best = c
		}
		return c
	}
	strict := pl.try(best.strategy, best.order)
	if other := keep(pl.portfolio(func(strategy) bool { return more() })); other != nil && other.score < strict.score {
		strict = other
	}
	at := keep(pl.tryGreedy(strict))
	step := pl.tryGreedy
	if best.mode == Tickets {
		at, step = strict, pl.justify
	}
	for idle := 0; idle < stale && more() && !pl.near(best); idle++ {
		score := best.score
		found := keep(step(pl.squeak(at)))
		if best.score < score {
			idle = 0
		}
		if found.score <= best.score+best.score/200 {
			at = found
		} else if best.mode == at.mode {
			at = best
		}
	}
	return best
}

// justify packs an order from the front, then what came of it from the back,
// then from the front again, and gives the better of both.
func (pl *planner) justify(from *candidate) *candidate {
	pl.pack().pack(from.order)
	best := pl.try(from.strategy, pl.packer.byStart())
	pl.packer.pack(pl.packer.byEnd())
	pl.packer.pack(pl.packer.byEnd()) // backward in time, so the last is the first
	if again := pl.try(from.strategy, pl.packer.byStart()); again.score < best.score {
		best = again
	}
	return best
}

// squeak moves cells about in the order of a candidate: those that end in the
// last twentieth go up far, the others by chance.
func (pl *planner) squeak(from *candidate) *candidate {
	end := from.end
	if from.mode == Tickets {
		pl.timing.makespan(from.order, pl.expected)
		end = pl.timing.end
	}
	key := make([]float64, len(pl.p.Cells))
	noise := 0.02 + 0.1*pl.random.Float64()
	for i, c := range from.order {
		key[c] = float64(i)/float64(len(from.order)) + noise*(pl.random.Float64()-0.5)
		if end[c] > from.exact-from.exact/20 {
			key[c] -= 0.5 * pl.random.Float64()
		}
	}
	order := slices.Clone(from.order)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
	return &candidate{order: order, strategy: from.strategy}
}
