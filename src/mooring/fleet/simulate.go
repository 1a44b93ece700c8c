package fleet

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/sequence"
)

// Options are what Simulate can be told besides the fleet.
type Options struct {
	// Clock tells the time for what planning costs, and ends improvement; nil
	// leaves both out.
	Clock func() time.Time
	// Improve is how long the first plan may be improved.
	Improve time.Duration
}

// Summary is the last line of a simulation. Times are in seconds unless named
// otherwise.
type Summary struct {
	Summary    bool    `json:"summary"`
	Makespan   float64 `json:"makespan_s"`
	LowerBound float64 `json:"lower_bound_s"`
	// Bottleneck is the app that sets the bound, or what else does: cells that
	// exclude each other are named with the apps through whose limits they do.
	Bottleneck string `json:"bottleneck"`
	Strategy   string `json:"strategy"`
	// PlanMS is what the first complete plan cost, ImproveMS what was spent on
	// better ones.
	PlanMS    float64 `json:"plan_ms"`
	ImproveMS float64 `json:"improve_ms"`
	// Event* is what dispatching cost for each roll that ended: those that end
	// at one moment share it evenly, and what happened since the roll before
	// (moves that end, failures) is part of it.
	EventP50 float64 `json:"event_us_p50"`
	EventP99 float64 `json:"event_us_p99"`
	// Violations counts starts that exceeded a limit, by an audit of the
	// timeline.
	Violations int `json:"violations"`
	// Never lists cells that were not rolled because an app forbids it.
	Never []string `json:"never,omitempty"`
}

// Run is a simulated plan.
type Run struct {
	Problem  *sequence.Problem
	Plan     *sequence.Plan
	Timeline *sequence.Timeline
	Summary  Summary
}

// Simulate rolls every cell of a placed fleet in simulated time. The plan knows
// the estimates only; the durations are the true ones.
func (f *Fleet) Simulate(opts Options) (*Run, error) {
	for a := range f.Apps {
		if len(f.Apps[a].Cells) != f.Apps[a].Instances {
			return nil, wrong(fmt.Sprintf("apps[%d].cells", a), "they are missing: place the fleet first (moor place)")
		}
	}
	if f.Rolls == nil {
		return nil, wrong("rolls", "they are missing: a simulation needs how long each cell takes")
	}
	p, truth := f.Problem()
	if err := p.Validate(); err != nil {
		return nil, wrong("", "%w", err)
	}
	watch := newWatch(opts.Clock)
	run := &Run{Problem: p, Plan: sequence.Order(p), Summary: Summary{Summary: true}}
	run.Summary.PlanMS = watch.lap().Seconds() * 1e3
	if opts.Clock != nil && opts.Improve > 0 {
		end := opts.Clock().Add(opts.Improve)
		run.Plan = sequence.Improve(p, run.Plan, func() bool { return opts.Clock().Before(end) })
		run.Summary.ImproveMS = watch.lap().Seconds() * 1e3
	}
	failures := f.failures()
	sim := sequence.NewSimulation(p, run.Plan, truth, failures...)
	run.Summary.EventP50, run.Summary.EventP99 = play(sim, watch)
	run.Timeline = &sim.Timeline
	run.sum(p, truth, failures)
	return run, nil
}

// play takes a simulation to its end and gives the median and the 99th
// percentile of what each roll's end cost, in microseconds.
func play(sim *sequence.Simulation, watch *watch) (p50, p99 float64) {
	var costs []float64
	watch.lap()
	for more, cost := true, 0.0; more; {
		before := sim.Ended
		more = sim.Step()
		cost += watch.lap().Seconds() * 1e6
		if ended := sim.Ended - before; ended > 0 {
			costs = append(costs, slices.Repeat([]float64{cost / float64(ended)}, ended)...)
			cost = 0
		}
	}
	if len(costs) == 0 {
		return 0, 0
	}
	slices.Sort(costs)
	return costs[len(costs)/2], costs[len(costs)*99/100]
}

func (run *Run) sum(p *sequence.Problem, truth []time.Duration, failures []sequence.Failure) {
	s := &run.Summary
	bound := sequence.Bound(p, truth)
	s.Makespan, s.LowerBound = run.Timeline.Makespan.Seconds(), bound.Makespan.Seconds()
	s.Bottleneck, s.Strategy = bottleneck(p, bound), run.Plan.Strategy
	if !slices.ContainsFunc(run.Timeline.Start, func(start time.Duration) bool { return start >= 0 }) {
		s.Strategy = "nothing to roll"
	}
	audit := sequence.Check(p, run.Timeline, failures...)
	s.Violations = len(audit.Violations)
	for _, never := range sequence.Nevers(p) {
		if id := p.Cells[never.Cell].ID; len(s.Never) == 0 || s.Never[len(s.Never)-1] != id {
			s.Never = append(s.Never, id)
		}
	}
}

// fewNamed are as many cells, or apps, as a bottleneck is told with.
const fewNamed = 8

// bottleneck names the app that sets a bound, or what else does.
func bottleneck(p *sequence.Problem, bound sequence.Lower) string {
	switch bound.Why {
	case sequence.ByApp:
		return p.Apps[bound.App].Name
	case sequence.ByCells:
		cells := few(bound.Cells, func(c int) string { return p.Cells[c].ID })
		return fmt.Sprintf("%s: %s, through %s", bound.Why, cells, few(bound.Apps, func(a int) string { return p.Apps[a].Name }))
	}
	return string(bound.Why)
}

// few lists names, the first of them when there are many.
func few(numbers []int, name func(int) string) string {
	var names []string
	for _, n := range numbers[:min(len(numbers), fewNamed)] {
		names = append(names, name(n))
	}
	if more := len(numbers) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func (f *Fleet) failures() []sequence.Failure {
	number := make(map[string]int, len(f.Cells))
	for c := range f.Cells {
		number[f.Cells[c].ID] = c
	}
	var failures []sequence.Failure
	for _, failure := range f.Failures {
		failures = append(failures, sequence.Failure{Cell: number[failure.Cell], At: seconds(failure.At), For: seconds(failure.For)})
	}
	return failures
}

// Write writes one JSON line for each roll, in order of start, and the Summary.
func (run *Run) Write(w io.Writer) error {
	line := run.Timeline
	var order []int
	for c := range line.Start {
		if line.Start[c] >= 0 {
			order = append(order, c)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(line.Start[a], line.Start[b]), cmp.Compare(a, b)) })
	out := bufio.NewWriterSize(w, 1<<16)
	for _, c := range order {
		fmt.Fprintf(out, "{\"cell\":%s,\"start_s\":%s,\"end_s\":%s}\n", quote(run.Problem.Cells[c].ID), number(line.Start[c]), number(line.End[c]))
	}
	if err := errors.Join(encode(out, run.Summary), out.Flush()); err != nil {
		return fmt.Errorf("write the simulated rolls: %w", err)
	}
	return nil
}

// number gives seconds to the nanosecond, without an exponent.
func number(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// watch measures laps; without a clock all of them are 0.
type watch struct {
	clock func() time.Time
	last  time.Time
}

func newWatch(clock func() time.Time) *watch {
	w := &watch{clock: clock}
	w.lap()
	return w
}

func (w *watch) lap() time.Duration {
	if w.clock == nil {
		return 0
	}
	now := w.clock()
	lap := now.Sub(w.last)
	w.last = now
	return lap
}
