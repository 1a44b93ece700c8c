package orchestrator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// scattered is a fleet with apps of some instances on cells drawn at random.
func scattered(seed uint64, cells, apps, instances int) *state.Snapshot {
	random := rand.New(rand.NewPCG(seed, 0))
	class := model.Class{Name: model.ClassPersistent, Survives: model.Recreate, Capacity: model.Gigabyte}
	var records []model.Record
	for c := range cells {
		id := fmt.Sprintf("c%02d", c)
		records = append(records,
			&model.Cell{ID: id, AZ: fmt.Sprintf("z%d", c%3), Pool: "default", Classes: []model.Class{class}, Boot: "b", Start: "s"},
			&model.Presence{CellID: id, Boot: "b", Start: "s"})
	}
	for a := range apps {
		app := &model.App{GUID: fmt.Sprintf("app%d", a), Name: model.Name{Org: "o", Space: "s", Name: fmt.Sprintf("app%d", a)}, Instances: instances, SpecVersion: 1,
			Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}}
		records = append(records, app)
		for i, c := range random.Perm(cells)[:instances] {
			guid, cell := fmt.Sprintf("v%d-%d", a, i), fmt.Sprintf("c%02d", c)
			records = append(records,
				&model.Volume{GUID: guid, SetGUID: app.GUID, Index: i, Class: class.Name, CellID: cell, AZ: fmt.Sprintf("z%d", c%3), Mounted: true},
				&model.Instance{AppGUID: app.GUID, Index: i, SpecVersion: 1, Volumes: []string{guid}, Placement: model.Placement{GUID: guid, CellID: cell}},
				&model.ActualInstance{AppGUID: app.GUID, Index: i, CellID: cell, GUID: guid, State: model.Serving, SpecVersion: 1})
		}
	}
	return state.SnapshotOf(records...)
}

func TestAPlanKeepsItsOrderAsStrictlyAsPlanned(t *testing.T) {
	g := NewWithT(t)
	spec := model.PlanSpec{Name: "p", Cells: model.Selector{All: true}, Action: model.Recreate}
	chosen := map[sequence.Mode]int{}
	for seed := range uint64(20) {
		snap := scattered(seed, 24, 16, 4)
		plan, err := newPlan(snap, spec, time.Unix(0, 0))
		g.Expect(err).NotTo(HaveOccurred())

		d := newForesight(snap, time.Unix(0, 0))
		inOrder := d.surveyOf(plan, plannedRolls(plan))
		unordered := *plan
		unordered.Order = nil
		for _, cell := range snap.Cells() {
			unordered.Order = append(unordered.Order, cell.ID)
		}
		problem := &d.surveyOf(&unordered, plannedRolls(&unordered)).problem
		best := sequence.Order(problem)
		g.Expect(inOrder.turns().Mode).To(Equal(best.Mode))
		planned := sequence.Simulate(&inOrder.problem, inOrder.turns(), nil)
		g.Expect(planned.Makespan).To(Equal(sequence.Simulate(problem, best, nil).Makespan))

		preview, err := Preview(snap, spec, time.Unix(0, 0))
		g.Expect(err).NotTo(HaveOccurred())
		last := time.Duration(0)
		for _, slot := range preview.Timeline {
			last = max(last, time.Duration(slot.To))
		}
		g.Expect(last).To(BeNumerically("~", preview.Expected.D(), time.Second), "the picture ends when the plan does")
		for _, slot := range preview.Timeline {
			at := slices.IndexFunc(inOrder.problem.Cells, func(c sequence.Cell) bool { return c.ID == slot.CellID })
			g.Expect(float64(slot.From) / float64(last)).To(BeNumerically("~", float64(planned.Start[at])/float64(planned.Makespan), 0.002))
		}
		chosen[best.Mode]++
	}
	g.Expect(chosen).To(HaveLen(2), "both ways should be tried: %v", chosen)
}

func TestOneConvergingTaskTakesTheAZsOneByOne(t *testing.T) {
	g := NewWithT(t)
	spec := model.PlanSpec{
		Name: "p", Cells: model.Selector{All: true}, Action: model.Recreate,
		Via: model.Via{Bosh: &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}},
	}
	snap := scattered(1, 12, 2, 2)
	plan, err := newPlan(snap, spec, time.Unix(0, 0))
	g.Expect(err).NotTo(HaveOccurred())
	preview, err := Preview(snap, spec, time.Unix(0, 0))
	g.Expect(err).NotTo(HaveOccurred())
	begins, ends := map[string]model.Duration{}, map[string]model.Duration{}
	for _, slot := range preview.Timeline {
		az := snap.Cell(slot.CellID).AZ
		if from, known := begins[az]; !known || slot.From < from {
			begins[az] = slot.From
		}
		ends[az] = max(ends[az], slot.To)
	}
	g.Expect(begins).To(HaveLen(3))
	for one := range begins {
		for other := range begins {
			if one != other {
				g.Expect(begins[one] >= ends[other] || begins[other] >= ends[one]).To(BeTrue(), "%s and %s overlap", one, other)
			}
		}
	}

	// BOSH sees to that by itself: nothing is held back for it.
	execution := newDecision(snap, time.Unix(0, 0), model.Via{})
	g.Expect(execution.surveyOf(plan, plannedRolls(plan)).problem.AZSerial).To(BeFalse())
}
