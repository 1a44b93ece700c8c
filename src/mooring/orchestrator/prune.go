package orchestrator

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"mooring/model"
	"mooring/state"
)

// pruneEvery is how often what is kept is looked through for what is no longer
// to be. Only time makes events old, so there is nothing to be woken by; what
// this lets through above a bound is a few minutes' worth of events.
const pruneEvery = 5 * time.Minute

// forgetBatch bounds what is forgotten at once.
const forgetBatch = 1000

// lostFor is how long a lost cell is known. As long as it is, an agent that
// comes back in the boot that was declared lost is turned away.
const lostFor = 30 * 24 * time.Hour

// prune deletes the events and finished plans that keep does not cover, and what is left of apps
// and cells that are gone, until ctx ends. A long backlog goes batch by batch,
// without a pause between.
func prune(ctx context.Context, store *state.Store, lead *state.Leadership, keep state.Retention, logger *slog.Logger) {
	for ctx.Err() == nil {
		snap := store.Snapshot()
		now := time.Now()
		tx := snap.Prune(keep, now)
		if tx.Empty() {
			tx = snap.PrunePlans(keep, now)
		}
		if tx.Empty() {
			tx = forget(snap, now)
		}
		if !tx.Empty() {
			_, deleted := tx.Changes()
			tx.As(lead)
			_, err := store.Commit(ctx, tx)
			if err == nil {
				logger.Info("deleted what is no longer kept", "count", len(deleted))
				continue
			}
			if ctx.Err() == nil && !errors.Is(err, state.ErrConflict) {
				logger.Error("cannot delete what is no longer kept; trying again", "error", err)
			}
		}
		select {
		case <-time.After(pruneEvery):
		case <-ctx.Done():
		}
	}
}

// forget gives a transaction that deletes what was measured of apps that are
// gone, and cells that were lost long ago.
func forget(snap *state.Snapshot, now time.Time) *state.Txn {
	tx, n := snap.Txn(), 0
	for _, known := range snap.AllDurations() {
		if n < forgetBatch && known.Subject != model.Hosts && snap.App(known.Subject) == nil {
			tx.Delete(known)
			n++
		}
	}
	for _, cell := range snap.Cells() {
		if n < forgetBatch && forgotten(snap, cell, now) {
			tx.Delete(cell)
			forgetReports(snap, tx, cell.ID)
			n++
		}
	}
	return tx
}

// forgotten reports whether a cell was lost long ago, and nothing speaks of it
// any more.
func forgotten(snap *state.Snapshot, cell *model.Cell, now time.Time) bool {
	return cell.Lost && !cell.LostAt.IsZero() && now.Sub(cell.LostAt) > lostFor && snap.Presence(cell.ID) == nil && snap.Cordon(cell.ID) == nil &&
		snap.RollOn(cell.ID) == nil && len(snap.InstancesOn(cell.ID)) == 0 && len(snap.VolumesOn(cell.ID)) == 0
}

// forgetReports deletes what a cell that is gone last reported.
func forgetReports(snap *state.Snapshot, tx *state.Txn, cellID string) {
	for _, actual := range snap.ActualInstancesOn(cellID) {
		tx.Delete(actual)
	}
	for _, actual := range snap.ActualVolumesOn(cellID) {
		tx.Delete(actual)
	}
}
