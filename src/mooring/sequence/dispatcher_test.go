package sequence

import (
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// startable says by the definition, without any bookkeeping, which waiting
// cells may start as far as the apps are concerned.
func startable(d *Dispatcher, down []int32, apart map[int]bool) []int {
	p := d.p
	n := func(c, a int) int32 {
		for _, use := range p.Cells[c].Uses {
			if int(use.App) == a {
				return use.N
			}
		}
		return 0
	}
	room := make([]int32, len(p.Apps))
	for a := range room {
		room[a] = int32(p.Apps[a].Limit) - down[a]
		for c := range p.Cells {
			if d.state[c] == StuckHolding {
				room[a] -= n(c, a)
			}
		}
	}
	aside := func(c int) bool {
		for a := range room {
			if k := n(c, a); k > 0 && k > room[a] {
				return true
			}
		}
		return apart[c]
	}
	var may []int
	for _, c := range d.order {
		if d.state[c] != Waiting || aside(c) {
			continue
		}
		ok := true
		for a := range room {
			k := n(c, a)
			if k == 0 {
				continue
			}
			left := room[a] - k
			for _, o := range d.order {
				if d.state[o] == Running {
					left -= n(o, a)
				}
			}
			for _, o := range d.order {
				if o == c {
					break
				}
				if d.mode == Tickets && d.state[o] == Waiting && !aside(o) {
					left -= n(o, a)
				}
			}
			ok = ok && left >= 0
		}
		if ok {
			may = append(may, c)
		}
	}
	return may
}

func TestDispatcherAgreesWithItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		p.AZSerial, p.Canaries, p.MaxInFlight = false, 0, 0
		if len(p.Cells) == 0 || len(p.Apps) == 0 {
			t.Skip()
		}
		d := NewDispatcher(p, &Plan{
			Order: rapid.Permutation(rollable(p)).Draw(t, "order"),
			Mode:  rapid.SampledFrom([]Mode{Tickets, Greedy}).Draw(t, "mode"),
		})
		down := make([]int32, len(p.Apps))
		apart := map[int]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			var got []int
			for _, c := range d.order {
				if d.missing[c] == 0 && d.inLine(int32(c)) && (d.mode == Tickets || d.blocker(int32(c)) < 0) {
					got = append(got, c)
				}
			}
			want := startable(d, down, apart)
			g.Expect(got).To(Equal(want))
			next, ok := d.Next()
			g.Expect(ok).To(Equal(len(want) > 0))
			if ok {
				g.Expect(next).To(Equal(want[0]))
			}
			c := rapid.IntRange(0, len(p.Cells)-1).Draw(t, "cell")
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1:
				if ok {
					d.Start(next)
				}
			case 2:
				d.Complete(c)
			case 3:
				d.Stop(c, d.State(c) == Running && rapid.Bool().Draw(t, "holding"))
			case 4:
				a := rapid.IntRange(0, len(p.Apps)-1).Draw(t, "app")
				more := max(-down[a], int32(rapid.IntRange(-2, 2).Draw(t, "more")))
				down[a] += more
				d.Down(a, int(more))
			case 5:
				d.Start(c) // against the order, or after it was stuck
			case 6:
				d.SetAside(c, !apart[c])
				apart[c] = !apart[c]
			}
		}
	})
}

func TestCanariesGoAloneAndHoldThePlanWhenStuck(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Canaries = 1
	d := NewDispatcher(p, &Plan{Order: []int{0, 2, 1}})
	d.Start(0)
	_, ok := d.Next()
	g.Expect(ok).To(BeFalse(), "c2 would fit, but the canary is out")
	d.Stop(0, false)
	_, ok = d.Next()
	g.Expect(ok).To(BeFalse(), "the canary is stuck")
	d.Start(0)
	d.Complete(0)
	c, ok := d.Next()
	g.Expect(ok).To(BeTrue())
	g.Expect(c).To(Equal(2))
}

func TestADispatcherMadeAnewGoesOnWhereTheOldOneWas(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Cells[1].State = StuckHolding
	p.Apps[1].Limit = 2
	d := NewDispatcher(p, &Plan{Order: []int{0, 1, 2}})
	c, ok := d.Next()
	g.Expect(ok).To(BeTrue())
	g.Expect(c).To(Equal(2), "c0 needs what c1 holds")
	d.Complete(1)
	c, _ = d.Next()
	g.Expect(c).To(Equal(0))
}
