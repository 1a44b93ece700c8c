package sequence

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// midway puts a fleet in the middle of its maintenance: cells that are rolled,
// in roll for some time or stuck, and apps that are degraded. Running cells fit
// together, as they were let go one by one.
func midway(t *rapid.T, p *Problem) {
	away, inFlight := make([]int, len(p.Apps)), 0
	for a := range p.Apps {
		p.Apps[a].Down = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "down")
		away[a] = p.Apps[a].Down
	}
	for c := range p.Cells {
		cell := &p.Cells[c]
		cell.State = rapid.SampledFrom([]State{Waiting, Waiting, Waiting, Running, Rolled, Stuck, StuckHolding, Begun}).Draw(t, "state")
		if !holds(cell.State) {
			continue
		}
		foreign := rapid.IntRange(0, 2).Draw(t, "foreign") == 0
		fits := foreign || p.MaxInFlight == 0 || inFlight < p.MaxInFlight
		for _, use := range usesHeld(cell) {
			fits = fits && away[use.App]+int(use.N) <= p.Apps[use.App].Limit
		}
		if !fits {
			cell.State = Waiting
			continue
		}
		cell.Foreign = foreign
		inFlight += b2i(!foreign)
		for _, use := range usesHeld(cell) {
			away[use.App] += int(use.N)
		}
		if cell.State == Running {
			cell.Elapsed = time.Duration(rapid.IntRange(0, 12).Draw(t, "elapsed")) * time.Minute
		}
	}
}

// usesHeld gives what a cell that was let go holds: nothing while it waits.
func usesHeld(cell *Cell) []Use {
	if cell.State == Begun {
		return nil
	}
	return cell.Uses
}

func TestAPlanGoesOnFromWhereverTheFleetStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		p.Canaries, p.AZSerial, p.Window = 0, false, drawWindow(t)
		midway(t, p)
		g.Expect(p.Validate()).To(Succeed())
		plan := Order(p)
		for _, mode := range []Mode{Tickets, Greedy} {
			plan.Mode = mode
			line := Simulate(p, plan, nil)
			g.Expect(Check(p, line).Violations).To(BeEmpty())
			g.Expect(line.Makespan).To(BeNumerically(">=", boundOf(p, rolledIn(p, line), nil).Makespan))
			for c := range p.Cells {
				switch p.Cells[c].State {
				case Rolled, Stuck, StuckHolding:
					g.Expect(line.Start[c]).To(Equal(time.Duration(-1)), "cell %d is left alone", c)
				case Running:
					g.Expect(line.Start[c]).To(Equal(-p.Cells[c].Elapsed), "cell %d has started", c)
				case Waiting, Begun:
					g.Expect(line.Start[c] >= 0).To(Equal(canEver(p, c)), "cell %d", c)
				}
			}
		}
	})
}

// rolledIn gives what was left of the cells that a timeline rolls.
func rolledIn(p *Problem, line *Timeline) []time.Duration {
	left := p.left(p.Expected())
	for c := range left {
		if line.End[c] < 0 {
			left[c] = 0
		}
	}
	return left
}

// canEver says whether a cell that waits can start once all that moves has
// ended.
func canEver(p *Problem, c int) bool {
	held, inFlight := make([]int, len(p.Apps)), 0
	for o := range p.Cells {
		if p.Cells[o].State == StuckHolding {
			inFlight += b2i(!p.Cells[o].Foreign)
			for _, use := range p.Cells[o].Uses {
				held[use.App] += int(use.N)
			}
		}
	}
	fits := func(c int) bool {
		for _, use := range p.Cells[c].Uses {
			if app := &p.Apps[use.App]; held[use.App]+app.Down+int(use.N) > app.Limit {
				return false
			}
		}
		return true
	}
	for o := range p.Cells {
		inFlight += b2i(p.Cells[o].State == Begun && !p.Cells[o].Foreign && !fits(o)) // it keeps its place
	}
	return fits(c) && (p.Cells[c].State == Begun || p.MaxInFlight == 0 || inFlight < p.MaxInFlight)
}

// six cells of two AZs without any app.
func six() *Problem {
	p := &Problem{}
	for c := range 6 {
		p.Cells = append(p.Cells, Cell{AZ: c % 2, Expected: time.Duration(c+1) * time.Minute})
	}
	return p
}

