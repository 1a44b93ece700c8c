package demo

import (
	"slices"
	"time"

	"mooring/kits/redis/watch"
)

// failure is an instance that the demo killed on purpose.
type failure struct {
	at    time.Time
	index int
}

// Times around a failure: an outage that begins within aftermath of it is its
// consequence, and what was granted before the failure was known may still
// begin within grace.
const (
	aftermath = 5 * time.Second
	grace     = 3 * time.Second
)

// violations counts how often an instance was taken down while the budget was
// spent. An outage that a failure explains takes from the budget, but is no
// violation itself.
func violations(t watch.Timeline, allowed int, failures []failure) int {
	count := 0
	for _, span := range t.Spans {
		if explained(span, failures) {
			continue
		}
		down := 1
		for _, other := range t.Spans {
			if other.Index == span.Index || other.From.After(span.From) || !other.To.After(span.From) {
				continue
			}
			if explained(other, failures) && span.From.Before(other.From.Add(grace)) {
				continue
			}
			down++
		}
		if down > allowed {
			count++
		}
	}
	return count
}

// explained reports whether an outage is the consequence of a failure: it is
// of the instance that was killed, or of one that lost nothing but its primary.
func explained(span watch.Span, failures []failure) bool {
	orphaned := !slices.ContainsFunc(span.Causes, func(cause string) bool { return cause != watch.Behind })
	return slices.ContainsFunc(failures, func(f failure) bool {
		return (span.Index == f.index || orphaned) && !span.To.Before(f.at) && span.From.Before(f.at.Add(aftermath))
	})
}
