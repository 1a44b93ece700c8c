package state

import (
	"slices"
	"sync"
	"time"

	"mooring/model"
)

// Times in records are by the clock of whoever wrote them, and clocks of two
// machines may differ by hours. So nothing is decided by comparing such a time
// with one's own: each mirror notes when, by the clock of its machine, it first
// saw a time that decides something, and that is when it was.

// Sightings says when each time in a state was first seen, by one machine's
// clock. What was there when the machine began to look counts from then: how
// long it had been so before, nobody can say. It is safe for many goroutines.
type Sightings struct {
	mu   sync.Mutex
	seen map[int64]time.Time // by the time in nanoseconds, as its writer has it
	live int                 // how many there were when they were last gone through
	// first is when it began to look.
	first time.Time
}

// NewSightings returns one that has seen nothing.
func NewSightings() *Sightings { return &Sightings{seen: map[int64]time.Time{}} }

// Begin says that what is noted now was there before.
func (s *Sightings) Begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = now
	}
}

// Note takes note of the times of a record that is seen now.
func (s *Sightings) Note(rec model.Record, now time.Time) {
	times := timesOf(rec)
	if len(times) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range times {
		if _, known := s.seen[at.UnixNano()]; !known && !at.IsZero() {
			s.seen[at.UnixNano()] = now
		}
	}
}

// of returns when a time was first seen: itself when it never was, as one that
// was just written here.
func (s *Sightings) of(at time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen, known := s.seen[at.UnixNano()]; known && !at.IsZero() {
		return seen
	}
	return at
}

// witnessed reports whether a time came while somebody looked.
func (s *Sightings) witnessed(at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, known := s.seen[at.UnixNano()]
	return !known || seen.After(s.first)
}

// grown reports whether it may be time to forget what is no more.
func (s *Sightings) grown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen) > 2*s.live+sightingsSpare
}

// sightingsSpare keeps a small state from being gone through again and again.
const sightingsSpare = 10_000

// keep forgets all times but those of some records.
func (s *Sightings) keep(each func(visit func(model.Record))) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := map[int64]time.Time{}
	each(func(rec model.Record) {
		for _, at := range timesOf(rec) {
			if seen, known := s.seen[at.UnixNano()]; known {
				kept[at.UnixNano()] = seen
			}
		}
	})
	s.seen, s.live = kept, len(kept)
}

// Seen returns when a time that the snapshot has was first seen here, by this
// machine's clock. Use it wherever a time that another machine wrote is compared
// with now, or with a time of a third. A snapshot that is nobody's mirror has
// the times of one machine, and returns them as they are.
func (s *Snapshot) Seen(at time.Time) time.Time {
	if s.sightings == nil {
		return at
	}
	return s.sightings.of(at)
}

// Witnessed reports whether all of some times were seen when they came, so that
// what lies between them can be measured.
func (s *Snapshot) Witnessed(times ...time.Time) bool {
	return s.sightings == nil || !slices.ContainsFunc(times, func(at time.Time) bool { return !s.sightings.witnessed(at) })
}

// SeenBy returns the snapshot as a machine with these sightings has it.
func (s *Snapshot) SeenBy(sightings *Sightings) *Snapshot {
	view := *s
	view.sightings = sightings
	return &view
}

// timesOf returns the times in a record that something is decided by. A field
// that is compared with a clock anywhere belongs here.
func timesOf(rec model.Record) []time.Time {
	switch rec := rec.(type) {
	case *model.Cell:
		return []time.Time{rec.RegisteredAt}
	case *model.ActualInstance:
		return timesOfActual(rec)
	case *model.Ledger:
		var times []time.Time
		for _, permit := range rec.Permits {
			for _, at := range permit.Times {
				times = append(times, at)
			}
		}
		return times
	case *model.Claim:
		return []time.Time{rec.At, rec.DownSince}
	case *model.Plan:
		return timesOfPlan(rec)
	case *model.Roll:
		return timesOfRoll(rec)
	case *model.Stuck:
		return []time.Time{rec.Since, rec.FlaggedAt, rec.RecoveredAt}
	case *model.Event:
		if rec.Stuck != nil { // somebody may have yet to be told
			return []time.Time{rec.At}
		}
	case *model.Volume:
		if rec.Ending {
			return []time.Time{rec.EndedAt}
		}
	}
	return nil
}

func timesOfActual(actual *model.ActualInstance) []time.Time {
	var times []time.Time
	if actual.State == model.Blocked {
		times = append(times, actual.Since)
	}
	if task := actual.Disruption; task != nil {
		times = append(times, task.StoppingAt, task.StartedAt)
	}
	return times
}

func timesOfPlan(plan *model.Plan) []time.Time {
	var times []time.Time
	if !plan.Finished() {
		times = append(times, plan.CreatedAt)
	}
	if plan.Converging != nil {
		times = append(times, plan.Converging.QuietAt)
	}
	return times
}

func timesOfRoll(roll *model.Roll) []time.Time {
	if roll.Phase.Final() {
		return nil
	}
	times := []time.Time{roll.Began, roll.AtGate, roll.BackAt}
	for _, entry := range roll.Timeline {
		times = append(times, entry.At)
	}
	return times
}
