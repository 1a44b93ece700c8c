package sequence

// gates holds cells back for reasons other than apps: the ceiling on cells in
// flight, canaries, and AZs that go one after another. It also keeps the heaps
// of cells that may start otherwise, by their place in the plan.
type gates struct {
	ceiling  int // 0: none
	canaries int // cells that must be rolled before others start beside them
	serial   bool
	closed   bool // the window is: nothing that has not begun may start
	inFlight int  // let go, or stuck and holding
	stuck    int  // stuck, holding or not
	rolled   int
	left     int
	azs      []int       // AZs in the order of the plan
	at       int         // the AZ in turn, when serial
	azLeft   map[int]int // cells not rolled, by AZ
	heaps    map[int][]int32
	queued   []bool // per rank: in a heap
}

func newGates(p *Problem, order []int, state []State, never []bool) gates {
	g := gates{
		ceiling: p.MaxInFlight, canaries: p.Canaries, serial: p.AZSerial,
		azLeft: map[int]int{}, heaps: map[int][]int32{}, queued: make([]bool, len(order)),
	}
	for _, c := range order {
		if p.Cells[c].Foreign {
			continue
		}
		az := p.Cells[c].AZ
		if _, known := g.azLeft[az]; !known {
			g.azs = append(g.azs, az)
			g.azLeft[az] = 0
		}
		if !never[c] {
			g.azLeft[az]++
			g.left++
		}
		if state[c] != Waiting {
			g.note(az, Waiting, state[c], false)
		}
	}
	g.canaries = min(g.canaries, g.left+g.rolled)
	return g
}

// note counts a cell's change of state. A cell that was never to roll counts
// from the moment somebody rolls it all the same.
func (g *gates) note(az int, from, to State, never bool) {
	g.inFlight += b2i(holds(to)) - b2i(holds(from))
	g.stuck += b2i(stuck(to)) - b2i(stuck(from))
	rolled := b2i(to == Rolled) - b2i(from == Rolled)
	g.rolled += rolled
	if never {
		rolled--
	}
	g.left -= rolled
	g.azLeft[az] -= rolled
}

// holds says whether a cell takes a place among those in flight; Begun, it
// holds no budget yet.
func holds(s State) bool { return s == Running || s == StuckHolding || s == Begun }

func stuck(s State) bool { return s == Stuck || s == StuckHolding }

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// full says that nothing may start now whatever the apps allow. A canary that
// is stuck holds the plan: it is there to be the only one that breaks.
func (g *gates) full() bool {
	if g.closed || g.ceiling > 0 && g.inFlight >= g.ceiling {
		return true
	}
	return g.rolled < g.canaries && (g.inFlight > 0 || g.stuck > 0)
}

// ungated is the heap of cells that no gate holds back any more.
const ungated = -1

// heap gives the heap of an AZ; there is only one unless they go one by one.
func (g *gates) heap(az int) int {
	if g.serial {
		return az
	}
	return 0
}

// inTurn gives the heap whose cells are in turn; false when all are rolled.
func (g *gates) inTurn() (heap int, ok bool) {
	if !g.serial {
		return 0, true
	}
	for g.at < len(g.azs) && g.azLeft[g.azs[g.at]] == 0 {
		g.at++
	}
	if g.at == len(g.azs) {
		return 0, false
	}
	return g.azs[g.at], true
}

// push offers the cell with a rank to first.
func (g *gates) push(heap int, rank int32) {
	if g.queued[rank] {
		return
	}
	g.queued[rank] = true
	h := append(g.heaps[heap], rank)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[up] <= h[i] {
			break
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
	g.heaps[heap] = h
}

// first gives the lowest rank of a heap that may start, or -1, and forgets those
// before it that may not: they are offered again when they may.
func (g *gates) first(heap int, may func(rank int32) bool) int32 {
	for len(g.heaps[heap]) > 0 {
		if rank := g.heaps[heap][0]; may(rank) {
			return rank
		}
		g.pop(heap)
	}
	return -1
}

func (g *gates) pop(heap int) {
	h := g.heaps[heap]
	g.queued[h[0]] = false
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && h[down+1] < h[down] {
			down++
		}
		if h[i] <= h[down] {
			break
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
	g.heaps[heap] = h
}
