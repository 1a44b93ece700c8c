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

// prune deletes the events that keep does not cover, and what was measured of
// apps that are gone, until ctx ends. A long backlog goes batch by batch,
// without a pause between.
func prune(ctx context.Context, store *state.Store, lead *state.Leadership, keep state.Retention, logger *slog.Logger) {
	for ctx.Err() == nil {
		snap := store.Snapshot()
		tx := snap.Prune(keep, time.Now())
		if tx.Empty() {
			tx = forget(snap)
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
// gone.
func forget(snap *state.Snapshot) *state.Txn {
	tx, n := snap.Txn(), 0
	for _, known := range snap.AllDurations() {
		if n < forgetBatch && known.Subject != model.Hosts && snap.App(known.Subject) == nil {
			tx.Delete(known)
			n++
		}
	}
	return tx
}
