package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

// TestLostCellsAreForgottenOnceNothingSpeaksOfThem: the one that may yet come
// back in its old boot, and those that have still to be replaced, are known on.
func TestLostCellsAreForgottenOnceNothingSpeaksOfThem(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	lost := func(id string, ago time.Duration) *model.Cell {
		return &model.Cell{ID: id, AZ: "z1", Lost: true, LostAt: now.Add(-ago)}
	}
	snap := state.SnapshotOf(
		&model.Cell{ID: "gone", AZ: "z1"}, lost("fresh", lostFor-1), lost("has-instance", 2*lostFor), lost("has-volume", 2*lostFor),
		&model.Cell{ID: "serves", AZ: "z1"},
		&model.Instance{AppGUID: "a", Placement: model.Placement{GUID: "i", CellID: "has-instance"}},
		&model.Volume{SetGUID: "s", Index: 0, GUID: "v", CellID: "has-volume"},
		&model.ActualInstance{AppGUID: "a", Index: 1, CellID: "gone"}, &model.ActualVolume{GUID: "w", CellID: "gone"},
	)
	tx := snap.Txn()
	newDecision(snap, now.Add(-lostFor-1), model.Via{}).loseCell(tx, "gone", model.Answer{Verb: model.Lost})
	snap = snap.Apply(tx)

	left := snap.Apply(forget(snap, now))

	var ids []string
	for _, cell := range left.Cells() {
		ids = append(ids, cell.ID)
	}
	g.Expect(ids).To(ConsistOf("fresh", "has-instance", "has-volume", "serves"))
	g.Expect(left.ActualInstancesOn("gone")).To(BeEmpty(), "nor what it last reported")
	g.Expect(left.ActualVolumesOn("gone")).To(BeEmpty())
	g.Expect(forget(left, now).Empty()).To(BeTrue())
}

// TestOldEventsAreDeletedByWhoeverLeads fills the stream beyond its bounds: a
// backlog of more than one batch, and events that are too old.
func TestOldEventsAreDeletedByWhoeverLeads(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	tell := func(n int, at time.Time) {
		tx := store.Snapshot().Txn()
		for range n {
			tx.Event(model.Event{At: at, Kind: model.EventAppScaled, Actor: "test"})
		}
		_, err := store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	tell(30, time.Now().Add(-2*time.Hour))
	tell(1200, time.Now())
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)

	go func() {
		ended <- Run(t.Context(), store, lead, Config{Keep: state.Retention{Count: 1220, Age: time.Hour}})
	}()

	events := func() int { return len(store.Snapshot().Events("", 0)) }
	g.Eventually(events, "20s").Should(Equal(1200), "the old ones go, the rest is within the bound")
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive())

	lead, err = store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	go func() { ended <- Run(t.Context(), store, lead, Config{Keep: state.Retention{Count: 10}}) }()

	g.Eventually(events, "20s").Should(Equal(10), "more than one batch")
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive())
}

func TestFinishedPlansAreDeletedByWhoeverLeads(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	tx := store.Snapshot().Txn()
	for i, name := range []string{"first", "second", "third"} {
		tx.Put(&model.Plan{PlanSpec: model.PlanSpec{Name: name}, Status: model.PlanDone, FinishedAt: time.Now().Add(time.Duration(i-9) * time.Minute)})
		tx.Put(&model.Roll{Plan: name, CellID: "c1", Phase: model.RollDone})
	}
	_, err := store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)

	go func() { ended <- Run(t.Context(), store, lead, Config{Keep: state.Retention{Plans: 1}}) }()

	g.Eventually(func() []*model.Plan { return store.Snapshot().Plans() }, "20s").Should(ConsistOf(HaveField("Name", "third")))
	g.Expect(store.Snapshot().Rolls("first")).To(BeEmpty())
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive())
}
