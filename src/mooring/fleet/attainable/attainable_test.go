package attainable_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet/attainable"
	"mooring/sequence"
)

// scattered has apps of n instances and a limit, each on cells drawn at random.
func scattered(cells, apps, n, limit int, seed uint64) *sequence.Problem {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &sequence.Problem{Cells: make([]sequence.Cell, cells)}
	for a := range apps {
		p.Apps = append(p.Apps, sequence.App{Limit: limit})
		for _, c := range r.Perm(cells)[:n] {
			p.Cells[c].Uses = append(p.Cells[c].Uses, sequence.Use{App: int32(a), N: 1})
		}
	}
	return p
}

// fewest tries every way to deal cells to rounds, for the fewest that will do.
func fewest(p *sequence.Problem) int {
	for rounds := 1; ; rounds++ {
		taken := make([][]int, rounds)
		for r := range taken {
			taken[r] = make([]int, len(p.Apps))
		}
		var deal func(c, used int) bool
		deal = func(c, used int) bool {
			if c == len(p.Cells) {
				return true
			}
			for r := range min(rounds, used+1) { // a first cell may open one new round
				fits := true
				for _, use := range p.Cells[c].Uses {
					taken[r][use.App]++
					fits = fits && taken[r][use.App] <= p.Apps[use.App].Limit
				}
				if fits && deal(c+1, max(used, r+1)) {
					return true
				}
				for _, use := range p.Cells[c].Uses {
					taken[r][use.App]--
				}
			}
			return false
		}
		if deal(0, 0) {
			return rounds
		}
	}
}

// What is said to be out of reach is: of fleets small enough to try every plan,
// next to none has one that is shorter.
func TestNoPlanIsShorterThanWhatIsAttainable(t *testing.T) {
	for _, row := range []struct{ cells, apps, n, limit int }{
		{12, 8, 4, 1}, {12, 16, 4, 1}, {14, 30, 3, 1}, {14, 20, 6, 2}, {15, 60, 5, 2}, {16, 12, 8, 2},
	} {
		const fleets = 60
		shorter, sum, said := 0, 0, 0.0
		for seed := range uint64(fleets) {
			p := scattered(row.cells, row.apps, row.n, row.limit, seed)
			bound := (row.n + row.limit - 1) / row.limit
			said = attainable.Ratio(p) * float64(bound)
			rounds := fewest(p)
			sum += rounds
			if float64(rounds) < said-1e-9 {
				shorter++
			}
		}
		t.Logf("%+v: %.0f rounds said to be needed, %.1f are", row, said, float64(sum)/fleets)
		NewWithT(t).Expect(shorter).To(BeNumerically("<=", fleets/20), "%+v", row)
		NewWithT(t).Expect(said).To(BeNumerically(">=", 0.6*float64(sum)/fleets), "it says something: %+v", row)
	}
}

func TestWhatIsAttainable(t *testing.T) {
	g := NewWithT(t)
	g.Expect(attainable.Ratio(scattered(100, 3, 10, 1, 1))).To(Equal(1.0), "few apps are in nobody's way")
	g.Expect(attainable.Ratio(scattered(100, 1, 10, 0, 1))).To(Equal(math.Inf(1)), "a limit of 0 is never kept")
	g.Expect(attainable.Ratio(&sequence.Problem{Cells: make([]sequence.Cell, 5)})).To(Equal(1.0), "no app, no limit")

	// Apps with one cell in each of three AZs: the AZs one after another.
	p := &sequence.Problem{Cells: make([]sequence.Cell, 300)}
	r := rand.New(rand.NewPCG(1, 1))
	for a := range 7000 {
		p.Apps = append(p.Apps, sequence.App{Limit: 1})
		for az := range 3 {
			c := az*100 + r.IntN(100)
			p.Cells[c].AZ = az
			p.Cells[c].Uses = append(p.Cells[c].Uses, sequence.Use{App: int32(a), N: 1})
		}
	}
	g.Expect(attainable.Ratio(p)).To(Equal(1.0))
	for c := range p.Cells {
		p.Cells[c].AZ = 0
	}
	g.Expect(attainable.Ratio(p)).To(BeNumerically(">", 5), "they would be, of one AZ")
}
