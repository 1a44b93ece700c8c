package orchestrator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// clocks are control nodes whose clocks differ by hours, both ways. The odd
// parts keep times of two of them from being equal.
var clocks = []time.Duration{0, time.Hour + 7*time.Millisecond, -3*time.Hour + 13*time.Millisecond, 26*time.Hour + 29*time.Millisecond}

// skewed is a fleet of four cells that is rolled by control nodes whose clocks
// are wrong, beside an app that lets one instance go at a time.
func skewed(g Gomega, upset func(*world)) *world {
	w := newWorld()
	for _, skew := range clocks {
		w.addNode(skew)
	}
	w.addCells(4, 1)
	w.push("redis", 4, 0, model.ClassPersistent, model.Policy{
		MaxInterrupted: model.Limit{Count: 1}, HealthyFor: model.Duration(10 * time.Second), ReturnWithin: model.Duration(5 * time.Minute),
	})
	upset(w)
	plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Action: model.Restart}, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	w.put(plan)
	return w
}

// runLed runs the world for a time, under another leader every so often.
func (w *world) runLed(d, every time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		until := w.now.Add(min(every, end.Sub(w.now)))
		w.run(until.Sub(w.now))
		w.now = until
		w.leads = (w.leads + 1) % len(w.nodes)
	}
	w.settle()
}

// stops counts how often an instance was told to go.
func (w *world) stops(instance string) (n int) {
	for _, line := range w.log {
		if strings.Contains(line, "may interrupt o/s/"+instance) {
			n++
		}
	}
	return n
}

func TestSkew_LeadersWithOtherClocksStopNothingTwice(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 7 * time.Second, time.Minute, 24 * time.Hour} {
		for first := range clocks {
			t.Run(fmt.Sprintf("from %s every %s", clocks[first], every), func(t *testing.T) {
				g := NewWithT(t)
				w := skewed(g, func(*world) {})
				w.leads = first
				w.runLed(10*time.Minute, every)
				g.Expect(w.violations).To(BeEmpty(), w.events())
				g.Expect(w.snap.Plan("plan").Status).To(Equal(model.PlanDone), w.events()+w.rollsText())
				for i := range 4 {
					g.Expect(w.stops(fmt.Sprint("redis/", i))).To(Equal(1), w.events())
				}
				g.Expect(w.events()).NotTo(ContainSubstring("STUCK"))
			})
		}
	}
}

func TestSkew_DeadlinesAreKeptUnderAnyLeader(t *testing.T) {
	faults := map[string]struct {
		upset  func(*world)
		alert  string
		within time.Duration
	}{
		"deaf":   {func(w *world) { w.deaf["c1"] = true }, "plan.c1.instance-not-stopped", takeUp},
		"clings": {func(w *world) { w.cling["redis/0"] = true }, "plan.c1.instance-not-stopped", stopWithin + handlerTime + 10*time.Second},
		"lasts":  {func(w *world) { w.linger["redis/0"] = true }, "plan.c1.instance-not-stopped", flushWithin + handlerTime + 10*time.Second},
	}
	for name, fault := range faults {
		for _, every := range []time.Duration{time.Second, 24 * time.Hour} {
			for first := range clocks {
				t.Run(fmt.Sprintf("%s from %s every %s", name, clocks[first], every), func(t *testing.T) {
					g := NewWithT(t)
					w := skewed(g, fault.upset)
					w.leads = first
					w.runLed(fault.within-5*time.Second, every)
					g.Expect(w.snap.StuckItem(fault.alert)).To(BeNil(), "not too early\n%s", w.events())
					w.runLed(10*time.Second, every)
					g.Expect(w.snap.StuckItem(fault.alert)).NotTo(BeNil(), "nor too late\n%s", w.events())
					g.Expect(w.violations).To(BeEmpty())
				})
			}
		}
	}
}

func TestSkew_ANodeThatStartsCountsFromThenOn(t *testing.T) {
	g := NewWithT(t)
	w := skewed(g, func(w *world) { w.deaf["c1"] = true })
	w.runLed(takeUp-time.Second, time.Hour)
	w.nodes = nil
	w.addNode(5 * time.Hour)
	w.leads = 0
	w.runLed(takeUp-5*time.Second, time.Hour)
	g.Expect(w.snap.StuckItems()).To(BeEmpty(), "how long it was so before, it cannot say")
	w.runLed(10*time.Second, time.Hour)
	g.Expect(w.snap.StuckItem("plan.c1.instance-not-stopped")).NotTo(BeNil())
}
