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

// Run takes plans through maintenance until ctx ends, the leadership is lost or
// the store stops, and returns why. Several may run; only what is committed
// under a leadership that holds is written.
func Run(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, end := lead.Context(ctx)
	defer end()
	acts := &actions{store: store, lead: lead, via: cfg.DefaultVia, director: cfg.Director, logger: cfg.Logger, running: map[string]*driver{}, improving: make(chan struct{}, 1)}
	defer acts.stop()
	var pruning sync.WaitGroup
	defer pruning.Wait()
	defer end()
	pruning.Go(func() { prune(ctx, store, lead, cfg.Keep, cfg.Logger) })
	began := time.Now()
	for {
		if err := store.WaitToFollow(ctx); err != nil {
			return fmt.Errorf("orchestrate: %w", err)
		}
		snap := store.Snapshot()
		acts.follow(ctx, snap)
		txns, due := decide(snap, time.Now(), cfg.DefaultVia, began)
		if len(txns) > 0 {
			due = time.Now()
			if !commit(ctx, store, lead, txns, cfg.Logger) {
				due = due.Add(retryAfter)
			}
		}
		if err := store.WaitUntil(ctx, snap.Revision(), due); err != nil {
			return fmt.Errorf("orchestrate: %w", err)
		}
	}
}

// commit writes what was decided, many transactions at a time: they concern
// different records. False says that not all was written; what was overtaken by
// others is decided again, on a state that shows them.
func commit(ctx context.Context, store *state.Store, lead *state.Leadership, txns []*state.Txn, logger *slog.Logger) bool {
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
	return commits.Wait() == nil
}

// commitsAtOnce keeps a large fleet's decisions from being sent all at once.
const commitsAtOnce = 16

// retryAfter is how long a commit that failed waits for news.
const retryAfter = time.Second

// pause waits for news after a commit that failed. What else ends it, the next
// look finds out.
func pause(ctx context.Context, store *state.Store, revision int64) {
	_ = store.WaitUntil(ctx, revision, time.Now().Add(retryAfter))
}
