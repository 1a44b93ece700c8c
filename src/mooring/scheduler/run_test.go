package scheduler_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/scheduler"
	"mooring/state"
)

// control is a control plane on a real etcd, without an API.
func control(t *testing.T) *state.Store {
	etcd, err := state.StartEmbedded(t.Context(), state.EmbeddedConfig{Dir: t.TempDir(), ListenClient: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { etcd.Close() })
	store, err := state.Open(t.Context(), state.Config{
		Endpoints: etcd.Endpoints(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// lead runs a scheduler as leader; the channel gives why it ended.
func lead(t *testing.T, store *state.Store, cfg scheduler.Config) (*state.Leadership, chan error) {
	leadership, err := store.Lead(t.Context(), "scheduler", t.Name())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- scheduler.Run(t.Context(), store, leadership, cfg) }()
	return leadership, ended
}

func put(t *testing.T, store *state.Store, records ...model.Record) {
	tx := store.Snapshot().Txn()
	for _, rec := range records {
		tx.Put(rec)
	}
	if _, err := store.Commit(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
}

func TestRunPlacesWhatIsPushedAndLeavesCellsThatAreGone(t *testing.T) {
	g := NewWithT(t)
	store := control(t)
	_, ended := lead(t, store, scheduler.Config{Grace: time.Millisecond})
	for i := range 3 {
		c := cell(fmt.Sprint("c", i), "z1")
		c.Boot, c.Start = "b", "s"
		put(t, store, c)
		g.Expect(store.Keep(t.Context(), &model.Presence{CellID: c.ID, Boot: "b", Start: "s"}, time.Hour)).To(Succeed())
	}
	set := volumeSet("cache", model.ClassShared, 1)
	set.AppGUID = "app-kv"
	put(t, store, set, app("kv", 1, "cache"))
	placed := func() string {
		if inst := store.Snapshot().Instance("app-kv", 0); inst != nil {
			return inst.CellID
		}
		return ""
	}
	g.Eventually(placed).ShouldNot(BeEmpty())
	first := placed()
	g.Expect(store.Snapshot().Cell(first).Domain).To(BeNumerically(">", 0))

	again := *store.Snapshot().Cell(first)
	again.Start = "again"
	put(t, store, &again)
	g.Expect(store.Keep(t.Context(), &model.Presence{CellID: first, Boot: "b", Start: "again"}, time.Second)).To(Succeed())
	g.Eventually(placed).WithTimeout(20*time.Second).ShouldNot(Equal(first), "its lease ran out")
	v := store.Snapshot().VolumesOf("set-cache")[0]
	g.Expect(v.CellID).To(Equal(placed()))
	g.Expect(v.Steal).To(BeTrue())
	g.Consistently(ended).ShouldNot(Receive())
}

func TestRunEndsWhenAnotherLeads(t *testing.T) {
	g := NewWithT(t)
	store := control(t)
	leadership, ended := lead(t, store, scheduler.Config{})
	g.Expect(leadership.Resign(context.Background())).To(Succeed())
	g.Eventually(ended).Should(Receive(MatchError(state.ErrLost)))
}

func TestRunEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	store := control(t)
	leadership, err := store.Lead(t.Context(), "scheduler", "one")
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- scheduler.Run(ctx, store, leadership, scheduler.Config{}) }()
	cancel()
	g.Eventually(ended).Should(Receive(MatchError(context.Canceled)))
}
