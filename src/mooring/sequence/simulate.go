package sequence

import (
	"container/heap"
	"time"
)

// Failure is a cell that fails, from At for For: its instances are down, and
// it cannot be rolled, until it is back.
type Failure struct {
	Cell    int
	At, For time.Duration
}

// Timeline is what happens to every cell, in time since now. A cell that never
// starts, because an app forbids it or what it waits for never ends, has Start
// -1. A cell that was running already starts before 0.
type Timeline struct {
	Start, End []time.Duration
	// Makespan is when the last roll ends that is not Foreign.
	Makespan time.Duration
}

// Simulate runs a plan to its end. durations says what each cell takes in all;
// nil means as expected. The dispatcher learns of an end, or a failure, only
// when it happens.
func Simulate(p *Problem, plan *Plan, durations []time.Duration, failures ...Failure) *Timeline {
	sim := NewSimulation(p, plan, durations, failures...)
	for sim.Step() {
	}
	return &sim.Timeline
}

// Simulation is Simulate step by step.
type Simulation struct {
	Timeline Timeline
	// Ended counts the rolls that have ended.
	Ended     int
	p         *Problem
	d         *Dispatcher
	durations []time.Duration
	events    events
	now       time.Duration
	out       outages
	opensAt   time.Duration // the opening of the window that is waited for, or was last
}

// NewSimulation stands at time 0, with what may start at once started.
func NewSimulation(p *Problem, plan *Plan, durations []time.Duration, failures ...Failure) *Simulation {
	if durations == nil {
		durations = p.Expected()
	}
	s := &Simulation{
		p: p, d: NewDispatcher(p, plan), durations: durations,
		Timeline: Timeline{Start: make([]time.Duration, len(p.Cells)), End: make([]time.Duration, len(p.Cells))},
		out:      outages{cellTill: map[int]time.Duration{}, till: map[[2]int]time.Duration{}, counted: map[[2]int]bool{}},
	}
	for c := range p.Cells {
		s.Timeline.Start[c], s.Timeline.End[c] = -1, -1
		if p.Cells[c].State == Running {
			s.run(c, -p.Cells[c].Elapsed)
		}
	}
	for _, f := range failures {
		if f.For > 0 {
			heap.Push(&s.events, event{at: f.At, kind: fails, cell: f.Cell, until: f.At + f.For})
		}
	}
	for len(s.events) > 0 && s.events[0].at <= 0 {
		s.take(heap.Pop(&s.events).(event))
	}
	s.start()
	return s
}

// Step goes to the next moment at which anything happens and starts what may
// start then; false when nothing will happen any more.
func (s *Simulation) Step() bool {
	if len(s.events) == 0 {
		return false
	}
	s.now = s.events[0].at
	for len(s.events) > 0 && s.events[0].at == s.now {
		s.take(heap.Pop(&s.events).(event))
	}
	s.start()
	return len(s.events) > 0
}

// start starts what may start now. While the window is closed nothing new may,
// and its opening is something that happens.
func (s *Simulation) start() {
	until, closed := s.p.Window.closed(s.now)
	if s.d.closed = closed; closed && until > s.now && until != s.opensAt {
		s.opensAt = until
		heap.Push(&s.events, event{at: until, kind: opens})
	}
	for c, ok := s.d.Next(); ok; c, ok = s.d.Next() {
		s.d.Start(c)
		s.run(c, s.now)
	}
}

// run notes a roll and when it gives back what.
func (s *Simulation) run(c int, start time.Duration) {
	end := max(s.now, start+s.durations[c])
	s.Timeline.Start[c], s.Timeline.End[c] = start, end
	if !s.p.Cells[c].Foreign {
		s.Timeline.Makespan = max(s.Timeline.Makespan, end)
	}
	heap.Push(&s.events, event{at: end, kind: ends, cell: c})
	for _, use := range s.p.Cells[c].Uses {
		if hold := use.Hold; hold > 0 && start+hold < end {
			heap.Push(&s.events, event{at: max(s.now, start+hold), kind: moved, cell: c, app: int(use.App)})
		}
	}
}

func (s *Simulation) take(e event) {
	switch e.kind {
	case ends:
		s.Ended++
		s.d.Complete(e.cell)
		s.count(e.cell)
	case moved:
		s.d.Release(e.cell, e.app)
		s.count(e.cell)
	case fails:
		s.fail(e)
	case recovers:
		s.recover(e.cell)
	}
}
