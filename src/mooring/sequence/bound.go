package sequence

import (
	"slices"
	"time"
)

// Lower is a certified lower bound: no plan that keeps the limits can end
// sooner.
type Lower struct {
	Makespan time.Duration
	// App is the app that sets it, -1 when something else does.
	App int
	// Cells are those that set it ByCells, and Apps those whose limits keep two
	// of them from being in roll together, who keeps most apart first.
	Cells, Apps []int
	// Why says what sets the bound.
	Why Reason
	// Raised is the bound if the limit of App were one higher: what asking its
	// owner would buy at most. ByCells it is left to the caller to try each of
	// Apps.
	Raised time.Duration
}

// Reason is what sets a lower bound, or was breached.
type Reason string

// What can set a lower bound.
const (
	ByNothing Reason = "nothing"
	ByCell    Reason = "longest cell"
	ByApp     Reason = "app"
	ByCells   Reason = "cells that exclude each other"
	ByCeiling Reason = "max_in_flight"
	ByAZ      Reason = "az_serial"
	// ByCanaries and ByWindow set no bound of their own; Check finds breaches
	// of them.
	ByCanaries Reason = "canaries"
	ByWindow   Reason = "window"
)

// Bound gives the lower bound for what is left of the problem. durations says
// what each cell takes in all; nil means as expected. It holds for every plan
// whatever fails meanwhile. With AZSerial it is the sum of the bounds of the
// AZs, and App is the one that sets the largest of them.
func Bound(p *Problem, durations []time.Duration) Lower {
	if durations == nil {
		durations = p.Expected()
	}
	left := p.left(durations)
	if !p.AZSerial {
		return boundOf(p, left, nil)
	}
	var azs []int
	for c := range p.Cells {
		azs = append(azs, p.Cells[c].AZ)
	}
	slices.Sort(azs)
	total, largest := Lower{App: -1, Why: ByNothing}, time.Duration(-1)
	for _, az := range slices.Compact(azs) {
		part := boundOf(p, left, func(c int) bool { return p.Cells[c].AZ == az })
		total.Makespan += part.Makespan
		total.Raised += part.Raised
		if part.Makespan > largest {
			largest, total.App, total.Cells, total.Apps, total.Why = part.Makespan, part.App, part.Cells, part.Apps, part.Why
		}
	}
	return total
}

// boundOf bounds the cells that member chooses (nil: all).
func boundOf(p *Problem, left []time.Duration, member func(cell int) bool) Lower {
	var all []time.Duration
	from := make([]int32, len(p.Apps)+1) // where the jobs of each app begin
	chosen := func(c int) bool { return left[c] > 0 && (member == nil || member(c)) }
	for c, d := range left {
		if chosen(c) {
			all = append(all, d)
			for _, use := range p.Cells[c].Uses {
				from[use.App+1] += use.N
			}
		}
	}
	for a := range p.Apps {
		from[a+1] += from[a]
	}
	jobs, next := make([]time.Duration, from[len(p.Apps)]), slices.Clone(from)
	for c, d := range left {
		if !chosen(c) {
			continue
		}
		for _, use := range p.Cells[c].Uses {
			job := d
			if use.Hold > 0 {
				job = min(job, use.Hold)
			}
			for range use.N {
				jobs[next[use.App]] = job
				next[use.App]++
			}
		}
	}
	best := Lower{App: -1, Why: ByNothing}
	second := time.Duration(0) // the bound without the best app
	consider := func(d time.Duration, app int, why Reason) {
		if d > best.Makespan {
			second = max(second, best.Makespan)
			best.Makespan, best.App, best.Why = d, app, why
		} else {
			second = max(second, d)
		}
	}
	canaries := aloneFor(p, all)
	consider(packed(all, len(all), 0), -1, ByCell)
	if p.MaxInFlight > 0 {
		consider(packed(all, p.MaxInFlight, canaries), -1, ByCeiling)
	}
	for a := range p.Apps {
		consider(packed(jobs[from[a]:from[a+1]], p.Apps[a].Limit, canaries), a, ByApp)
	}
	if sum, cells := exclusive(p, left, chosen); sum > best.Makespan {
		consider(sum, -1, ByCells)
		best.Cells, best.Apps = cells, excluders(p, cells)
	}
	best.Raised = best.Makespan
	if best.App >= 0 {
		best.Raised = max(second, packed(jobs[from[best.App]:from[best.App+1]], p.Apps[best.App].Limit+1, canaries))
	}
	return best
}

// packed bounds jobs of which at most limit run at once: their load spread
// evenly, or what the pigeonhole makes share a place. Of the k*limit+1 longest
// jobs some k+1 run one after another, for every k. (The sum of the 1st, the
// (limit+1)th, the (2 limit+1)th ... longest would be no bound: jobs of 5, 1
// and 1 fit two places in 5.) The load takes into account that canaries, alone
// for at least alone, leave the other places empty. It sorts the jobs.
func packed(jobs []time.Duration, limit int, alone time.Duration) time.Duration {
	if len(jobs) == 0 || limit < 1 {
		return 0
	}
	slices.Sort(jobs)
	var sum time.Duration
	for _, d := range jobs {
		sum += d
	}
	places := time.Duration(limit)
	best := max(jobs[len(jobs)-1], (sum+(places-1)*alone+places-1)/places)
	if limit == 1 {
		return best // the load is exact
	}
	for k := 1; k*limit < len(jobs); k++ {
		shortest := len(jobs) - k*limit - 1 // of the k*limit+1 longest
		sum = 0
		for _, d := range jobs[shortest : shortest+k+1] {
			sum += d
		}
		best = max(best, sum)
	}
	return best
}

// aloneFor gives for how long, at least, canaries will be the only cell in
// roll, when each of them takes one instance of an app at most.
func aloneFor(p *Problem, left []time.Duration) time.Duration {
	canaries := p.Canaries
	for c := range p.Cells {
		if p.Cells[c].Foreign {
			continue
		}
		switch p.Cells[c].State {
		case Rolled:
			canaries--
		case Running, StuckHolding, Begun:
			return 0
		}
		for _, use := range p.Cells[c].Uses {
			if use.N > 1 {
				return 0
			}
		}
	}
	if canaries <= 0 || p.AZSerial {
		return 0
	}
	sorted := slices.Sorted(slices.Values(left))
	var sum time.Duration
	for _, d := range sorted[:min(canaries, len(sorted))] {
		sum += d
	}
	return sum
}
