package orchestrator

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"mooring/state"
)

// pruneEvery is how often events are looked through for those that are no
// longer to be kept. Only time makes them old, so there is nothing to be woken
// by; what this lets through above a bound is a few minutes' worth of events.
const pruneEvery = 5 * time.Minute

// prune deletes the events that keep does not cover, until ctx ends. A long
// backlog goes batch by batch, without a pause between.
func prune(ctx context.Context, store *state.Store, lead *state.Leadership, keep state.Retention, logger *slog.Logger) {
	if keep == (state.Retention{}) {
		return
	}
	for ctx.Err() == nil {
		tx := store.Snapshot().Prune(keep, time.Now())
		if !tx.Empty() {
			_, deleted := tx.Changes()
			tx.As(lead)
			_, err := store.Commit(ctx, tx)
			if err == nil {
				logger.Info("deleted old events", "count", len(deleted))
				continue
			}
			if ctx.Err() == nil && !errors.Is(err, state.ErrConflict) {
				logger.Error("cannot delete old events; trying again", "error", err)
			}
		}
		select {
		case <-time.After(pruneEvery):
		case <-ctx.Done():
		}
	}
}
