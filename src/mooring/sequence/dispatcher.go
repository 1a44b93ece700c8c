package sequence

import (
	"cmp"
	"slices"
)

// Mode is how a Dispatcher lets cells pass each other.
type Mode uint8

const (
	// Tickets lets a cell start when each of its apps has room for it and for
	// all its unfinished cells ahead in the plan. It passes a blocked cell
	// only where it takes nothing that cell waits for, which keeps the order
	// of the domains.
	Tickets Mode = iota
	// Greedy lets a cell start when each of its apps has room for it; the
	// plan only says who is asked first.
	Greedy
)

// Dispatcher says, online, which cells may start. It needs no durations. Every
// method costs microseconds at ten thousand cells of seventy apps.
//
//	for c, ok := d.Next(); ok; c, ok = d.Next() {
//		d.Start(c)
//	}
//
// Cells are stepped around (they take nothing from the cells behind them)
// while they are Stuck, and while an app has no room for them for reasons
// outside the plan: instances that are down, or held by a cell that is stuck.
type Dispatcher struct {
	p     *Problem
	mode  Mode
	order []int
	rank  []int32 // place of each cell in the order
	in    *incidence
	state []State
	never []bool // would be refused by an app whatever happens
	// missing counts, for a cell in line, the uses that have no ticket; it may
	// start at 0.
	missing []int32
	watches // instead of tickets, when Greedy
	// aside counts the uses that there is no room for whatever the plan does.
	aside []int32
	// Per app, in instances: its limit, those held by running cells, those
	// down or held by stuck cells, those ticketed to waiting cells; and the
	// place in its list up to which waiting cells have tickets.
	limit, held, down, ticketed, head []int32
	released                          []bool // per use: given back before the roll ended
	gates
	// crossed is scratch space of shift.
	crossed []int32
}

// NewDispatcher stands where the problem's states say, with the plan's order.
// Cells that the plan leaves out come last.
func NewDispatcher(p *Problem, plan *Plan) *Dispatcher {
	d := &Dispatcher{
		p: p, mode: plan.Mode,
		order:    wholeOrder(p, plan.Order),
		rank:     make([]int32, len(p.Cells)),
		state:    make([]State, len(p.Cells)),
		never:    make([]bool, len(p.Cells)),
		missing:  make([]int32, len(p.Cells)),
		aside:    make([]int32, len(p.Cells)),
		limit:    make([]int32, len(p.Apps)),
		held:     make([]int32, len(p.Apps)),
		down:     make([]int32, len(p.Apps)),
		ticketed: make([]int32, len(p.Apps)),
		head:     make([]int32, len(p.Apps)),
	}
	for i, c := range d.order {
		d.rank[c] = int32(i)
	}
	d.in = newIncidence(p, d.order)
	d.released = make([]bool, len(d.in.useApp))
	for a, app := range p.Apps {
		d.limit[a], d.down[a], d.head[a] = int32(app.Limit), int32(app.Down), d.in.appFrom[a]
	}
	for c := range p.Cells {
		d.state[c], d.never[c] = p.Cells[c].State, p.never(c) >= 0
		for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
			switch d.state[c] {
			case Running:
				d.held[d.in.useApp[u]] += d.in.useN[u]
			case StuckHolding:
				d.down[d.in.useApp[u]] += d.in.useN[u]
			}
		}
	}
	d.gates = newGates(p, d.order, d.state, d.never)
	if d.mode == Greedy {
		d.watches = newWatches(len(p.Cells), len(p.Apps))
	}
	d.line()
	return d
}

// wholeOrder appends the cells that order leaves out and, when AZs go one after
// another, keeps them together: a cell whose AZ is not in turn must not hold
// up, with its tickets, one whose AZ is. Nor must any that a gate holds back one
// that has begun: those come first.
func wholeOrder(p *Problem, order []int) []int {
	seen := make([]bool, len(p.Cells))
	for _, c := range order {
		seen[c] = true
	}
	order = slices.Clone(order)
	for c := range seen {
		if !seen[c] {
			order = append(order, c)
		}
	}
	if p.AZSerial {
		turn := map[int]int{}
		for _, c := range order {
			if _, known := turn[p.Cells[c].AZ]; !known {
				turn[p.Cells[c].AZ] = len(turn)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(turn[p.Cells[a].AZ], turn[p.Cells[b].AZ]) })
	}
	if begun := func(c int) bool { return p.Cells[c].State == Begun }; slices.ContainsFunc(order, begun) {
		slices.SortStableFunc(order, func(a, b int) int { return b2i(begun(b)) - b2i(begun(a)) })
	}
	return order
}

// line fills missing, aside and the tickets from held and down.
func (d *Dispatcher) line() {
	for c := range d.state {
		for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
			a, n := d.in.useApp[u], d.in.useN[u]
			if n > d.limit[a]-d.down[a] {
				d.aside[c]++
			}
		}
		if d.mode == Tickets {
			d.missing[c] = d.in.useFrom[c+1] - d.in.useFrom[c]
		}
	}
	for c := range d.state {
		d.offer(int32(c))
	}
	if d.mode == Tickets {
		for a := range d.head {
			d.rebalance(int32(a))
		}
	}
}

// inLine says whether a cell that waits takes part in the order.
func (d *Dispatcher) inLine(c int32) bool {
	return waits(d.state[c]) && d.aside[c] == 0
}

// offer puts a cell that may start among those that Next looks at.
func (d *Dispatcher) offer(c int32) {
	if d.missing[c] == 0 && d.inLine(c) && (d.mode == Tickets || !d.watching[c]) {
		if d.state[c] == Begun {
			d.push(ungated, d.rank[c])
		} else {
			d.push(d.heap(d.p.Cells[c].AZ), d.rank[c])
		}
	}
}

// may says whether the apps let a cell start now. A Greedy cell that may not
// watches the app that has no room.
func (d *Dispatcher) may(c int32) bool {
	if d.missing[c] > 0 || !d.inLine(c) {
		return false
	}
	if d.mode == Greedy {
		if a := d.blocker(c); a >= 0 {
			d.watch(c, a)
			return false
		}
	}
	return true
}

// blocker gives an app that has no room for a cell, -1 when all have.
func (d *Dispatcher) blocker(c int32) int32 {
	for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
		if a := d.in.useApp[u]; d.in.useN[u] > d.limit[a]-d.down[a]-d.held[a] {
			return a
		}
	}
	return -1
}

// Next gives the first cell of the plan that may start now, those that have
// Begun before all; ok is false when none may. It changes nothing: the caller starts the cell, or holds all.
func (d *Dispatcher) Next() (cell int, ok bool) {
	may := func(rank int32) bool { return d.may(int32(d.order[rank])) }
	rank := d.first(ungated, may)
	if rank < 0 && !d.full() {
		if az, ok := d.inTurn(); ok {
			rank = d.first(az, may)
		}
	}
	if rank < 0 {
		return 0, false
	}
	return d.order[rank], true
}

// State gives where a cell stands.
func (d *Dispatcher) State(cell int) State { return d.state[cell] }
