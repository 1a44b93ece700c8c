package orchestrator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/estimate"
	"mooring/fleet/generate"
	"mooring/model"
	"mooring/sequence"
)

// lognormal draws durations whose logarithm has a middle and a spread.
type lognormal struct{ middle, spread float64 }

func (l lognormal) draw(r *rand.Rand) time.Duration {
	return time.Duration(math.Exp(l.middle+l.spread*r.NormFloat64()) * float64(time.Second))
}

// guessed is a described fleet of which little was measured: it gives the
// survey of it, and what its plan really takes.
func guessed(t *testing.T, seed uint64, samples int) (*survey, func(*sequence.Plan) time.Duration) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	family := generate.Family{Cells: 24, AZs: 3, PerCell: 3, MinN: 3, MaxN: 8, Limits: generate.One, Error: generate.Unknown}
	described := family.Fleet(seed)
	if _, err := described.Place(); err != nil {
		t.Fatal(err)
	}
	s := &survey{}
	problem, _ := described.Problem()
	s.problem = *problem

	now := time.Unix(1e9, 0)
	memory := map[string]*model.Durations{}
	own := func(subject string, step estimate.Step, middle float64) lognormal {
		l := lognormal{math.Log(middle) + 0.7*r.NormFloat64(), 0.1 + 0.6*r.Float64()}
		for range samples {
			memory[subject] = estimate.Learn(memory[subject], subject, step, l.draw(r), now)
		}
		return l
	}
	host := own(model.Hosts, estimate.Host(model.Recreate, estimate.Away), 200)
	stops, backs := make([]lognormal, len(problem.Apps)), make([]lognormal, len(problem.Apps))
	for a, app := range problem.Apps {
		stops[a] = own(app.Name, estimate.Handler(model.Interrupt), 90)
		backs[a] = own(app.Name, estimate.Return, 10)
	}
	known := estimate.New(func(subject string) *model.Durations { return memory[subject] }, now, time.Time{})
	truth := make([]time.Duration, len(problem.Cells))
	for c := range s.problem.Cells {
		cell := &s.problem.Cells[c]
		sketch := known.Roll(model.Recreate)
		var stop, back time.Duration
		for _, use := range cell.Uses {
			sketch.Interrupt(&model.App{GUID: problem.Apps[use.App].Name})
			stop, back = max(stop, stops[use.App].draw(r)), max(back, backs[use.App].draw(r))
		}
		truth[c] = stop + host.draw(r) + back
		s.sketches = append(s.sketches, sketch)
		cell.Expected = sketch.Range().Mean
	}
	return s, func(plan *sequence.Plan) time.Duration { return sequence.Simulate(&s.problem, plan, truth).Makespan }
}

// TestEndsOfPlansAreForetoldAsOftenAsTheySay: adding up the p90s of its rolls
// would not tell a plan's p90, and rolls that are all misjudged in the same
// way do not even out.
func TestEndsOfPlansAreForetoldAsOftenAsTheySay(t *testing.T) {
	const fleets = 200
	for _, samples := range []int{3, 20} {
		t.Run(fmt.Sprintf("%d samples of each step", samples), func(t *testing.T) {
			var tally model.Tally
			for seed := range uint64(fleets) {
				s, truth := guessed(t, seed, samples)
				plan := sequence.Order(&s.problem)
				tally = estimate.Count(tally, s.foresee(plan).ends.Foreseen(), truth(plan))
			}
			t.Logf("%+v", tally)
			g := NewWithT(t)
			g.Expect(float64(tally.Within) / fleets).To(BeNumerically("~", 0.4, 0.06))
			g.Expect(float64(tally.Late) / fleets).To(BeNumerically("~", 0.1, 0.04))
		})
	}
}
