package sequence

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestEveryPlanKeepsEveryLimitAndEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawProblem(t)
		g.Expect(p.Validate()).To(Succeed())
		p.Window = drawWindow(t)
		failures := drawFailures(t, len(p.Cells))
		truth := p.Expected()
		for c := range truth {
			truth[c] = truth[c] * time.Duration(rapid.IntRange(5, 20).Draw(t, "error")) / 10
		}
		plan := Order(p)
		for _, mode := range []Mode{Tickets, Greedy} {
			plan.Mode = mode
			line := Simulate(p, plan, truth, failures...)
			audit := Check(p, line, failures...)
			g.Expect(audit.Violations).To(BeEmpty())
			g.Expect(audit.Missing).To(BeEmpty())
			g.Expect(audit.Makespan).To(Equal(line.Makespan))
			g.Expect(Bound(p, truth).Makespan).To(BeNumerically("<=", line.Makespan))
		}
	})
}

// two apps of limit 1 over a chain of three cells: 0-1 share one, 1-2 the other.
func chain() *Problem {
	return &Problem{
		Apps: []App{{Name: "left", Limit: 1}, {Name: "right", Limit: 1}},
		Cells: []Cell{
			{ID: "c0", Expected: time.Minute, Uses: []Use{{App: 0, N: 1}}},
			{ID: "c1", Expected: time.Minute, Uses: []Use{{App: 0, N: 1}, {App: 1, N: 1}}},
			{ID: "c2", Expected: time.Minute, Uses: []Use{{App: 1, N: 1}}},
		},
	}
}

func TestAFailureDelaysWhoeverSharesAnApp(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	plan := &Plan{Order: []int{1, 2, 0}}
	line := Simulate(p, plan, nil, Failure{Cell: 0, At: 0, For: 5 * time.Minute})
	g.Expect(line.Start).To(Equal([]time.Duration{6 * time.Minute, 5 * time.Minute, 0}), "c2 passes c1, which waits for c0's instance")
	g.Expect(Check(p, line, Failure{Cell: 0, At: 0, For: 5 * time.Minute}).Violations).To(BeEmpty())
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	m := time.Minute
	audit := Check(p, &Timeline{Start: []time.Duration{0, 30 * time.Second, -1}, End: []time.Duration{m, 2 * m, -1}})
	g.Expect(audit.Violations).To(ConsistOf(Violation{Cell: 1, At: 30 * time.Second, App: 0, Away: 2, Limit: 1, Why: ByApp}))
	g.Expect(audit.Missing).To(Equal([]int{2}))

	audit = Check(p, &Timeline{Start: []time.Duration{0, m, 2 * m}, End: []time.Duration{m, 2 * m, 3 * m}}, Failure{Cell: 2, At: 30 * time.Second, For: m})
	g.Expect(audit.Violations).To(ConsistOf(Violation{Cell: 1, At: m, App: 1, Away: 2, Limit: 1, Why: ByApp}))

	p.Canaries, p.Apps = 1, []App{{Limit: 3}, {Limit: 3}}
	audit = Check(p, &Timeline{Start: []time.Duration{0, 0, m}, End: []time.Duration{m, m, 2 * m}})
	g.Expect(audit.Violations).To(ConsistOf(HaveField("Why", ByCanaries)))

	p.Window = minutes(2, 10, 0)
	audit = Check(p, &Timeline{Start: []time.Duration{0, m, 5 * m}, End: []time.Duration{m, 5 * m, 6 * m}})
	g.Expect(audit.Violations).To(ConsistOf(Violation{Cell: 2, At: 5 * m, App: -1, Why: ByWindow}))
	p.Window = nil

	p.Canaries, p.AZSerial, p.Cells[1].AZ = 0, true, 1
	audit = Check(p, &Timeline{Start: []time.Duration{0, m, m}, End: []time.Duration{m, 2 * m, 2 * m}})
	g.Expect(audit.Violations).To(And(Not(BeEmpty()), HaveEach(HaveField("Why", ByAZ))))
}

func TestAMoveGivesItsBudgetBackEarly(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Cells[0].Uses[0].Hold, p.Cells[1].Uses[0].Hold = 10*time.Second, 10*time.Second
	line := Simulate(p, &Plan{Order: []int{0, 1, 2}}, nil)
	g.Expect(line.Start).To(Equal([]time.Duration{0, 10 * time.Second, 70 * time.Second}))
	g.Expect(Check(p, line).Violations).To(BeEmpty())
}
