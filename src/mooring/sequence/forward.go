package sequence

import "time"

// timing tells fast what a plan by tickets takes: with known durations the
// start of each cell follows from the ends of those before it, without events.
// The ceiling on cells in flight is taken like an app; canaries and AZs that
// go one by one are left out.
type timing struct {
	p    *Problem
	ends []time.Duration // per app, its Limit latest ends so far, latest first
	from []int32         // per app, where they are
	all  []time.Duration // the latest MaxInFlight ends
	end  []time.Duration // of each cell, after makespan
}

func newTiming(p *Problem) *timing {
	t := &timing{p: p, from: make([]int32, len(p.Apps)), all: make([]time.Duration, p.MaxInFlight), end: make([]time.Duration, len(p.Cells))}
	size := int32(0)
	most := make([]int32, len(p.Apps))
	for c := range p.Cells {
		for _, use := range p.Cells[c].Uses {
			most[use.App] += use.N
		}
	}
	for a, app := range p.Apps {
		if t.from[a] = size; int(most[a]) > app.Limit && app.Limit > 0 {
			size += int32(app.Limit)
		} else {
			t.from[a] = -1 // never short, or held by what was forced
		}
	}
	t.ends = make([]time.Duration, size)
	return t
}

// makespan gives when the last of the cells of an order ends.
func (t *timing) makespan(order []int, durations []time.Duration) time.Duration {
	clear(t.ends)
	clear(t.all)
	var last time.Duration
	for _, c := range order {
		var start time.Duration
		if len(t.all) > 0 {
			start = t.all[len(t.all)-1]
		}
		uses := t.p.Cells[c].Uses
		for _, use := range uses {
			if from := t.from[use.App]; from >= 0 {
				limit := int32(t.p.Apps[use.App].Limit) // what was forced takes all there is
				start = max(start, t.ends[from+limit-min(limit, use.N)])
			}
		}
		end := start + durations[c]
		t.end[c] = end
		for _, use := range uses {
			from, app := t.from[use.App], &t.p.Apps[use.App]
			if from < 0 {
				continue
			}
			back := end
			if use.Hold > 0 {
				back = min(back, start+use.Hold)
			}
			for range use.N {
				insert(t.ends[from:from+int32(app.Limit)], back)
			}
		}
		if len(t.all) > 0 {
			insert(t.all, end)
		}
		last = max(last, end)
	}
	return last
}

// insert puts an end among the latest, which drops the earliest of them.
func insert(latest []time.Duration, end time.Duration) {
	i := len(latest) - 1
	if end <= latest[i] {
		return
	}
	for ; i > 0 && latest[i-1] < end; i-- {
		latest[i] = latest[i-1]
	}
	latest[i] = end
}
