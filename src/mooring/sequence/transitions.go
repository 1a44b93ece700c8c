package sequence

// Start puts a cell in roll, or one that was stuck back in it. It may be any
// cell: one that was started against the order takes its budget all the same.
func (d *Dispatcher) Start(cell int) { d.move(int32(cell), Running) }

// Complete ends a cell's roll and gives its budget back. A cell that is rolled
// without having been started (skipped, or rolled by somebody else) leaves the
// line.
func (d *Dispatcher) Complete(cell int) { d.move(int32(cell), Rolled) }

// Stop marks a cell as stuck: holding when its instances are away and stay
// away (not returned, or much too slow), otherwise everything it had is given
// back. Cells that need what it holds are stepped around until Complete,
// Resume or Requeue.
func (d *Dispatcher) Stop(cell int, holding bool) {
	if holding {
		d.move(int32(cell), StuckHolding)
	} else {
		d.move(int32(cell), Stuck)
	}
}

// Release gives back what a running cell holds of one app before the roll
// ends: its instances serve elsewhere.
func (d *Dispatcher) Release(cell, app int) {
	if d.state[cell] != Running {
		return
	}
	for u := d.in.useFrom[cell]; u < d.in.useFrom[cell+1]; u++ {
		if int(d.in.useApp[u]) == app && !d.released[u] {
			d.released[u] = true
			d.shift(int32(app), -d.in.useN[u], 0, 0)
			d.wake(int32(app))
		}
	}
}

// Down says how many more (or, negative, fewer) instances of an app are away
// for reasons outside the plan.
func (d *Dispatcher) Down(app, more int) {
	d.shift(int32(app), 0, int32(more), 0)
	d.wake(int32(app))
}

// SetAside steps around a waiting cell for a reason of its own, such as that
// it is not present, or lets it back to its place.
func (d *Dispatcher) SetAside(cell int, aside bool) { d.setAside(int32(cell), aside) }

func (d *Dispatcher) setAside(c int32, aside bool) {
	if aside {
		if d.aside[c]++; d.aside[c] == 1 {
			d.leave(c)
		}
	} else if d.aside[c]--; d.aside[c] == 0 {
		d.join(c)
	}
}

// move takes a cell from its state to another, in which it does not wait: first out
// of whatever it had, then into what the new state means.
func (d *Dispatcher) move(c int32, to State) {
	from := d.state[c]
	if from == to {
		return
	}
	wasInLine := d.inLine(c)
	if !d.p.Cells[c].Foreign {
		d.note(d.p.Cells[c].AZ, from, to, d.never[c])
	}
	d.never[c] = false // somebody decided otherwise; the ledgers judge
	d.state[c] = to
	for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
		a, n := d.in.useApp[u], d.in.useN[u]
		var held, down, ticketed int32
		if wasInLine && d.mode == Tickets && d.in.usePos[u] < d.head[a] {
			ticketed = -n
		}
		if d.released[u] { // given back before: nothing to give, or to take again
			d.released[u] = holds(to)
			continue
		}
		switch from {
		case Running:
			held -= n
		case StuckHolding:
			down -= n
		}
		switch to {
		case Running:
			held += n
		case StuckHolding:
			down += n
		}
		d.shift(a, held, down, ticketed)
	}
	if holds(from) { // once all of it is given back: else watchers go from app to app
		for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
			d.wake(d.in.useApp[u])
		}
	}
}

// join gives a cell that enters the line the tickets that its place is worth.
// Its missing count is made anew; apps that now have too many tickets out take
// the last ones back.
func (d *Dispatcher) join(c int32) {
	if !d.inLine(c) {
		return
	}
	if d.mode == Tickets {
		d.missing[c] = 0
		for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
			if a := d.in.useApp[u]; d.in.usePos[u] < d.head[a] {
				d.ticketed[a] += d.in.useN[u]
			} else {
				d.missing[c]++
			}
		}
		for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
			d.rebalance(d.in.useApp[u])
		}
	}
	d.offer(c)
}

// shift changes what of an app is held, down and ticketed, and lets the cells
// that this concerns join, leave or move up.
func (d *Dispatcher) shift(a, held, down, ticketed int32) {
	room := d.limit[a] - d.down[a]
	d.held[a] += held
	d.down[a] += down
	d.ticketed[a] += ticketed
	if down != 0 {
		d.stepAround(a, room, room-down)
	}
	if d.mode == Tickets {
		d.rebalance(a)
	}
}

// stepAround corrects the aside counts of an app's cells when what it has room
// for, whatever the plan does, goes from one number to another.
func (d *Dispatcher) stepAround(a, from, to int32) {
	d.crossed = d.crossed[:0]
	for i := d.in.appFrom[a]; i < d.in.appFrom[a+1]; i++ {
		n := d.in.useN[d.in.appUse[i]]
		if (n <= from) != (n <= to) {
			d.crossed = append(d.crossed, d.in.appCell[i])
		}
	}
	crossed := d.crossed
	d.crossed = nil // rebalance below never comes back here, but do not rely on it
	for _, c := range crossed {
		d.setAside(c, to < from)
	}
	d.crossed = crossed
}

// leave takes the tickets of a waiting cell that has just been set aside.
func (d *Dispatcher) leave(c int32) {
	if !waits(d.state[c]) || d.mode == Greedy {
		return
	}
	for u := d.in.useFrom[c]; u < d.in.useFrom[c+1]; u++ {
		if a := d.in.useApp[u]; d.in.usePos[u] < d.head[a] {
			d.ticketed[a] -= d.in.useN[u]
		}
		d.rebalance(d.in.useApp[u])
	}
}

// rebalance takes tickets back from the end of an app's list while too much is
// out, then hands tickets on, in order, while there is room for the next.
func (d *Dispatcher) rebalance(a int32) {
	room := d.limit[a] - d.down[a] - d.held[a]
	for d.ticketed[a] > max(0, room) {
		d.head[a]--
		at := d.head[a]
		if c := d.in.appCell[at]; d.inLine(c) {
			d.ticketed[a] -= d.in.useN[d.in.appUse[at]]
			d.missing[c]++
		}
	}
	for ; d.head[a] < d.in.appFrom[a+1]; d.head[a]++ {
		at := d.head[a]
		c, n := d.in.appCell[at], d.in.useN[d.in.appUse[at]]
		if !d.inLine(c) {
			continue
		}
		if d.ticketed[a]+n > room {
			return
		}
		d.ticketed[a] += n
		d.missing[c]--
		d.offer(c)
	}
}
