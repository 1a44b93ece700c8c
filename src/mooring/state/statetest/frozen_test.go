package statetest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m) }

// What an agent goes by: the TTL of its lease, how often it renews it, and how
// long it waits for one answer.
const (
	ttl      = 10 * time.Second
	every    = ttl / 3
	patience = ttl / 4
	// fenced is when an agent that was not answered stops what floats.
	fenced = ttl * 2 / 3
)

// agents keeps cells present through two control nodes, as agents do, until the
// test ends.
type agents struct {
	mu    sync.Mutex
	last  map[string]time.Time     // when the last renewal that was answered was sent
	worst map[string]time.Duration // between two of them
}

func keepPresent(t *testing.T, cells int, nodes ...*state.Store) *agents {
	t.Helper()
	kept := &agents{last: map[string]time.Time{}, worst: map[string]time.Duration{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for i := range cells {
		cell := fmt.Sprint("cell-", i)
		presence := &model.Presence{CellID: cell, Boot: "b", Start: "s"}
		NewWithT(t).Expect(nodes[0].Keep(t.Context(), presence, ttl)).To(Succeed())
		kept.renewed(cell, time.Now())
		// Spread over the interval, as those of a fleet are.
		offset := every * time.Duration(i) / time.Duration(cells)
		running.Go(func() {
			pause := time.NewTimer(offset)
			for turn := i; ; turn++ {
				select {
				case <-pause.C:
				case <-ctx.Done():
					return
				}
				sent := time.Now()
				limited, done := context.WithTimeout(ctx, patience)
				err := nodes[turn%len(nodes)].Keep(limited, presence, ttl)
				done()
				if err == nil {
					kept.renewed(cell, sent)
					pause.Reset(every)
				} else {
					pause.Reset(100 * time.Millisecond)
				}
			}
		})
	}
	return kept
}

func (a *agents) renewed(cell string, sent time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := a.last[cell]; !last.IsZero() {
		a.worst[cell] = max(a.worst[cell], time.Since(last))
	}
	a.last[cell] = sent
}

// longest returns for how long a cell was without an answer, at most, up to now.
func (a *agents) longest() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var longest time.Duration
	for cell, last := range a.last {
		longest = max(longest, a.worst[cell], time.Since(last))
	}
	return longest
}

// since returns whether all renewals were answered that were sent after then.
func (a *agents) since(then time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, last := range a.last {
		if last.Before(then) {
			return false
		}
	}
	return true
}

// lost hears of presences that run out.
func lost(t *testing.T, endpoints []string, prefix string) <-chan string {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	gone := make(chan string, 1000)
	go func() {
		for got := range client.Watch(context.Background(), prefix+model.TablePresence+"/", clientv3.WithPrefix()) {
			for _, event := range got.Events {
				if event.Type == clientv3.EventTypeDelete {
					gone <- string(event.Kv.Key)
				}
			}
		}
	}()
	t.Cleanup(func() { client.Close() })
	return gone
}

func open(t *testing.T, endpoints []string) *state.Store {
	t.Helper()
	store, err := state.Open(t.Context(), state.Config{Endpoints: endpoints})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { store.Close() })
	return store
}

// As long as two of three members of etcd are there, no cell loses its presence
// or has to wait so long for an answer that its agent fences it; what is
// committed on one node is seen on the other; and a leader stays one or is
// followed by another.
func TestFrozenMember_FencesNoCell(t *testing.T) {
	g := NewWithT(t)
	members := statetest.StartCluster(t, 3, 0)
	endpoints := statetest.Endpoints(members)
	one, two := open(t, endpoints), open(t, endpoints)
	kept := keepPresent(t, 12, one, two)
	gone := lost(t, endpoints, state.DefaultPrefix)

	frozen := 0
	freeze := func(m *statetest.Member, role string) {
		t.Helper()
		frozen++
		began := time.Now()
		m.Freeze()
		defer m.Thaw()
		for turn, from := range []*state.Store{one, two} {
			to := []*state.Store{two, one}[turn]
			guid := fmt.Sprint("app-", frozen, "-", turn)
			commit(t, from, &model.App{GUID: guid, Instances: 1})
			g.Eventually(func() *model.App { return to.Snapshot().App(guid) }, "10s", "20ms").
				ShouldNot(BeNil(), "with the %s %s frozen", role, m.Name)
		}
		seen := time.Since(began)
		g.Eventually(func() bool { return kept.since(began.Add(ttl)) }, "40s", "100ms").
			Should(BeTrue(), "all are renewed for longer than a lease lasts")
		g.Expect(gone).NotTo(Receive(), "with the %s %s frozen", role, m.Name)
		g.Expect(kept.longest()).To(BeNumerically("<", fenced), "with the %s %s frozen", role, m.Name)
		t.Logf("%s %s frozen: two commits seen by both after %s, longest time without an answer %s", role, m.Name, seen, kept.longest())
	}
	_, followers := statetest.Leader(t, members)
	for _, m := range followers {
		freeze(m, "follower")
	}
	leader, _ := statetest.Leader(t, members)
	freeze(leader, "leader")
}

// commit writes until it is written, as everybody does who decides anew.
func commit(t *testing.T, store *state.Store, record model.Record) {
	t.Helper()
	NewWithT(t).Eventually(func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		tx := store.Snapshot().Txn()
		tx.Put(record)
		_, err := store.Commit(ctx, tx)
		return err
	}, "20s", "10ms").Should(Succeed())
}

func TestProbe_TellsThatNoMajorityAnswersAndThatItDoesAgain(t *testing.T) {
	g := NewWithT(t)
	members := statetest.StartCluster(t, 3, 0)
	probe := state.NewProbe("one", nil)
	probe.Watch(open(t, statetest.Endpoints(members)))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { probe.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	g.Eventually(func() int64 { return probe.Used().Quota }, "20s", "50ms").Should(BeNumerically(">", 0))
	g.Expect(probe.Failure()).NotTo(HaveOccurred())

	for _, m := range members[:2] {
		m.Freeze()
	}
	g.Eventually(probe.Failure, "30s", "100ms").Should(MatchError(ContainSubstring("no majority of etcd answered")))
	members[1].Thaw() // serves with the third
	members[0].Thaw()
	g.Eventually(probe.Failure, "20s", "100ms").ShouldNot(HaveOccurred())
}
