package api

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/orchestrator"
	"mooring/state"
)

// paperFleet is six cells in three AZs, and a volume set "data" of as many
// volumes as are asked for.
func paperFleet(volumes int, class string) *state.Snapshot {
	var records []model.Record
	for i := range 6 {
		cell := aCell(fmt.Sprint("c", i+1), fmt.Sprint("z", i%3+1)).Cell
		records = append(records, &cell, &model.Presence{CellID: cell.ID, Boot: cell.Boot, Start: cell.Start})
	}
	set := &model.VolumeSet{GUID: "set", Name: named("data"), Class: class, Survives: model.Recreate, Count: volumes, Size: model.Gigabyte}
	if class == model.ClassShared {
		set.Floating, set.Survives = true, model.Retire
	}
	return state.SnapshotOf(append(records, set)...)
}

// weigh checks the policy of a push against a fleet, with the real brains.
func weigh(t *testing.T, snap *state.Snapshot, push client.Push) *client.PolicyCheck {
	t.Helper()
	s := &server{
		planner: func(_ context.Context, snap *state.Snapshot, spec model.PlanSpec, _ []string, now time.Time) (*client.Preview, error) {
			return orchestrator.Preview(snap, spec, now)
		},
		newGUID: func() string { return "guid" }, now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
	}
	check := explainPolicy(snap, &push)
	NewWithT(t).Expect(check.Faults).To(BeEmpty())
	NewWithT(t).Expect(s.weighPolicy(t.Context(), snap, &push, check)).To(Succeed())
	return check
}

func TestAPolicyIsWeighedBeforeItsAppIsThere(t *testing.T) {
	g := NewWithT(t)
	check := weigh(t, paperFleet(6, model.ClassPersistent), aPush("data", 6))
	cost := check.Cost
	g.Expect(cost.Cells).To(Equal(6))
	g.Expect(cost.Supposed).To(Equal(6))
	g.Expect(cost.Unplaced).To(BeZero())
	g.Expect(cost.Bottleneck).To(BeTrue())
	g.Expect(cost.Raise.Limit).To(Equal("max_interrupted"))
	g.Expect(cost.With.Expected.D()).To(BeNumerically(">", 2*cost.Without.Expected.D()), "one after another, not all at once")
	g.Expect(cost.Raise.Saved.D()).To(BeNumerically(">", cost.With.Expected.D()/4))

	g.Expect(check.Failures).To(HaveLen(3))
	g.Expect(check.Failures[1]).To(And(HaveField("Down", 1), HaveField("Within", true), HaveField("Lost", 1)))
	g.Expect(check.Failures[2]).To(And(HaveField("Down", 2), HaveField("Within", false), HaveField("Lost", 2)), "an AZ has two of them")
}

func TestAPolicyThatCostsNothing(t *testing.T) {
	g := NewWithT(t)
	push := plain("web", 3)
	cost := weigh(t, paperFleet(0, model.ClassPersistent), push).Cost
	g.Expect(cost.Bottleneck).To(BeFalse())
	g.Expect(cost.Raise).To(BeNil())
	g.Expect(cost.Supposed).To(Equal(3))
}

func TestAPolicyThatIsAPartOfTheBottleneck(t *testing.T) {
	g := NewWithT(t)
	others := []model.Name{named("b"), named("c")}
	raise := func(app model.Name, saved time.Duration) client.Raise {
		return client.Raise{App: app, Limit: "max_interrupted", From: 1, To: 2, Saved: model.Duration(saved)}
	}
	preview := &client.Preview{Raises: []client.Raise{raise(others[0], time.Hour), raise(named("data"), time.Minute)}}
	preview.Raise = &preview.Raises[0]
	s := &server{
		planner: func(context.Context, *state.Snapshot, model.PlanSpec, []string, time.Time) (*client.Preview, error) {
			return preview, nil
		},
		newGUID: func() string { return "guid" }, now: time.Now,
	}
	cost := func(apps ...model.Name) *client.PolicyCost {
		preview.Exclusive = &client.Exclusive{Cells: []string{"c1", "c2", "c3"}, Apps: apps}
		snap, push := paperFleet(2, model.ClassPersistent), aPush("data", 2)
		check := explainPolicy(snap, &push)
		g.Expect(s.weighPolicy(t.Context(), snap, &push, check)).To(Succeed())
		return check.Cost
	}
	part := cost(append(others, named("data"))...)
	g.Expect(part.Bottleneck).To(BeTrue())
	g.Expect(part.Exclusive).To(Equal(preview.Exclusive))
	g.Expect(part.Raise).To(Equal(&preview.Raises[1]), "what its own limit would buy, not what is best")

	preview.Raises = preview.Raises[:1]
	g.Expect(cost(append(others, named("data"))...).Bottleneck).To(BeTrue(), "also when its limit was not tried")
	none := cost(others...)
	g.Expect(none.Bottleneck).To(BeFalse())
	g.Expect(none.Exclusive).To(BeNil())
}

func TestAPolicyThatForbidsEverything(t *testing.T) {
	g := NewWithT(t)
	push := aPush("data", 4)
	push.Policy.MaxInterrupted, push.Policy.MaxDraining = model.Limit{}, model.Limit{}
	g.Expect(weigh(t, paperFleet(4, model.ClassPersistent), push).Cost.Never).To(Equal(4))
}

func TestARunningAppIsWeighedWhereItIs(t *testing.T) {
	g := NewWithT(t)
	snap := paperFleet(3, model.ClassPersistent)
	push := aPush("data", 3)
	there, err := supposing(snap, &push, "guid", time.Unix(0, 0))
	g.Expect(err).NotTo(HaveOccurred())
	push.Policy.MaxInterrupted = model.Limit{Count: 3}
	push.Spec.Command = "another"
	wide := weigh(t, there, push).Cost
	g.Expect(wide.Supposed).To(BeZero())
	push.Policy.MaxInterrupted = model.Limit{Count: 1}
	g.Expect(weigh(t, there, push).Cost.With.Expected.D()).To(BeNumerically(">", wide.With.Expected.D()))
}

func TestWhatThePolicyCostsIsNotKnownWithoutItsVolumes(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	check, err := f.CheckPolicy(t.Context(), aPush("nothing", 2))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(check.Cost).To(BeNil())
	g.Expect(check.Actions).To(BeEmpty())
	g.Expect(check.Unknown).To(ContainElement(ContainSubstring("a volume set does not exist yet")))
}
