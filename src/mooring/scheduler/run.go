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

// errLost says that another leads now.
var errLost = errors.New("the leadership was lost; another scheduler leads now")

// retryAfter is how long the loop rests after etcd could not be written to.
const retryAfter = 250 * time.Millisecond

// Run schedules until ctx ends, the leadership is lost or the store stops, and
// returns why. It is woken by what changes in the store; nothing is polled.
func Run(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) error {
	logger := cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-lead.Lost():
			stop(errLost)
		case <-ctx.Done():
		}
	}()
	rules := Rules{Domains: cfg.Domains, Settled: time.Now().Add(cmp.Or(cfg.Grace, DefaultGrace))}
	for {
		snap := store.Snapshot()
		decision := Decide(snap, time.Now(), rules)
		if err := commit(ctx, store, lead, decision.Txns, logger); err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
		if err := wait(ctx, store, snap.Revision(), decision.Due); err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
	}
}

// commit writes what was decided. One that meets a conflict is decided again
// with the change it met; the others do not depend on it.
func commit(ctx context.Context, store *state.Store, lead *state.Leadership, txns []*state.Txn, logger *slog.Logger) error {
	for _, tx := range txns {
		tx.As(lead)
		_, err := store.Commit(ctx, tx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case store.Err() != nil:
			return store.Err()
		case errors.Is(err, state.ErrConflict):
			logger.Debug("a decision met a change and is taken again", "error", err)
		default:
			logger.Warn("could not write a decision; trying again", "error", err)
			return rest(ctx)
		}
	}
	return nil
}

// rest lets etcd recover.
func rest(ctx context.Context) error {
	select {
	case <-time.After(retryAfter):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wait returns when the state is past a revision, or at the time due.
func wait(ctx context.Context, store *state.Store, revision int64, due time.Time) error {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if !due.IsZero() {
		waiting, cancel = context.WithDeadline(ctx, due)
	}
	defer cancel()
	err := store.Wait(waiting, revision)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case waiting.Err() != nil:
		return nil
	}
	return err
}
