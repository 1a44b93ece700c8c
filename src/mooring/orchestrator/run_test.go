package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

// TestRunPicksUpWhereItsPredecessorDied runs a plan to its end on a real etcd
// while the orchestrator is stopped and another takes over, again and again.
// Every host is acted on under one roll ID, however often the driver is asked.
func TestRunPicksUpWhereItsPredecessorDied(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	const cells = 4
	seed(t, store, cells)
	live(t, store)
	file := filepath.Join(t.TempDir(), "acted")
	cfg := Config{DefaultVia: model.Via{Command: fmt.Sprintf(`echo "$MOORING_CELL $MOORING_ROLL" >>%s; sleep 0.05`, file)}}

	// A life is so short that it gets nothing, or little, done; on a busy machine
	// one that gets nothing done is followed by longer ones.
	lives, life := 0, 120*time.Millisecond
	for deadline := time.Now().Add(time.Minute); store.Snapshot().Plan("plan").Status != model.PlanDone; lives++ {
		g.Expect(time.Now()).To(BeTemporally("<", deadline), "the plan does not end: %v", store.Snapshot().Rolls("plan"))
		lead, err := store.Lead(t.Context(), "orchestrator", "test")
		g.Expect(err).NotTo(HaveOccurred())
		before := lines(store)
		ctx, kill := context.WithTimeout(t.Context(), life)
		g.Expect(Run(ctx, store, lead, cfg)).To(MatchError(context.DeadlineExceeded))
		kill()
		if lines(store) == before {
			life *= 2
		}
	}

	g.Expect(lives).To(BeNumerically(">", 1), "it was not killed once")
	for _, roll := range store.Snapshot().Rolls("plan") {
		g.Expect(roll.Phase).To(Equal(model.RollDone), "cell %s", roll.CellID)
	}
	g.Expect(store.Snapshot().Cordons()).To(BeEmpty())
	g.Expect(store.Snapshot().Ledger("redis").Permits).To(BeEmpty())
	content, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	rollIDs := map[string]string{}
	for line := range strings.Lines(string(content)) {
		cell, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		g.Expect(rollIDs[cell]).To(BeElementOf("", id), "cell %s was acted on twice", cell)
		rollIDs[cell] = id
	}
	g.Expect(rollIDs).To(HaveLen(cells))
}

func TestRunEndsWhenTheLeadershipIsLost(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), store, lead, Config{}) }()

	g.Expect(lead.Resign(t.Context())).To(Succeed())

	g.Eventually(ended, "10s").Should(Receive(MatchError(state.ErrLost)))
}

func TestAFailedActionIsWrittenDownOnce(t *testing.T) {
	g := NewWithT(t)
	roll := &model.Roll{Plan: "plan", CellID: "c1", Phase: model.Acting, Action: model.Reboot, ID: "plan.c1.7"}
	snap := state.SnapshotOf(roll)
	request := requestOf("plan.c1.7", &hostOp{plan: "plan", cell: "c1", action: model.Reboot})

	failed := snap.Apply(acted(snap, request, errors.New("exit status 7"), time.Now()))

	g.Expect(failed.Roll("plan", "c1").Error).To(Equal("exit status 7"))
	g.Expect(failed.Roll("plan", "c1").Acted).To(BeFalse())
	g.Expect(acted(failed, request, nil, time.Now())).To(BeNil(), "somebody has to answer first")
	request.Roll = "plan.c1.6"
	g.Expect(acted(snap, request, nil, time.Now())).To(BeNil(), "an attempt given up says nothing of this one")
}

// lines gives how many lines the timelines of all rolls have.
func lines(store *state.Store) int {
	n := 0
	for _, roll := range store.Snapshot().Rolls("plan") {
		n += len(roll.Timeline)
	}
	return n
}

// seed writes a fleet with one app and a plan over all of it.
func seed(t *testing.T, store *state.Store, cells int) {
	t.Helper()
	g := NewWithT(t)
	w := newWorld()
	w.addCells(cells, 2)
	w.push("redis", cells, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Action: model.Recreate}, time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	w.put(plan)
	writeInto(t, store, w)
}

// writeInto writes a world into a store.
func writeInto(t *testing.T, store *state.Store, w *world) {
	t.Helper()
	g := NewWithT(t)
	tx := store.Snapshot().Txn()
	putAll(tx, w.snap.Apps())
	putAll(tx, w.snap.VolumeSets())
	putAll(tx, w.snap.Volumes())
	putAll(tx, w.snap.Instances())
	putAll(tx, w.snap.Cells())
	putAll(tx, w.snap.Plans())
	putAll(tx, w.snap.Rolls("plan"))
	putAll(tx, w.snap.Ledgers())
	putAll(tx, w.snap.Cordons())
	for _, cell := range w.snap.Cells() {
		putAll(tx, w.snap.ActualInstancesOn(cell.ID))
		putAll(tx, w.snap.ActualVolumesOn(cell.ID))
	}
	_, err := store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	for _, cell := range w.snap.Cells() {
		g.Expect(store.Keep(t.Context(), w.snap.Presence(cell.ID), time.Minute)).To(Succeed())
	}
}

func putAll[R model.Record](tx *state.Txn, records []R) {
	for _, rec := range records {
		tx.Put(rec)
	}
}

// live stands in for cells that obey at once and hosts that boot at once.
func live(t *testing.T, store *state.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			snap := store.Snapshot()
			if !obey(ctx, store, snap) {
				_ = store.Wait(ctx, snap.Revision())
			}
		}
	}()
}

// obey reports what the instances do now, and boots what was acted on.
func obey(ctx context.Context, store *state.Store, snap *state.Snapshot) (busy bool) {
	tx := snap.Txn()
	for _, inst := range snap.Instances() {
		actual := &model.ActualInstance{AppGUID: inst.AppGUID, Index: inst.Index, CellID: inst.CellID, GUID: inst.GUID, SpecVersion: inst.SpecVersion, State: model.Serving}
		if permit := snap.Ledger(inst.AppGUID).Permit(inst.Index); permit != nil && permit.Want == model.WantOut {
			actual.State = model.Stopped
			actual.Disruption = &model.ActualDisruption{PermitID: permit.ID, State: model.TaskYielded}
		}
		if known := snap.ActualInstance(inst.AppGUID, inst.Index, inst.CellID); known == nil || !same(known, actual) {
			tx.Put(actual)
		}
	}
	for _, roll := range snap.Rolls("plan") {
		cell, presence := snap.Cell(roll.CellID), snap.Presence(roll.CellID)
		if roll.Phase == model.Returning && presence != nil && presence.Start == roll.Start {
			booted := *cell
			booted.Boot, booted.Start = "boot "+roll.ID, "start "+roll.ID
			boot := snap.Txn()
			boot.Put(&booted)
			if _, err := store.Commit(ctx, boot); err == nil {
				_ = store.Keep(ctx, &model.Presence{CellID: booted.ID, Boot: booted.Boot, Start: booted.Start}, time.Minute)
			}
			return true
		}
	}
	if tx.Empty() {
		return false
	}
	_, _ = store.Commit(ctx, tx) // refused: looked at again
	return true
}
