package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/notify"
	"mooring/notify/notifytest"
	"mooring/state"
	"mooring/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m) }

// world is a state whose alerts are told by control planes that come and go.
type world struct {
	t      *testing.T
	prefix string
	store  *state.Store // of whoever opens and closes alerts
	cfg    notify.Config
	giveUp time.Duration
	lives  int
}

// newWorld loads who is told from the text of a configuration file.
func newWorld(t *testing.T, config string) *world {
	t.Helper()
	g := NewWithT(t)
	w := &world{t: t, prefix: statetest.Prefix()}
	w.store = statetest.Open(t, w.prefix)
	file := filepath.Join(t.TempDir(), "alerts.yml")
	g.Expect(os.WriteFile(file, []byte(config), 0o600)).To(Succeed())
	var err error
	w.cfg, err = notify.Load(file, nil)
	g.Expect(err).NotTo(HaveOccurred())
	return w
}

// life starts a control plane that tells; the result kills it.
func (w *world) life() (kill func()) {
	w.t.Helper()
	w.lives++
	store := statetest.Open(w.t, w.prefix)
	lead, err := store.Lead(w.t.Context(), "alerting", fmt.Sprint("life-", w.lives))
	NewWithT(w.t).Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, store, lead, Config{Config: w.cfg, GiveUp: w.giveUp}) }()
	var once sync.Once
	kill = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				w.t.Errorf("it ended with %v", err)
			}
			_ = lead.Resign(context.WithoutCancel(ctx))
		})
	}
	w.t.Cleanup(kill)
	return kill
}

func hung(id string) *model.Stuck {
	return &model.Stuck{
		ID: id, Kind: model.HandlerHung, What: id + " hangs", Advice: "retry it", CellID: "c1", Plan: "plan", Owner: "team-redis",
		App: &model.Name{Org: "acme", Space: "prod", Name: "redis"}, Index: 3, Output: []string{"moving", "waiting"},
		Since: time.Now().Add(-time.Minute), FlaggedAt: time.Now(), Answers: []model.Verb{model.Retry, model.Skip},
	}
}

// write changes the state as the orchestrator does: what is stuck and the
// event about it in one transaction.
func (w *world) write(kind model.EventKind, stuck *model.Stuck, text string) {
	w.t.Helper()
	tx := w.store.Snapshot().Txn()
	if kind == model.EventStuckClosed {
		tx.Delete(stuck)
	} else {
		tx.Put(stuck)
	}
	tx.Event(model.Event{At: time.Now(), Kind: kind, Actor: "orchestrator", Text: text, Stuck: stuck})
	_, err := w.store.Commit(w.t.Context(), tx)
	NewWithT(w.t).Expect(err).NotTo(HaveOccurred())
}

func (w *world) open(stuck *model.Stuck)  { w.write(model.EventStuckOpened, stuck, stuck.What) }
func (w *world) close(stuck *model.Stuck) { w.write(model.EventStuckClosed, stuck, "it moves again") }

// told gives "opened a", "closed a", ... as a webhook took them.
func told(s *notifytest.Sink) func() []string {
	return func() []string {
		var all []string
		for _, body := range s.Taken() {
			var event notify.CloudEvent
			if err := json.Unmarshal(body, &event); err != nil {
				return []string{err.Error()}
			}
			all = append(all, string(event.Data.Change)+" "+event.Subject)
		}
		return all
	}
}
