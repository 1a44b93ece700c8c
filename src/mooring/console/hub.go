package console

import (
	"context"
	"sync"
	"time"

	"mooring/state"
)

// Source is where the board is read from: a *state.Store.
type Source interface {
	// Snapshot gives the state as last seen.
	Snapshot() *state.Snapshot
	// Wait returns when the state is past a revision, or with an error when it
	// is followed no more.
	Wait(ctx context.Context, after int64) error
}

const (
	// pace is the least time between two boards: ten a second.
	pace = 100 * time.Millisecond
	// rest is how many times as long as one board takes is left to others.
	rest = 4
)

// hub computes the board for all streams at once, while there are any.
type hub struct {
	source   Source
	forecast *forecaster

	mu      sync.Mutex
	readers int
	stop    context.CancelFunc
	latest  *encoded
	// changed is closed when latest is another.
	changed chan struct{}
}

func newHub(source Source, forecast *forecaster) *hub {
	return &hub{source: source, forecast: forecast, changed: make(chan struct{})}
}

// join makes sure that boards are computed until leave is called.
func (h *hub) join() (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers++; h.readers == 1 {
		ctx, stop := context.WithCancel(context.Background())
		h.stop = stop
		go h.run(ctx)
	}
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.readers--; h.readers == 0 {
			h.stop()
			h.latest = nil // it would be old for whoever comes next
		}
	})
}

// board gives the latest board, nil before there is one, and what is closed
// when there is another.
func (h *hub) board() (*encoded, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.latest, h.changed
}

func (h *hub) publish(ctx context.Context, e *encoded) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return // another run may have begun
	}
	h.latest = e
	close(h.changed)
	h.changed = make(chan struct{})
}

// run computes boards until ctx ends. When the state is followed no more there
// are no more boards: readers then hear nothing new, and their heartbeats say
// how old the last one is.
func (h *hub) run(ctx context.Context) {
	var last *encoded
	for ctx.Err() == nil {
		began := time.Now()
		snap := h.source.Snapshot()
		last = encode(View(snap, h.forecast.look(ctx, snap)), last)
		h.publish(ctx, last)
		pause := max(pace, rest*time.Since(began))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		if !h.await(ctx, snap.Revision()) {
			return
		}
	}
}

// await returns when there is something new to show. It reports false when
// there will never be.
func (h *hub) await(ctx context.Context, revision int64) bool {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan error, 1)
	go func() { changed <- h.source.Wait(waiting, revision) }()
	select {
	case err := <-changed:
		return err == nil
	case <-h.forecast.ready:
		return true
	case <-ctx.Done():
		return false
	}
}
