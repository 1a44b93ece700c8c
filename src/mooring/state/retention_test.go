package state

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestFinishedPlansArePrunedWithTheirRollsTheOldestFirst(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var records []model.Record
	for name, plan := range map[string]model.Plan{
		"old":     {Status: model.PlanDone, FinishedAt: now.Add(-3 * time.Hour)},
		"aborted": {Status: model.PlanAborted, FinishedAt: now.Add(-2 * time.Hour)},
		"new":     {Status: model.PlanDone, FinishedAt: now.Add(-time.Hour)},
		"runs":    {Status: model.PlanRunning},
		"paused":  {Status: model.PlanPaused},
	} {
		plan.Name = name
		records = append(records, &plan, &model.Roll{Plan: name, CellID: "c1", Phase: model.RollDone})
	}
	for i := range 2 * pruneBatch {
		records = append(records, &model.Roll{Plan: "old", CellID: fmt.Sprint("c", i+2), Phase: model.RollDone})
	}
	all := SnapshotOf(records...)
	left := func(keep Retention) []string {
		s := all
		for tx := s.PrunePlans(keep, now); !tx.Empty(); tx = s.PrunePlans(keep, now) {
			_, deleted := tx.Changes()
			g.Expect(len(deleted)).To(BeNumerically("<=", pruneBatch))
			if s = s.Apply(tx); s.Plan("old") == nil {
				g.Expect(s.Rolls("old")).To(BeEmpty(), "nothing is left behind")
			}
		}
		var names []string
		for _, plan := range s.Plans() {
			names = append(names, plan.Name)
			g.Expect(s.Rolls(plan.Name)).NotTo(BeEmpty())
		}
		return names
	}

	g.Expect(left(Retention{})).To(HaveLen(5), "no bound")
	g.Expect(left(Retention{Plans: 3, PlanAge: 3 * time.Hour})).To(HaveLen(5), "within bounds")
	g.Expect(left(Retention{Count: 1, Age: time.Minute})).To(HaveLen(5), "bounds of events")
	g.Expect(left(Retention{PlanAge: 150 * time.Minute})).To(Equal([]string{"aborted", "new", "paused", "runs"}))
	g.Expect(left(Retention{Plans: 1})).To(Equal([]string{"new", "paused", "runs"}))
}
