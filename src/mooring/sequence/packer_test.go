package sequence

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestTimingIsWhatTheDispatcherDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		p.AZSerial, p.Canaries, p.MaxInFlight = false, 0, 0
		order := rapid.Permutation(rollable(p)).Draw(t, "order")
		g.Expect(newTiming(p).makespan(order, p.Expected())).To(Equal(Simulate(p, &Plan{Order: order}, nil).Makespan))
	})
}

func TestPackingKeepsEveryLimitInEverySlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		cells := rollable(p)
		k := newPacker(p, cells, p.Expected(), Bound(p, nil).Makespan)
		last := k.pack(rapid.Permutation(cells).Draw(t, "order"))
		taken := make([][]int32, len(p.Apps)+1)
		for a := range taken {
			taken[a] = make([]int32, last)
		}
		for _, c := range cells {
			for s := k.start[c]; s < k.start[c]+k.length[c]; s++ {
				taken[len(p.Apps)][s]++
				for i, use := range p.Cells[c].Uses {
					if use.Hold == 0 || s-k.start[c] < holdOf(k, c, i, p) {
						taken[use.App][s] += use.N
					}
				}
			}
		}
		for a, app := range p.Apps {
			for _, n := range taken[a] {
				g.Expect(int(n)).To(BeNumerically("<=", app.Limit))
			}
		}
		if p.MaxInFlight > 0 {
			for _, n := range taken[len(p.Apps)] {
				g.Expect(int(n)).To(BeNumerically("<=", p.MaxInFlight))
			}
		}
	})
}

// holdOf gives for how many slots a cell's i-th use is spent; uses of apps that
// are never short are spent for none that matters.
func holdOf(k *packer, c, i int, p *Problem) int {
	slot := Bound(p, nil).Makespan / slotsPerBound
	return max(1, int((p.Cells[c].Uses[i].Hold+slot/2)/max(1, slot)))
}

func TestPackingFillsHoles(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	k := newPacker(p, rollable(p), p.Expected(), Bound(p, nil).Makespan)
	k.pack([]int{1, 0, 2})
	g.Expect(k.start).To(Equal([]int{256, 0, 256}))
	k.pack([]int{0, 1, 2})
	g.Expect(k.start).To(Equal([]int{0, 256, 0}))
	g.Expect(k.byStart()).To(Equal([]int{0, 2, 1}))
}

func TestSpreadMarksTheSlotsThatAreTooCloseBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		var busy row
		slots := rapid.SliceOfN(rapid.IntRange(0, horizon-1), 0, 5).Draw(t, "busy")
		for _, s := range slots {
			busy[s/64] |= 1 << (s % 64)
		}
		length := rapid.IntRange(1, 300).Draw(t, "length")
		bad := spread(&busy, length)
		for s := range horizon {
			near := slices.ContainsFunc(slots, func(b int) bool { return b >= s && b < s+length })
			g.Expect(bad[s/64]>>(s%64)&1 == 1).To(Equal(near), "slot %d", s)
		}
	})
}

func TestPlansAreWholeAndKeepEveryLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		steps := 0
		first := Order(p)
		better := Improve(p, first, func() bool { steps++; return steps < 30 })
		for _, plan := range []*Plan{first, better} {
			g.Expect(Check(p, Simulate(p, plan, nil)).Violations).To(BeEmpty())
			g.Expect(plan.Order).To(ConsistOf(rollable(p)))
		}
	})
}

func TestColumnsAreRolledAtTheBound(t *testing.T) {
	g := NewWithT(t)
	p := &Problem{} // 20 columns of 6 cells, an app of limit 1 on each
	for column := range 20 {
		p.Apps = append(p.Apps, App{Limit: 1})
		for domain := range 6 {
			p.Cells = append(p.Cells, Cell{
				AZ: domain % 3, Domain: domain / 3, Expected: time.Duration(3+column%5+domain) * time.Minute,
				Uses: []Use{{App: int32(column), N: 1}},
			})
		}
	}
	g.Expect(Simulate(p, Order(p), nil).Makespan).To(Equal(Bound(p, nil).Makespan))
}
