package sequence

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// together is one app over jobs of these minutes.
func together(limit int, minutes ...int) *Problem {
	p := &Problem{Apps: []App{{Name: "app", Limit: limit}}}
	for _, m := range minutes {
		p.Cells = append(p.Cells, Cell{Expected: time.Duration(m) * time.Minute, Uses: []Use{{App: 0, N: 1}}})
	}
	return p
}

func TestBoundSaysWhoSetsItAndWhatRaisingBuys(t *testing.T) {
	g := NewWithT(t)
	m := time.Minute
	g.Expect(Bound(together(1, 3, 4, 5), nil)).To(Equal(Lower{Makespan: 12 * m, App: 0, Why: ByApp, Raised: 7 * m}))
	g.Expect(Bound(together(2, 3, 3, 3), nil).Makespan).To(Equal(6*m), "two of three share a place")
	g.Expect(Bound(together(2, 5, 1, 1), nil)).To(Equal(Lower{Makespan: 5 * m, App: -1, Why: ByCell, Raised: 5 * m}))

	p := together(3, 4, 4, 4)
	p.MaxInFlight = 1
	g.Expect(Bound(p, nil)).To(Equal(Lower{Makespan: 12 * m, App: -1, Why: ByCeiling, Raised: 12 * m}))
	p.MaxInFlight, p.Canaries = 0, 1
	g.Expect(Bound(p, nil).Makespan).To(BeNumerically("~", 20*m/3, time.Second), "one canary leaves two places empty")
	p.Canaries, p.AZSerial, p.Cells[2].AZ = 0, true, 1
	g.Expect(Bound(p, nil).Makespan).To(Equal(8 * m))
	p.Cells[0].State, p.Cells[2].State, p.Cells[2].Elapsed = Rolled, Running, m
	g.Expect(Bound(p, nil).Makespan).To(Equal(7 * m))
}

func TestCellsThatExcludeEachOtherThroughDifferentAppsGoOneByOne(t *testing.T) {
	g := NewWithT(t)
	m := time.Minute
	p := &Problem{Apps: []App{{Limit: 1}, {Limit: 1}, {Limit: 3}}, Cells: []Cell{
		{Expected: 3 * m, Uses: []Use{{App: 0, N: 1}, {App: 1, N: 1}}}, {Expected: 4 * m, Uses: []Use{{App: 0, N: 1}, {App: 2, N: 2}}}, {Expected: 5 * m, Uses: []Use{{App: 1, N: 1}, {App: 2, N: 2}}}, {Expected: 6 * m},
	}}
	bound := Bound(p, nil)
	g.Expect(bound).To(Equal(Lower{Makespan: 12 * m, App: -1, Cells: []int{2, 1, 0}, Apps: []int{0, 1, 2}, Why: ByCells, Raised: 12 * m}))
	g.Expect(shortestPlan(p)).To(Equal(bound.Makespan))
	p.Cells[1].Uses[1].Hold, p.Cells[2].Uses[1].Hold = m, m
	g.Expect(Bound(p, nil).Why).To(Equal(ByApp), "what moves holds its budget for a minute only")
	p.Cells[1].Uses[1].Hold, p.Cells[2].Uses[1].Hold = 0, 0
	p.Cells[0].State = Running
	g.Expect(Bound(p, nil).Makespan).To(Equal(9*m), "what is in roll already was allowed to be")
}

// shortestPlan tries every order with both modes; for jobs without holds and
// ceilings some order of the greedy dispatcher is optimal.
func shortestPlan(p *Problem) time.Duration {
	best := time.Duration(-1)
	order := rollable(p)
	var try func(k int)
	try = func(k int) {
		if k == len(order) {
			if m := Simulate(p, &Plan{Order: order, Mode: Tickets}, nil).Makespan; best < 0 || m < best {
				best = m
			}
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			try(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	try(0)
	return best
}

func TestNoPlanBeatsTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		p.Cells = p.Cells[:min(len(p.Cells), 5)]
		g.Expect(Bound(p, nil).Makespan).To(BeNumerically("<=", shortestPlan(p)))
	})
}

func TestWhoKeepsMostCellsApartIsNamedFirst(t *testing.T) {
	g := NewWithT(t)
	m := time.Minute
	p := &Problem{Apps: []App{{Limit: 1}, {Limit: 1}, {Limit: 2}, {Limit: 1}}, Cells: []Cell{
		{Expected: m, Uses: []Use{{App: 0, N: 1}, {App: 2, N: 1}}}, {Expected: m, Uses: []Use{{App: 1, N: 1}, {App: 2, N: 1}}},
		{Expected: m, Uses: []Use{{App: 0, N: 1}, {App: 1, N: 1}}}, {Expected: m, Uses: []Use{{App: 1, N: 1}, {App: 0, N: 1}}}, {Expected: m, Uses: []Use{{App: 3, N: 1}}},
	}}
	p.Cells[0].Uses = append(p.Cells[0].Uses, Use{App: 3, N: 1})
	p.Cells[1].Uses = append(p.Cells[1].Uses, Use{App: 3, N: 1})
	bound := Bound(p, nil)
	g.Expect(bound.Why).To(Equal(ByCells))
	g.Expect(bound.Cells).To(ConsistOf(0, 1, 2, 3))
	g.Expect(bound.Apps).To(Equal([]int{0, 1, 3}), "each of the first two keeps three pairs apart, the last one pair; two of the third may be away")
	p.AZSerial = true
	g.Expect(Bound(p, nil).Apps).To(Equal([]int{0, 1, 3}))
}
