package alerting

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"mooring/notify"
	"mooring/state"
)

// DefaultGiveUp is how long a receiver is tried with a notice before it is
// left out.
const DefaultGiveUp = 24 * time.Hour

// Config is what telling people needs besides state.
type Config struct {
	notify.Config
	// GiveUp is how old a notice may become before a receiver that cannot be
	// reached does without it; 0 means DefaultGiveUp.
	GiveUp time.Duration
	Logger *slog.Logger // nil is silent
}

// Run tells every receiver of what concerns it until ctx ends, the leadership
// is lost or the store stops, and returns why.
func Run(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.GiveUp == 0 {
		cfg.GiveUp = DefaultGiveUp
	}
	ctx, end := lead.Context(ctx)
	defer end()
	tellers, ctx := errgroup.WithContext(ctx)
	tellers.Go(func() error {
		<-ctx.Done()
		return fmt.Errorf("tell of what is stuck: %w", context.Cause(ctx))
	})
	tellers.Go(func() error { forget(ctx, store, lead, cfg); return nil })
	for name, receiver := range cfg.Receivers {
		t := &teller{
			store: store, lead: lead, to: receiver, giveUp: cfg.GiveUp, logger: cfg.Logger.With("receiver", name),
			line: line{receiver: name, routes: cfg.Routes},
		}
		tellers.Go(func() error {
			err := t.run(ctx)
			if ctx.Err() != nil {
				return nil // why it ended is said above
			}
			return fmt.Errorf("tell %s of what is stuck: %w", name, err)
		})
	}
	return tellers.Wait()
}

// forget deletes how far those have been told who are no longer to be. What
// fails is tried again until ctx ends.
func forget(ctx context.Context, store *state.Store, lead *state.Leadership, cfg Config) {
	for ctx.Err() == nil {
		snap := store.Snapshot()
		tx := snap.Txn()
		for _, told := range snap.Deliveries() {
			if cfg.Receivers[told.Receiver] == nil {
				tx.Delete(told)
			}
		}
		if tx.Empty() {
			return
		}
		tx.As(lead)
		if _, err := store.Commit(ctx, tx); err == nil {
			return
		} else if ctx.Err() == nil {
			cfg.Logger.Warn("cannot forget receivers that are no longer told; trying again", "error", err)
		}
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
		}
	}
}
