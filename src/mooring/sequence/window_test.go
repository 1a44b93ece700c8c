package sequence

import (
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestNothingStartsWhileTheWindowIsClosed(t *testing.T) {
	g := NewWithT(t)
	p, m := chain(), time.Minute
	p.Cells[0].Expected = 3 * m
	plan := &Plan{Order: []int{0, 1, 2}}
	p.Window = minutes(2, 60, 0)
	line := Simulate(p, plan, nil)
	g.Expect(line.Start).To(Equal([]time.Duration{0, 60 * m, 61 * m}), "what runs is finished, what waits waits for the opening")
	g.Expect(line.Makespan).To(Equal(62 * m))

	p.Window = minutes(2, 60, 30)
	g.Expect(Simulate(p, plan, nil).Start).To(Equal([]time.Duration{30 * m, 90 * m, 91 * m}), "it is closed now")

	p.Cells[0].State, p.Cells[0].Elapsed = Running, m
	g.Expect(Simulate(p, plan, nil).Start).To(Equal([]time.Duration{-m, 30 * m, 31 * m}), "what has started goes on")

	p.Window = func(at time.Duration) (bool, time.Duration) { return false, at }
	g.Expect(Simulate(p, plan, nil).Start).To(Equal([]time.Duration{-m, -1, -1}), "it never opens")
}

func TestAnOrderIsPlannedAsIfTheWindowWereOpen(t *testing.T) {
	g := NewWithT(t)
	modes := map[Mode]bool{}
	for seed := range uint64(20) {
		random, p := rand.New(rand.NewPCG(seed, 0)), &Problem{}
		p.Cells = make([]Cell, 24)
		for a := range int32(16) {
			p.Apps = append(p.Apps, App{Limit: 1})
			for _, c := range random.Perm(len(p.Cells))[:4] {
				p.Cells[c].Uses = append(p.Cells[c].Uses, Use{App: a, N: 1})
			}
		}
		order, bound := Order(p), Bound(p, nil)
		p.Window = minutes(1, 600, 300)
		g.Expect(Order(p)).To(Equal(order))
		g.Expect(Bound(p, nil)).To(Equal(bound))
		modes[order.Mode] = true
	}
	g.Expect(modes).To(HaveLen(2), "both ways should be tried")
}
