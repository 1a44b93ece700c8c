package state

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-memdb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// mirror is the copy of etcd in memory. One goroutine writes it, whole
// revisions at a time; any number read the latest snapshot and wait for the
// next.
type mirror struct {
	prefix string
	store  *Store
	db     *memdb.MemDB // written only by the goroutine that follows etcd
	// sightings are by the clock of this machine.
	sightings *Sightings

	mu      sync.Mutex
	latest  *Snapshot
	changed chan struct{} // closed at the next change of latest or err
	err     error
	rewound int // how often the state went back
}

func newMirror(prefix string, store *Store) *mirror {
	db := newDB()
	return &mirror{
		prefix: prefix, store: store, db: db, sightings: NewSightings(),
		latest: newSnapshot(db, 0, store), changed: make(chan struct{}),
	}
}

// rewinds counts how often the state went back.
func (m *mirror) rewinds() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rewound
}

// view gives the latest snapshot, the channel that is closed when a later one
// is there, and why there will be none.
func (m *mirror) view() (*Snapshot, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest, m.changed, m.err
}

// wait returns once the mirror shows at least the revision. It fails with
// ErrRewound when the state goes back meanwhile.
func (m *mirror) wait(ctx context.Context, revision int64) error {
	rewinds := m.rewinds()
	for {
		snap, changed, err := m.view()
		if snap.revision >= revision {
			return nil
		}
		if m.rewinds() != rewinds {
			return ErrRewound
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// apply shows the changes of the events, which are all there were up to the
// revision. A record that cannot be read leaves the mirror as it was.
func (m *mirror) apply(events []*clientv3.Event, revision int64) error {
	write := m.db.Txn(true)
	defer write.Abort() // after Commit it does nothing
	now := time.Now()
	for _, event := range events {
		if event.Type == clientv3.EventTypeDelete {
			remove(write, strings.TrimPrefix(string(event.Kv.Key), m.prefix))
			continue
		}
		e, err := m.read(event.Kv)
		if err != nil {
			return err
		}
		if e != nil {
			insert(write, e)
			m.sightings.Note(e.rec, now)
		}
	}
	write.Commit()
	m.publish(revision)
	return nil
}

// replace shows exactly the given content of etcd at the revision. rewound says
// that it is of another history than what was shown before.
func (m *mirror) replace(content []*mvccpb.KeyValue, revision int64, rewound bool) error {
	fresh := newDB()
	write := fresh.Txn(true)
	now := time.Now()
	m.sightings.Begin(now)
	for _, kv := range content {
		e, err := m.read(kv)
		if err != nil {
			write.Abort()
			return err
		}
		if e != nil {
			insert(write, e)
			m.sightings.Note(e.rec, now)
		}
	}
	write.Commit()
	m.db = fresh
	if rewound {
		m.mu.Lock()
		m.rewound++
		m.mu.Unlock()
	}
	m.publish(revision)
	return nil
}

// read makes the entry of what etcd has at a key: nil for a kind of record that
// only newer versions know.
func (m *mirror) read(kv *mvccpb.KeyValue) (*entry, error) {
	key := strings.TrimPrefix(string(kv.Key), m.prefix)
	e, err := newEntry(key, kv.Value)
	if err == nil && e != nil {
		e.mod, e.lease = kv.ModRevision, clientv3.LeaseID(kv.Lease)
		if event, ok := e.rec.(*model.Event); ok {
			var place int
			place, err = eventPlace(key)
			event.ID = eventID(kv.CreateRevision, place)
		}
	}
	if err != nil {
		return nil, &RecordError{Key: string(kv.Key), Err: err}
	}
	return e, nil
}

func (m *mirror) publish(revision int64) {
	next := newSnapshot(m.db, revision, m.store)
	next.sightings = m.sightings
	if m.sightings.grown() {
		m.sightings.keep(next.records)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest = next
	m.wake()
}

// stop records why no later snapshot will come.
func (m *mirror) stop(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
		m.wake()
	}
}

// wake lets everyone who waits look again. The caller holds mu.
func (m *mirror) wake() {
	close(m.changed)
	m.changed = make(chan struct{})
}
