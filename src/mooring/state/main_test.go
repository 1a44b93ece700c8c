package state

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// etcd is the one real etcd that all tests of the package share; each test has
// a prefix of its own in it.
var etcd *Embedded

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mooring-state-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	etcd, err = StartEmbedded(context.Background(), EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	defer etcd.Close()
	return m.Run()
}

// prefixOf gives a test its own part of etcd.
func prefixOf(t testing.TB) string {
	return fmt.Sprintf("/test/%s/%d/", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
}

// open opens a store that is closed with the test. Stores that share a prefix
// are nodes of one control plane.
func open(t testing.TB, prefix string) *Store {
	t.Helper()
	return openAt(t, prefix, etcd.Endpoints()...)
}

func openAt(t testing.TB, prefix string, endpoints ...string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Endpoints: endpoints, Prefix: prefix, Logger: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// logger shows what a store says only when the test fails or is verbose.
func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// raw is etcd without Mooring, for what other programs may do to it.
func raw(t testing.TB) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: etcd.Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// put commits records, which must succeed.
func put(t testing.TB, s *Store, records ...model.Record) int64 {
	t.Helper()
	tx := s.Snapshot().Txn()
	for _, rec := range records {
		tx.Put(rec)
	}
	revision, err := s.Commit(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// catchUp waits until a store shows a revision that another one made.
func catchUp(t testing.TB, s *Store, revision int64) {
	t.Helper()
	NewWithT(t).Eventually(func() error { return s.Reach(t.Context(), revision) }, "20s").Should(Succeed())
}

// app makes an app of n instances that allows one disruption at a time.
func app(guid string, n int) *model.App {
	return &model.App{
		GUID: guid, Name: model.Name{Org: "acme", Space: "prod", Name: guid}, Instances: n,
		Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}},
	}
}

// cellName gives the cells of a test their names.
func cellName(i int) string { return fmt.Sprintf("cell-%d", i) }

// serving gives an app, its instances on cells 0..n-1, and reports that all of
// them serve.
func serving(a *model.App) []model.Record {
	records := []model.Record{a}
	for i := range a.Instances {
		records = append(records,
			&model.Instance{AppGUID: a.GUID, Index: i, Placement: model.Placement{CellID: cellName(i)}},
			&model.ActualInstance{AppGUID: a.GUID, Index: i, CellID: cellName(i), State: model.Serving})
	}
	return records
}

// present gives cells 0..n-1 and their presence, for snapshots in memory.
func present(n int) []model.Record {
	var records []model.Record
	for i := range n {
		records = append(records, &model.Cell{ID: cellName(i)}, &model.Presence{CellID: cellName(i)})
	}
	return records
}

// join puts cells 0..n-1 into a store and keeps them present for a minute.
func join(t testing.TB, s *Store, n int) {
	t.Helper()
	for i := range n {
		put(t, s, &model.Cell{ID: cellName(i)})
		NewWithT(t).Expect(s.Keep(t.Context(), &model.Presence{CellID: cellName(i)}, time.Minute)).To(Succeed())
	}
}

// interrupts claims an interrupt of one index of each app.
func interrupts(holder string, since int64, index int, apps ...string) *model.Claim {
	claim := &model.Claim{Holder: holder, Reason: model.ReasonRoll, Action: model.Recreate, Since: since}
	for _, guid := range apps {
		claim.Demands = append(claim.Demands, model.Demand{AppGUID: guid, Index: index, Kind: model.Interrupt})
	}
	return claim
}
