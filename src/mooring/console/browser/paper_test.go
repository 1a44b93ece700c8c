package browser

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mooring/client"
	"mooring/console"
	"mooring/model"
	"mooring/state"
)

// server serves the board of a state that is changed by hand.
type server struct {
	url    string
	mayAct atomic.Bool
	// answer takes the body of an answer to something stuck.
	answer func(body []byte) (status int, said string)

	mu      sync.Mutex
	snap    *state.Snapshot
	changed chan struct{}

	handler http.Handler
	http    *http.Server
}

func paperServer(t *testing.T, records []model.Record) *server {
	t.Helper()
	s := &server{snap: state.SnapshotOf(records...), changed: make(chan struct{})}
	s.mayAct.Store(true)
	board, err := console.New(console.Config{Source: s, MayAct: func(*http.Request) bool { return s.mayAct.Load() },
		Forecast: func(snap *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast {
			left := len(plan.Order)
			for _, roll := range snap.Rolls(plan.Name) {
				if roll.Phase.Final() {
					left--
				}
			}
			work := time.Duration(left) * time.Second
			return &client.Forecast{Earliest: now.Add(work / 2), Likely: now.Add(work), Latest: now.Add(2 * work), Bottleneck: "acme/prod/redis (max_interrupted: 25%)", Left: left}
		}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", board)
	mux.HandleFunc("PUT /v1/stuck/{id}/answer", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		status, said := s.answer(body)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(said))
	})
	s.handler = mux
	s.up(t, "127.0.0.1:0")
	t.Cleanup(s.down)
	return s
}

// up begins to serve; down ends every connection.
func (s *server) up(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	s.http = &http.Server{Handler: s.handler}
	go func() { _ = s.http.Serve(listener) }()
}

func (s *server) down() { _ = s.http.Close() }

// Snapshot implements console.Source.
func (s *server) Snapshot() *state.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

// Wait implements console.Source.
func (s *server) Wait(ctx context.Context, after int64) error {
	for {
		s.mu.Lock()
		snap, changed := s.snap, s.changed
		s.mu.Unlock()
		if snap.Revision() > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change writes records in one transaction.
func (s *server) change(records ...model.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.snap.Txn()
	for _, record := range records {
		tx.Put(record)
	}
	s.snap = s.snap.Apply(tx)
	close(s.changed)
	s.changed = make(chan struct{})
}

func cellID(i int) string { return fmt.Sprintf("cell-%04d", i) }

// records gives n cells in up to four AZs with eight domains each, one app with
// an instance on a fixed volume on each cell, and a plan over all of them.
func records(n int, more ...model.Record) []model.Record {
	zones, domains := min(4, max(1, n/3)), min(8, max(1, n/6))
	plan := &model.Plan{PlanSpec: model.PlanSpec{Name: "p", Action: model.Recreate}, Status: model.PlanRunning, Intent: model.IntentRun, CreatedAt: time.Now()}
	name := model.Name{Org: "acme", Space: "prod", Name: "redis"}
	list := append(more, plan, &model.VolumeSet{GUID: "set", Name: name},
		&model.App{GUID: "redis", Name: name, Owner: "data team", Instances: n, Policy: model.Policy{MaxInterrupted: model.Limit{Percent: 25}}})
	for i := range n {
		id, guid := cellID(i), fmt.Sprintf("g%d", i)
		plan.Order = append(plan.Order, id)
		list = append(list, &model.Cell{ID: id, AZ: fmt.Sprintf("z%d", 1+i%zones), Domain: 1 + i/zones%domains}, &model.Presence{CellID: id},
			&model.Volume{GUID: guid, SetGUID: "set", Index: i, CellID: id},
			&model.Instance{AppGUID: "redis", Index: i, Placement: model.Placement{GUID: guid, CellID: id}, Volumes: []string{guid}},
			&model.ActualInstance{AppGUID: "redis", Index: i, CellID: id, GUID: guid, State: model.Serving})
	}
	return list
}
