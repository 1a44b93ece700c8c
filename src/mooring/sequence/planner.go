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
	bound    time.Duration   // of the expected durations
	least    time.Duration   // that any order can score
	uses     int
	holding  bool // some of the cells are in roll
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
	exact time.Duration   // what it takes as expected
	end   []time.Duration // of each cell, as expected; greedy ones only
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
		pl.uses += len(p.Cells[c].Uses)
		pl.holding = pl.holding || holds(p.Cells[c].State)
	}
	member := func(c int) bool { return members[c] }
	pl.bound = boundOf(p, pl.expected, member).Makespan
	pl.least = (pl.bound + boundOf(p, pl.off, member).Makespan) / 2
	return pl
}

// try scores an order by tickets.
func (pl *planner) try(strategy string, order []int) *candidate {
	order = pl.begunFirst(order)
	exact := pl.timing.makespan(order, pl.expected)
	return &candidate{order: order, strategy: strategy, exact: exact, score: (exact + pl.timing.makespan(order, pl.off)) / 2}
}

// begunFirst puts the cells in roll ahead of an order, which have what they need,
// and behind them those that were let go and wait for it.
func (pl *planner) begunFirst(order []int) []int {
	if !pl.holding {
		return order
	}
	sorted := slices.Clone(order)
	slices.SortStableFunc(sorted, func(a, b int) int {
		return ahead(pl.p.Cells[b].State) - ahead(pl.p.Cells[a].State)
	})
	return sorted
}

// ahead is how far a cell in this state is ahead of those that wait.
func ahead(s State) int { return b2i(holds(s)) + b2i(holds(s) && s != Begun) }

// tryGreedy scores the order of a candidate when it is not kept strictly.
func (pl *planner) tryGreedy(c *candidate) *candidate {
	sub := *pl.p
	sub.AZSerial, sub.Canaries, sub.Window = false, 0, nil
	greedy := &candidate{order: c.order, mode: Greedy, strategy: c.strategy}
	if pl.holding || len(pl.cells) < len(pl.p.Cells) { // one AZ of several, or some are rolled
		sub.Cells = slices.Clone(sub.Cells)
		for i := range sub.Cells {
			sub.Cells[i].State = Rolled
		}
		for _, i := range pl.cells {
			sub.Cells[i].State, sub.Cells[i].Elapsed = Waiting, 0 // what is left is what counts
			switch s := pl.p.Cells[i].State; {
			case s == Begun:
				sub.Cells[i].State = Begun
			case holds(s):
				sub.Cells[i].State = Running
			}
		}
	}
	plan := &Plan{Order: c.order, Mode: Greedy}
	line := Simulate(&sub, plan, pl.expected)
	greedy.exact, greedy.end = line.Makespan, line.End
	greedy.score = (greedy.exact + Simulate(&sub, plan, pl.off).Makespan) / 2
	return greedy
}

// many is how many uses make a problem large: its first plan leaves out what
// takes long.
const many = 200_000

// first makes the first complete plan.
func (pl *planner) first() *candidate {
	best := pl.portfolio(func(way strategy) bool { return pl.uses < many || !way.slow })
	if pl.near(best) {
		return best
	}
	if pl.uses >= many {
		// Far from the bound, strictness only makes cells wait for each other;
		// to find out how much takes too long here.
		if best.score > pl.least+pl.least/4 {
			best.mode = Greedy
		}
		return best
	}
	if greedy := pl.tryGreedy(best); greedy.score < best.score {
		return greedy
	}
	return best
}

// portfolio tries strategies as they are and packed; packed, when there is much
// to order, only the best of them.
func (pl *planner) portfolio(wanted func(strategy) bool) *candidate {
	var best *candidate
	keep := func(c *candidate) {
		if best == nil || c.score < best.score {
			best = c
		}
	}
	packed := func(c *candidate) *candidate {
		pl.pack().pack(c.order)
		return pl.try(c.strategy+", packed", pl.packer.byStart())
	}
	for _, way := range pl.strategies() {
		if !wanted(way) {
			continue
		}
		as := pl.try(way.name, way.order())
		if keep(as); pl.near(best) {
			return best
		}
		if pl.uses < many {
			keep(packed(as))
		}
	}
	if best != nil && pl.uses >= many {
		keep(packed(best))
	}
	return best
}

// pack gives the packer, which is only made when it is needed.
func (pl *planner) pack() *packer {
	if pl.packer == nil {
		pl.packer = newPacker(pl.p, pl.cells, pl.expected, pl.bound)
	}
	return pl.packer
}

// near says that a candidate is as good as it needs to be: at the bound, and
// not far from it when durations are off.
func (pl *planner) near(c *candidate) bool {
	return c.exact <= pl.bound+pl.bound/200 && c.score <= pl.least+pl.least/40
}

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
