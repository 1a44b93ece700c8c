package sequence

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// How far truth is from an expectation, as the standard deviation of its
// logarithm, when plans are tried against durations that are off.
const (
	offKnown   = 0.15
	offUnknown = 0.4
)

// planner is what the strategies share: the cells to order, and the durations
// that orders are tried on.
type planner struct {
	p        *Problem
	cells    []int
	expected []time.Duration
	off      []time.Duration // the expected ones, each off by some
	bound    time.Duration
	timing   *timing
	packer   *packer
	random   *rand.Rand
}

// candidate is an order that was tried.
type candidate struct {
	order    []int
	mode     Mode
	strategy string
	// score is what it takes, on average over the durations it was tried on.
	score time.Duration
}

func (c *candidate) name() string {
	if c.mode == Greedy {
		return c.strategy + ", greedy"
	}
	return c.strategy
}

func newPlanner(p *Problem, cells []int) *planner {
	pl := &planner{
		p: p, cells: cells, expected: p.left(p.Expected()),
		timing: newTiming(p), random: rand.New(rand.NewPCG(1, 2)),
	}
	pl.off = slices.Clone(pl.expected)
	for _, c := range cells {
		sigma := offKnown
		if p.Cells[c].Expected == 0 {
			sigma = offUnknown
		}
		pl.off[c] = time.Duration(float64(pl.off[c]) * math.Exp(sigma*pl.random.NormFloat64()))
	}
	members := make([]bool, len(p.Cells))
	for _, c := range cells {
		members[c] = true
	}
	pl.bound = boundOf(p, pl.expected, func(c int) bool { return members[c] }).Makespan
	pl.packer = newPacker(p, cells, pl.expected, pl.bound)
	return pl
}

// try scores an order by tickets.
func (pl *planner) try(strategy string, order []int) *candidate {
	return &candidate{order: order, strategy: strategy, score: (pl.timing.makespan(order, pl.expected) + pl.timing.makespan(order, pl.off)) / 2}
}

// tryGreedy scores the order of a candidate when it is not kept strictly.
func (pl *planner) tryGreedy(c *candidate) *candidate {
	sub := *pl.p
	sub.AZSerial, sub.Canaries = false, 0
	greedy := &candidate{order: c.order, mode: Greedy, strategy: c.strategy}
	if len(pl.cells) < len(pl.p.Cells) { // one AZ of several, or some are rolled
		sub.Cells = slices.Clone(sub.Cells)
		for i := range sub.Cells {
			sub.Cells[i].State = Rolled
		}
		for _, i := range pl.cells {
			sub.Cells[i].State = Waiting
		}
	}
	plan := &Plan{Order: c.order, Mode: Greedy}
	greedy.score = (Simulate(&sub, plan, pl.expected).Makespan + Simulate(&sub, plan, pl.off).Makespan) / 2
	return greedy
}

// first makes the first complete plan.
func (pl *planner) first() *candidate {
	var best, packed *candidate
	for i, start := range pl.strategies() {
		if as := pl.try(start.strategy, start.order); best == nil || as.score < best.score {
			best = as
		}
		if pl.near(best) {
			return best
		}
		if i > 0 && start.strategy == best.strategy && best.order[0] != start.order[0] {
			continue // another turn of the AZs, and no better
		}
		pl.packer.pack(start.order)
		if as := pl.try(start.strategy+", packed", pl.packer.byStart()); packed == nil || as.score < packed.score {
			packed = as
		}
	}
	if packed.score < best.score {
		best = packed
	}
	if pl.near(best) {
		return best
	}
	if greedy := pl.tryGreedy(best); greedy.score < best.score {
		return greedy
	}
	return best
}

// near says that a candidate is as good as it needs to be.
func (pl *planner) near(c *candidate) bool { return c.score <= pl.bound+pl.bound/100 }

// adopt takes a plan made before for the planner's own.
func (pl *planner) adopt(plan *Plan) *candidate {
	mine := make([]bool, len(pl.p.Cells))
	for _, c := range pl.cells {
		mine[c] = true
	}
	order := make([]int, 0, len(pl.cells))
	for _, c := range wholeOrder(pl.p, plan.Order) {
		if mine[c] {
			order = append(order, c)
		}
	}
	c := pl.try(strings.TrimSuffix(plan.Strategy, ", greedy"), order)
	if plan.Mode == Greedy {
		c = pl.tryGreedy(c)
	}
	return c
}

// canariesFirst puts the quickest cells at the head of an order, as many as are
// still to be canaries: while they roll nothing else does.
func (pl *planner) canariesFirst(order []int, begins bool) []int {
	k := pl.p.Canaries
	for c := range pl.p.Cells {
		k -= b2i(pl.p.Cells[c].State == Rolled)
	}
	if !begins || k <= 0 {
		return order
	}
	quick := slices.Clone(order)
	slices.SortStableFunc(quick, func(a, b int) int { return int(min(1, max(-1, pl.expected[a]-pl.expected[b]))) })
	canary := map[int]bool{}
	for _, c := range quick[:min(k, len(quick))] {
		canary[c] = true
	}
	head := slices.Clone(quick[:len(canary)])
	for _, c := range order {
		if !canary[c] {
			head = append(head, c)
		}
	}
	return head
}
