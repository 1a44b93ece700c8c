package demo

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/watch"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func outage(index int, from, to float64, causes ...string) watch.Span {
	if len(causes) == 0 {
		causes = []string{watch.Refused}
	}
	return watch.Span{Index: index, From: at(from), To: at(to), Causes: causes}
}

func TestAnOutageIsAViolationWhenTheBudgetIsSpent(t *testing.T) {
	killed := []failure{{at: at(10), index: 1}}
	for _, c := range []struct {
		name     string
		spans    []watch.Span
		failures []failure
		want     int
	}{
		{"one after the other", []watch.Span{outage(0, 0, 5), outage(1, 5, 9), outage(2, 9, 12)}, nil, 0},
		{"two at once", []watch.Span{outage(0, 0, 5), outage(1, 4.9, 9)}, nil, 1},
		{"three at once", []watch.Span{outage(0, 0, 9), outage(1, 1, 9), outage(2, 2, 9)}, nil, 2},
		{"a kill while one is interrupted", []watch.Span{outage(0, 8, 12), outage(1, 10, 13)}, killed, 0},
		{"a kill, and the replica that lost its primary", []watch.Span{outage(1, 10, 13), outage(4, 10.1, 13, watch.Behind)}, killed, 0},
		{"an interrupt that was granted just before the kill", []watch.Span{outage(1, 10, 13), outage(0, 10.5, 12)}, killed, 0},
		{"an interrupt while the killed one is long known to be down", []watch.Span{outage(1, 10, 20), outage(0, 15, 17)}, killed, 1},
		{"an interrupt that has nothing to do with the kill", []watch.Span{outage(1, 10, 13), outage(0, 20, 24), outage(2, 21, 22)}, killed, 1},
		{"the killed one again, much later", []watch.Span{outage(0, 29, 34), outage(1, 30, 31)}, killed, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			NewWithT(t).Expect(violations(watch.Timeline{Spans: c.spans}, 1, c.failures)).To(Equal(c.want))
		})
	}
}
