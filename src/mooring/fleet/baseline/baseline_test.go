package baseline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/fleet/baseline"
	"mooring/sequence"
)

// thirty gives 30 cells of one AZ, of a minute each but the first, which takes
// ten and shares an app of limit 1 with the second. A tenth of them is three.
func thirty() (*sequence.Problem, []time.Duration) {
	p := &sequence.Problem{Apps: []sequence.App{{Limit: 1}}, Cells: make([]sequence.Cell, 30)}
	durations := make([]time.Duration, 30)
	for c := range durations {
		durations[c] = time.Minute
	}
	durations[0] = 10 * time.Minute
	p.Cells[0].Uses = []sequence.Use{{App: 0, N: 1}}
	p.Cells[1].Uses = []sequence.Use{{App: 0, N: 1}}
	return p, durations
}

func TestInOrderNothingPassesACellThatWaits(t *testing.T) {
	p, d := thirty()
	// 10 minutes for the first alone, then 29 cells three at a time.
	NewWithT(t).Expect(baseline.InOrder(p, d)).To(Equal(20 * time.Minute))
}

func TestInOrderGoesAZByAZByTheIDsAndNotByPlace(t *testing.T) {
	g := NewWithT(t)
	p := &sequence.Problem{Apps: []sequence.App{{Limit: 1}}, Cells: make([]sequence.Cell, 40)}
	durations := make([]time.Duration, 40)
	for c := range p.Cells { // neighbours share the app, two of four cells
		p.Cells[c].ID, p.Cells[c].AZ = fmt.Sprint("cell-", c), c/20
		durations[c] = time.Minute
		if c%4 < 2 {
			p.Cells[c].Uses = []sequence.Use{{App: 0, N: 1}}
		}
	}
	took := baseline.InOrder(p, durations)
	slices.Reverse(p.Cells)
	for c := range p.Cells {
		p.Cells[c].AZ = 1 - p.Cells[c].AZ
	}
	g.Expect(baseline.InOrder(p, durations)).To(Equal(took), "the order of the cells in the fleet says nothing")
}

func TestThreadsGoOnBesideOneThatWaits(t *testing.T) {
	p, d := thirty()
	// One thread rolls the first, one waits with the second, the third rolls 10
	// of the other 28; then all three roll the rest.
	NewWithT(t).Expect(baseline.Threads(p, d)).To(Equal(17 * time.Minute))
}

func TestAQueueIsAsGoodAsItsWindowIsWide(t *testing.T) {
	g := NewWithT(t)
	p, d := thirty()
	g.Expect(baseline.FIFO(p, d, 30)).To(Equal(11 * time.Minute))
	g.Expect(baseline.FIFO(p, d, 1)).To(Equal(39 * time.Minute))
}

func TestAWaveEndsWithItsLongestCell(t *testing.T) {
	g := NewWithT(t)
	p, d := thirty()
	g.Expect(baseline.Waves(p, d, 1)).To(Equal(11 * time.Minute))
	p.Apps[0].Limit = 0
	g.Expect(baseline.Waves(p, d, 1)).To(Equal(time.Minute), "two can never roll")
}
