package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mooring/state"
)

// Config of the scheduler. Zero fields take their defaults.
type Config struct {
	// Domains is how many update domains the cells of each AZ and pool are cut
	// into; placement.DefaultDomains by default.
	Domains int
	// Grace is how long after it begins to lead the scheduler waits for cells
	// that are not present before it gives them up; DefaultGrace by default.
	Grace  time.Duration
	Logger *slog.Logger
}

// DefaultGrace covers the restart of a control plane together with its fleet.
const DefaultGrace = 5 * time.Second

// retryAfter is how long the loop rests after etcd could not be written to.
const retryAfter = 250 * time.Millisecond

// Run schedules until ctx ends, the leadership is lost or the store stops, and
// returns why. It is woken by what changes in the store; nothing is polled.
func Run(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) error {
	logger := cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	ctx, end := lead.Context(ctx)
	defer end()
	rules := Rules{Domains: cfg.Domains, Settled: time.Now().Add(cmp.Or(cfg.Grace, DefaultGrace))}
	for {
		if err := store.WaitToFollow(ctx); err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
		snap := store.Snapshot()
		decision := Decide(snap, time.Now(), rules)
		due := decision.Due
		if err := commit(ctx, store, lead, decision.Txns, logger); err != nil && ctx.Err() == nil {
			logger.Warn("could not write a decision; trying again", "error", err)
			due = time.Now().Add(retryAfter)
		}
		if err := store.WaitUntil(ctx, snap.Revision(), due); err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
	}
}

// commit writes what was decided, up to the first that cannot be written. One
// that meets a conflict is decided again with the change it met; the others do
// not depend on it.
func commit(ctx context.Context, store *state.Store, lead *state.Leadership, txns []*state.Txn, logger *slog.Logger) error {
	for _, tx := range txns {
		tx.As(lead)
		_, err := store.Commit(ctx, tx)
		if errors.Is(err, state.ErrConflict) {
			logger.Debug("a decision met a change and is taken again", "error", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}
