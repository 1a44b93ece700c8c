package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/identity"
	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m) }

// fixture is an API on an empty state.
type fixture struct {
	*client.Client
	store  *state.Store
	prefix string
	url    string
	// ttl is the lease that cells are given.
	ttl time.Duration
	// probe looks at the state; nil where nobody does.
	probe *state.Probe
	// preview is what the planner answers.
	preview client.Preview
}

// newFixture has cells stay present for as long as a test takes: nothing keeps
// them so on a machine that is slow.
func newFixture(t *testing.T) *fixture { return newFixtureOfLease(t, time.Minute) }

func newFixtureOfLease(t *testing.T, ttl time.Duration) *fixture {
	t.Helper()
	g := NewWithT(t)
	f := &fixture{prefix: statetest.Prefix(), ttl: ttl}
	f.store = statetest.Open(t, f.prefix)
	f.url = f.serve(t, f.store)
	var err error
	f.Client, err = client.New(client.Config{Endpoints: []string{f.url}})
	g.Expect(err).NotTo(HaveOccurred())
	return f
}

// serve gives the address of one more node over a store.
func (f *fixture) serve(t *testing.T, store *state.Store) string {
	t.Helper()
	server := httptest.NewServer(identity.Local().Wrap(f.handler(t, store)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// put writes records as the scheduler or the orchestrator would.
func (f *fixture) put(t *testing.T, records ...model.Record) {
	t.Helper()
	tx := f.store.Snapshot().Txn()
	for _, record := range records {
		tx.Put(record)
	}
	_, err := f.store.Commit(t.Context(), tx)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
}

// refusal matches what the API refuses with a status, and a text in it.
func refusal(status int, text string) OmegaMatcher {
	return And(
		WithTransform(func(err error) bool { return client.HasStatus(err, status) }, BeTrueBecause("the status is to be %d %s", status, http.StatusText(status))),
		MatchError(ContainSubstring(text)),
	)
}

func named(name string) model.Name { return model.Name{Org: "acme", Space: "prod", Name: name} }

func aCell(id, az string) model.Registration {
	return model.Registration{Cell: model.Cell{
		ID: id, AZ: az, Pool: "default", Address: "127.83.0.1", Memory: 8 * model.Gigabyte, PortMin: 10000, PortMax: 19999,
		Boot: id + "-boot-1", Start: id + "-start-1",
		Classes: []model.Class{
			{Name: model.ClassPersistent, Survives: model.Recreate, Capacity: 10 * model.Gigabyte},
			{Name: model.ClassShared, Floating: true, Survives: model.Retire, Capacity: 4 * model.Gigabyte},
		},
	}}
}

// withCells registers cells c1, c2, ... in turn in z1 and z2.
func (f *fixture) withCells(t *testing.T, n int) *fixture {
	t.Helper()
	for i := 1; i <= n; i++ {
		_, err := f.Register(t.Context(), aCell(fmt.Sprint("c", i), fmt.Sprint("z", 1+(i+1)%2)))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
	}
	return f
}

func (f *fixture) withSet(t *testing.T, name string, count int) *fixture {
	t.Helper()
	_, err := f.CreateVolumeSet(t.Context(), client.VolumeSetRequest{Name: named(name), Class: model.ClassPersistent, Count: count, Size: model.Gigabyte})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return f
}

// aPush is an app that mounts a set of the same name.
func aPush(name string, instances int) client.Push {
	return client.Push{
		Name: named(name), Instances: instances,
		Spec:   model.RunSpec{Command: "bin/run", Mounts: []model.Mount{{VolumeSet: name, Path: "/data"}}},
		Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}, Drain: &model.Handler{Command: "bin/drain"}},
	}
}

// plain is an app without volumes.
func plain(name string, instances int) client.Push {
	push := aPush(name, instances)
	push.Spec.Mounts, push.Policy.Drain = nil, nil
	return push
}
