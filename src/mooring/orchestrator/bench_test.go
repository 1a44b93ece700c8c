package orchestrator

import (
	"fmt"
	"testing"

	"mooring/model"
)

// BenchmarkDecide is one look at a fleet in mid-plan: what every change of the
// state costs.
func BenchmarkDecide(b *testing.B) {
	for _, size := range []struct{ cells, perCell int }{{6, 2}, {100, 20}, {1000, 20}} {
		b.Run(fmt.Sprintf("%d cells of %d", size.cells, size.perCell), func(b *testing.B) {
			w := newWorld()
			w.unchecked = true
			w.addCells(size.cells, 3)
			for i := range size.perCell * size.cells / 50 {
				w.push(fmt.Sprintf("app%d", i), min(50, size.cells), i*50, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 2}})
			}
			w.runCells()
			plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Action: model.Recreate}, w.now)
			if err != nil {
				b.Fatal(err)
			}
			w.put(plan)
			w.orchestrate(0)
			w.orchestrate(0)
			for b.Loop() {
				decide(w.snap, w.now, w.via, w.began)
			}
		})
	}
}
