package watch

import (
	"sort"
	"time"
)

// Span is a time during which one node did not serve.
type Span struct {
	Index int       `json:"index"`
	From  time.Time `json:"from"`
	// To is when it served again, or the end of the timeline.
	To time.Time `json:"to"`
	// Causes are what was wrong, in order, without repetitions next to each
	// other.
	Causes []string `json:"causes"`
}

// Timeline is what was seen.
type Timeline struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Indexes []int     `json:"indexes"`
	Spans   []Span    `json:"spans"`
}

// Of gives the spans of one node, in order.
func (t Timeline) Of(index int) []Span {
	var spans []Span
	for _, span := range t.Spans {
		if span.Index == index {
			spans = append(spans, span)
		}
	}
	return spans
}

// Down lists the nodes that did not serve at a time, in order.
func (t Timeline) Down(at time.Time) []int {
	var down []int
	for _, span := range t.Spans {
		if !at.Before(span.From) && at.Before(span.To) {
			down = append(down, span.Index)
		}
	}
	sort.Ints(down)
	return down
}

// Most gives the largest number of nodes that did not serve at once, and when
// that was first so.
func (t Timeline) Most() (int, time.Time) {
	most, when := 0, time.Time{}
	for _, span := range t.Spans {
		// The number grows only where a span begins.
		if down := len(t.Down(span.From)); down > most || down == most && span.From.Before(when) {
			most, when = down, span.From
		}
	}
	return most, when
}

func (t *Timeline) sort() {
	sort.Ints(t.Indexes)
	sort.Slice(t.Spans, func(i, j int) bool {
		a, b := t.Spans[i], t.Spans[j]
		if !a.From.Equal(b.From) {
			return a.From.Before(b.From)
		}
		return a.Index < b.Index
	})
}
