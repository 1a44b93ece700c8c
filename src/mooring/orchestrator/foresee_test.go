package orchestrator

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// TestAForecastHoldsAsThePlanGoesOn asks again and again while a plan runs in a
// world in which everything takes as long as it did before.
func TestAForecastHoldsAsThePlanGoesOn(t *testing.T) {
	for _, greedy := range []bool{false, true} {
		t.Run(fmt.Sprintf("greedy %v", greedy), func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld()
			w.addCells(9, 3)
			for i := range 4 {
				w.push(fmt.Sprintf("app%d", i), 5, 2*i, model.ClassPersistent, model.Policy{
					MaxInterrupted: model.Limit{Count: 1 + i%2}, HealthyFor: model.Duration(10 * time.Second),
				})
			}
			for i := range 4 {
				w.rollAll(t, fmt.Sprintf("before-%d", i))
			}
			plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Cells: model.Selector{All: true}, Action: model.Recreate}, w.now)
			g.Expect(err).NotTo(HaveOccurred())
			plan.Greedy = greedy
			w.put(plan)

			told := map[time.Time]time.Time{}
			turns := map[string]time.Time{}
			for !w.snap.Plan("plan").Finished() {
				if forecast := Foresee(w.snap, w.snap.Plan("plan"), w.now); forecast != nil {
					g.Expect(forecast.Open).To(BeZero())
					told[w.now] = forecast.Likely
					for _, turn := range forecast.Slots {
						turns[turn.CellID] = turn.From // the last that was said before it came
					}
				}
				end := w.now.Add(31 * time.Second)
				w.run(31 * time.Second)
				w.now = end
				w.settle()
			}

			end := w.snap.Plan("plan").FinishedAt
			g.Expect(len(told)).To(BeNumerically(">", 5))
			for at, likely := range told {
				g.Expect(likely).To(BeTemporally("~", end, 5*time.Second+end.Sub(at)/8), "as told %s before the end", end.Sub(at))
			}
			for cell, at := range turns {
				began, _ := w.snap.Roll("plan", cell).Entered(model.Cordoned)
				g.Expect(at).To(BeTemporally("~", began, 10*time.Second), "the turn of %s", cell)
			}
		})
	}
}