// most gives how many rolls of a timeline overlap at most.
func most(line *Timeline) int {
	most := 0
	for _, at := range line.Start {
		n := 0
		for o := range line.Start {
			if line.Start[o] <= at && at < line.End[o] {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestTheCeilingIsReachedAndNeverPassed(t *testing.T) {
	g := NewWithT(t)
	p := six()
	g.Expect(most(Simulate(p, Order(p), nil))).To(Equal(6))
	p.MaxInFlight = 2
	g.Expect(most(Simulate(p, Order(p), nil))).To(Equal(2))
	p.Cells[0].State = StuckHolding // it counts for as long as its instances are away
	line := Simulate(p, Order(p), nil)
	line.Start[0], line.End[0] = 0, time.Hour
	g.Expect(most(line)).To(Equal(2))
}

func TestCanariesThatAreRolledNeedNoMore(t *testing.T) {
	g := NewWithT(t)
	p := six()
	p.Canaries = 2
	line := Simulate(p, Order(p), nil)
	g.Expect(line.Makespan).To(Equal(9*time.Minute), "1 and 2 alone, then all")
	p.Cells[0].State = Rolled
	g.Expect(Simulate(p, Order(p), nil).Makespan).To(Equal(8*time.Minute), "one more alone")
	p.Cells[1].State = Rolled
	g.Expect(Simulate(p, Order(p), nil).Makespan).To(Equal(6 * time.Minute))
}

func TestAnAZThatHasBegunIsFinishedFirst(t *testing.T) {
	g := NewWithT(t)
	p := six()
	p.AZSerial = true
	line := Simulate(p, Order(p), nil)
	g.Expect(line.Makespan).To(Equal(11*time.Minute), "5 for one AZ, 6 for the other")
	g.Expect(Bound(p, nil).Makespan).To(Equal(line.Makespan))
	p.Cells[1].State = Rolled
	line = Simulate(p, Order(p), nil)
	g.Expect(line.Start).To(Equal([]time.Duration{6 * time.Minute, -1, 6 * time.Minute, 0, 6 * time.Minute, 0}))
}

func TestAnOrderIsJudgedByWhatIsInRollAlready(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		p.Canaries, p.AZSerial, p.MaxInFlight = 0, false, 0
		midway(t, p)
		for a := range p.Apps {
			p.Apps[a].Down = 0
		}
		for c := range p.Cells {
			for i := range p.Cells[c].Uses {
				p.Cells[c].Uses[i].Hold = 0
			}
			// Neither what others roll nor what can no longer start is in the order.
			out := p.Cells[c].Foreign || stuck(p.Cells[c].State)
			for _, use := range p.Cells[c].Uses {
				out = out || p.Cells[c].State == Begun && int(use.N) > p.Apps[use.App].Limit
			}
			if out {
				p.Cells[c].State, p.Cells[c].Foreign = Rolled, false
			}
		}
		order := rollable(p)
		pl := newPlanner(p, order)
		slices.Reverse(order) // those in roll last
		for range 5 {
			tickets := pl.try("drawn", order)
			g.Expect(tickets.exact).To(Equal(Simulate(p, &Plan{Order: order, Mode: Tickets}, nil).Makespan))
			g.Expect(pl.tryGreedy(tickets).exact).To(Equal(Simulate(p, &Plan{Order: order, Mode: Greedy}, nil).Makespan))
			if len(order) > 0 {
				order = rapid.Permutation(order).Draw(t, "order")
			}
		}
	})
}

func TestWhatHasBegunIsHeldBackByNoGate(t *testing.T) {
	g := NewWithT(t)
	p, m := chain(), time.Minute
	p.Cells[0].State, p.Cells[1].State, p.Cells[1].Elapsed = Begun, Running, 0
	p.MaxInFlight, p.Canaries, p.Window = 2, 1, minutes(1, 60, 30)
	line := Simulate(p, &Plan{Order: []int{2, 1, 0}}, nil)
	g.Expect(line.Start).To(Equal([]time.Duration{m, 0, 30 * m}), "it waits for its budget alone")

	p.Canaries, p.Window, p.Cells[1].State = 0, nil, StuckHolding
	p.Cells[2].Uses = nil
	g.Expect(Simulate(p, &Plan{Order: []int{2, 1, 0}}, nil).Start).To(HaveEach(time.Duration(-1)), "waiting, it keeps its place among those in flight")
	p.MaxInFlight = 3
	g.Expect(Simulate(p, &Plan{Order: []int{2, 1, 0}}, nil).Start[2]).To(BeZero())
}

func TestWhatIsInRollForSomebodyElseOnlySpendsBudgets(t *testing.T) {
	g := NewWithT(t)
	p, m := chain(), time.Minute
	p.Cells[1].State, p.Cells[1].Elapsed, p.Cells[1].Foreign = Running, 20*time.Second, true
	p.Cells[2].Uses, p.Cells[1].Expected = nil, 10*m
	p.MaxInFlight, p.Canaries = 1, 1
	line := Simulate(p, &Plan{Order: []int{0, 2, 1}}, nil)
	g.Expect(line.Start).To(Equal([]time.Duration{580 * time.Second, -20 * time.Second, 0}), "c0 waits for its budget, c2 for nothing, and is the canary")
	g.Expect(line.Makespan).To(Equal(640 * time.Second))
	g.Expect(Bound(p, nil).Makespan).To(Equal(2*m), "by the ceiling")
	g.Expect(Check(p, line).Violations).To(BeEmpty())

	p.Cells[0].Uses = nil
	g.Expect(Simulate(p, &Plan{Order: []int{0, 2, 1}}, nil).Makespan).To(Equal(2*m), "nobody waits for it to end")

	p.Cells[1].State = Waiting
	g.Expect(p.Validate()).To(MatchError(ContainSubstring("has not begun")))
}
