package estimate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/estimate"
	"mooring/model"
)

// nature knows how long things really take: lognormal, each app and each kind
// of host in its own way.
type nature struct {
	*rand.Rand
	host  [2]float64 // the middle and the spread of the logarithm of seconds
	stops map[string][2]float64
	backs map[string][2]float64
}

func newNature(seed uint64, apps int) *nature {
	r := rand.New(rand.NewPCG(seed, 1))
	own := func(middle float64) [2]float64 {
		return [2]float64{math.Log(middle) + r.NormFloat64(), 0.1 + 0.6*r.Float64()}
	}
	n := &nature{Rand: r, host: own(200), stops: map[string][2]float64{}, backs: map[string][2]float64{}}
	for a := range apps {
		guid := fmt.Sprintf("app-%d", a)
		n.stops[guid], n.backs[guid] = own(60), own(20)
	}
	return n
}

func (n *nature) take(of [2]float64) time.Duration {
	return time.Duration(math.Exp(of[0]+of[1]*n.NormFloat64()) * float64(time.Second))
}

// roll really rolls a cell of some apps, and remembers what was measured.
func (n *nature) roll(m memory, apps []*model.App, at time.Time) time.Duration {
	var stops, backs time.Duration
	for _, a := range apps {
		stop, back := n.take(n.stops[a.GUID]), n.take(n.backs[a.GUID])
		m.learn(a.GUID, estimate.Handler(model.Interrupt), at, stop)
		m.learn(a.GUID, estimate.Return, at, back)
		stops, backs = max(stops, stop), max(backs, back+a.Policy.HealthyFor.D())
	}
	host := n.take(n.host)
	m.learn(model.Hosts, away, at, host)
	return stops + host + backs
}

// TestRangesAreRightAsOftenAsTheySay rolls one fleet after the other from a
// time at which nothing is known, foretelling each roll just before it begins.
func TestRangesAreRightAsOftenAsTheySay(t *testing.T) {
	const fleets, apps, rolls, perCell = 60, 12, 60, 4
	var early, known model.Tally // the first ten rolls of a fleet, and the rest
	for seed := range uint64(fleets) {
		n, m := newNature(seed, apps), memory{}
		for i := range rolls {
			at := noon.Add(time.Duration(i) * time.Hour)
			roll := m.known(at, noon).Roll(model.Recreate)
			var on []*model.App
			for _, a := range n.Perm(apps)[:perCell] {
				on = append(on, app(fmt.Sprintf("app-%d", a)))
				roll.Interrupt(on[len(on)-1])
			}
			foreseen := roll.Range().Foreseen()
			tally := &known
			if i < 10 {
				tally = &early
			}
			*tally = estimate.Count(*tally, foreseen, n.roll(m, on, at))
		}
	}
	t.Logf("of the first ten %+v, later %+v", early, known)
	g := NewWithT(t)
	share := func(n int, of model.Tally) float64 { return float64(n) / float64(of.Early+of.Within+of.Late) }
	g.Expect(share(known.Within, known)).To(BeNumerically("~", 0.40, 0.05))
	g.Expect(share(known.Late, known)).To(BeNumerically("~", 0.10, 0.02))
	g.Expect(share(early.Within, early)).To(BeNumerically("~", 0.40, 0.10))
	g.Expect(share(early.Late, early)).To(BeNumerically("<", 0.17), "what nature does is three times what is taken for granted of handlers")
}
