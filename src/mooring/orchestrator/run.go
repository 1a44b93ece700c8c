package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mooring/host"
	"mooring/model"
	"mooring/state"
)

// Config is what an orchestrator needs to know besides state.
type Config struct {
	// DefaultVia is how hosts are acted on by plans that do not say.
	DefaultVia model.Via
	// Director acts on hosts for plans through BOSH; nil where none is known.
	Director host.Director
	// Keep says which events are kept; the zero value keeps all.
	Keep   state.Retention
	Logger *slog.Logger // nil is silent
}

// Run takes plans through maintenance until ctx ends (it then returns nil) or
// the leadership is lost. Several may run; only what is committed under a
// leadership that holds is written.
func Run(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-lead.Lost():
			cancel(errLost)
		case <-ctx.Done():
		}
	}()

	acts := &actions{store: store, lead: lead, via: cfg.DefaultVia, director: cfg.Director, logger: cfg.Logger, running: map[string]*driver{}}
	defer acts.stop()
	var pruning sync.WaitGroup
	defer pruning.Wait()
	defer cancel(nil)
	pruning.Go(func() { prune(ctx, store, lead, cfg.Keep, cfg.Logger) })
	began := time.Now()
	for ctx.Err() == nil {
		if err := store.Err(); err != nil {
			return fmt.Errorf("orchestrate: %w", err)
		}
		snap := store.Snapshot()
		acts.follow(ctx, snap)
		txns, due := decide(snap, time.Now(), cfg.DefaultVia, began)
		if len(txns) == 0 {
			idle(ctx, store, snap.Revision(), due)
			continue
		}
		commit(ctx, store, lead, txns, snap.Revision(), cfg.Logger)
	}
	if errors.Is(context.Cause(ctx), errLost) {
		return errLost
	}
	return nil
}

var errLost = errors.New("orchestrate: the leadership is lost")

// commit writes what was decided, many transactions at a time: they concern
// different records. What was overtaken by others is decided again, on a state
// that shows them.
func commit(ctx context.Context, store *state.Store, lead *state.Leadership, txns []*state.Txn, revision int64, logger *slog.Logger) {
	var commits errgroup.Group
	commits.SetLimit(commitsAtOnce)
	for _, tx := range txns {
		tx.As(lead)
		commits.Go(func() error {
			_, err := store.Commit(ctx, tx)
			if err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrConflict) {
				logger.Error("cannot write a decision; deciding again", "error", err)
			}
			return err
		})
	}
	if commits.Wait() != nil {
		pause(ctx, store, revision)
	}
}

// commitsAtOnce keeps a large fleet's decisions from being sent all at once.
const commitsAtOnce = 16

// pause waits for news, but not for long: after a commit that failed.
func pause(ctx context.Context, store *state.Store, revision int64) {
	idle(ctx, store, revision, time.Now().Add(time.Second))
}

// idle waits until the state changes, a moment comes, or ctx ends.
func idle(ctx context.Context, store *state.Store, revision int64, due time.Time) {
	if !due.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, due)
		defer cancel()
	}
	// Whatever ends the wait, the next look finds out.
	_ = store.Wait(ctx, revision)
}
