// Package baseline rolls a fleet the way others do, for comparison. All of
// them keep every limit.
package baseline

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"mooring/sequence"
)

// InOrder goes AZ after AZ and, inside each, strictly in BOSH's order: the next
// cell starts when the limits allow it and fewer than a tenth of the AZ's cells
// are in flight, and no cell starts before the one ahead of it has.
func InOrder(p *sequence.Problem, durations []time.Duration) time.Duration {
	r := newRun(p, durations)
	for _, cells := range byAZ(p) {
		threads := max(1, len(cells)/10)
		for len(cells) > 0 || len(r.ends) > 0 {
			for len(cells) > 0 && len(r.ends) < threads && r.fits(cells[0]) {
				r.start(cells[0])
				cells = cells[1:]
			}
			if len(r.ends) == 0 {
				cells = cells[1:] // it can never roll
				continue
			}
			r.step()
		}
	}
	return r.now
}

// Threads is what a BOSH deploy with max_in_flight 10% and a gate on every cell
// does: AZ after AZ, the cells of each in BOSH's order, as many threads as a
// tenth of the AZ's cells; a thread takes the next cell and waits with it until the
// limits allow it, while the other threads go on.
func Threads(p *sequence.Problem, durations []time.Duration) time.Duration {
	r := newRun(p, durations)
	for _, cells := range byAZ(p) {
		r.threads(cells, max(1, len(cells)/10))
	}
	return r.now
}

// byAZ gives the cells of each AZ in BOSH's order, which is that of their
// UUIDs: any order, but always the same. It must not be the order of a fleet's
// cells: where no durations are known, update domains are dealt in that one,
// and a baseline would ride on them.
func byAZ(p *sequence.Problem) [][]int {
	var azs [][]int
	for c := range p.Cells {
		for p.Cells[c].AZ >= len(azs) {
			azs = append(azs, nil)
		}
		azs[p.Cells[c].AZ] = append(azs[p.Cells[c].AZ], c)
	}
	for _, cells := range azs {
		slices.SortStableFunc(cells, func(a, b int) int { return cmp.Compare(uuid(p.Cells[a].ID), uuid(p.Cells[b].ID)) })
	}
	return azs
}

// uuid stands for the UUID that BOSH would have given a cell.
func uuid(cell string) uint64 {
	sum := sha256.Sum256([]byte(cell))
	return binary.BigEndian.Uint64(sum[:])
}

// FIFO is a pipelined queue over all cells in order: the first cells up to
// window wait together, and any of them that fits starts.
func FIFO(p *sequence.Problem, durations []time.Duration, window int) time.Duration {
	r := newRun(p, durations)
	order := make([]int, len(p.Cells))
	for c := range order {
		order[c] = c
	}
	r.threads(order, window)
	return r.now
}

// Waves shuffles the cells and rolls them in waves: each takes every cell, in
// that order, that fits beside those taken before, and ends when the last of
// them does.
func Waves(p *sequence.Problem, durations []time.Duration, seed uint64) time.Duration {
	order := rand.New(rand.NewPCG(seed, 1)).Perm(len(p.Cells))
	r := newRun(p, durations)
	for len(order) > 0 {
		var rest []int
		for _, c := range order {
			if r.fits(c) {
				r.start(c)
			} else {
				rest = append(rest, c)
			}
		}
		if len(rest) == len(order) {
			break // the rest can never roll
		}
		for len(r.ends) > 0 {
			r.step()
		}
		order = rest
	}
	return r.now
}

// run is a roll of the fleet under way.
type run struct {
	p         *sequence.Problem
	durations []time.Duration
	away      []int32
	now       time.Duration
	ends      ends
}

func newRun(p *sequence.Problem, durations []time.Duration) *run {
	return &run{p: p, durations: durations, away: make([]int32, len(p.Apps))}
}

func (r *run) fits(c int) bool {
	for _, use := range r.p.Cells[c].Uses {
		if int(r.away[use.App]+use.N) > r.p.Apps[use.App].Limit {
			return false
		}
	}
	return true
}

func (r *run) start(c int) {
	for _, use := range r.p.Cells[c].Uses {
		r.away[use.App] += use.N
	}
	heap.Push(&r.ends, end{r.now + r.durations[c], c})
}

// step goes to the next end.
func (r *run) step() {
	e := heap.Pop(&r.ends).(end)
	r.now = e.at
	for _, use := range r.p.Cells[e.cell].Uses {
		r.away[use.App] -= use.N
	}
}

// threads rolls cells with so many threads, each of which takes the next cell
// and waits until it fits. Those that waited longest are asked first.
func (r *run) threads(cells []int, threads int) {
	var waiting []int
	for len(cells) > 0 || len(waiting) > 0 || len(r.ends) > 0 {
		for started := true; started; {
			started = false
			for len(cells) > 0 && len(waiting)+len(r.ends) < threads {
				waiting, cells = append(waiting, cells[0]), cells[1:]
			}
			left := waiting[:0]
			for _, c := range waiting {
				if r.fits(c) {
					r.start(c)
					started = true
				} else {
					left = append(left, c)
				}
			}
			waiting = left
		}
		if len(r.ends) == 0 {
			return // what waits can never roll
		}
		r.step()
	}
}

type end struct {
	at   time.Duration
	cell int
}

// ends is a heap by time.
type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at < e[j].at }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
