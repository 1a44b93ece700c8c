package state

import (
	"context"
	"errors"
	"maps"
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
	changed chan struct{} // closed at the next change of latest, halted or err
	halted  *RecordError  // why latest is older than etcd, until that is mended
	err     error         // why there will be no later one
	heard   time.Time     // when latest was last known to be the newest
	rewound int           // how often the state went back
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

// view returns the latest snapshot, the channel that is closed when that is no
// longer all there is to say, and why there is no later one.
func (m *mirror) view() (snap *Snapshot, changed <-chan struct{}, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		why = m.err
	case m.halted != nil:
		why = m.halted
	}
	return m.latest, m.changed, why
}

// wait returns once the mirror shows at least the revision. It fails when the
// mirror has stopped, but for a record only where patient is false, and with
// ErrRewound when the state goes back meanwhile.
func (m *mirror) wait(ctx context.Context, revision int64, patient bool) error {
	rewinds := m.rewinds()
	for {
		snap, changed, err := m.view()
		if snap.revision >= revision {
			return nil
		}
		if m.rewinds() != rewinds {
			return ErrRewound
		}
		if err != nil && !(patient && isRecordError(err)) {
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
// revision. A record that decides and cannot be read leaves the mirror as it was.
func (m *mirror) apply(events []*clientv3.Event, revision int64) error {
	write := m.db.Txn(true)
	defer write.Abort() // after Commit it does nothing
	unread, now := maps.Clone(m.latest.unread), time.Now()
	for _, event := range events {
		key := strings.TrimPrefix(string(event.Kv.Key), m.prefix)
		if event.Type == clientv3.EventTypeDelete {
			remove(write, key)
			delete(unread, key)
			continue
		}
		if err := m.show(write, &unread, event.Kv, now); err != nil {
			return err
		}
	}
	write.Commit()
	m.publish(unread, revision)
	return nil
}

// show inserts what etcd has at a key, or notes why that is passed over.
func (m *mirror) show(write *memdb.Txn, unread *map[string]*RecordError, kv *mvccpb.KeyValue, now time.Time) error {
	key := strings.TrimPrefix(string(kv.Key), m.prefix)
	e, err := m.read(kv)
	switch record := (*RecordError)(nil); {
	case err == nil:
		delete(*unread, key)
		if e != nil {
			insert(write, e)
			m.sightings.Note(e.rec, now)
		}
		return nil
	case errors.As(err, &record) && tables[tableName(key)].optional:
		remove(write, key)
		if *unread == nil {
			*unread = map[string]*RecordError{}
		}
		(*unread)[key] = record
		return nil
	}
	return err
}

// replace shows exactly the given content of etcd at the revision. rewound says
// that it is of another history than what was shown before.
func (m *mirror) replace(content []*mvccpb.KeyValue, revision int64, rewound bool) error {
	fresh := newDB()
	write := fresh.Txn(true)
	defer write.Abort() // after Commit it does nothing
	var unread map[string]*RecordError
	now := time.Now()
	m.sightings.Begin(now)
	for _, kv := range content {
		if err := m.show(write, &unread, kv, now); err != nil {
			return err
		}
	}
	write.Commit()
	m.db = fresh
	if rewound {
		m.mu.Lock()
		m.rewound++
		m.mu.Unlock()
	}
	m.publish(unread, revision)
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
		return nil, &RecordError{Key: string(kv.Key), Err: err, mod: kv.ModRevision}
	}
	return e, nil
}

func (m *mirror) publish(unread map[string]*RecordError, revision int64) {
	next := newSnapshot(m.db, revision, m.store)
	next.unread, next.sightings = unread, m.sightings
	if m.sightings.grown() {
		m.sightings.keep(next.records)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest, m.halted, m.heard = next, nil, time.Now()
	m.wake()
}

// hear notes that etcd has nothing newer than the latest snapshot.
func (m *mirror) hear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = time.Now()
}

// age is for how long the latest snapshot has not been known to be the newest.
func (m *mirror) age() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.heard)
}

// halt records which record keeps later snapshots from being made.
func (m *mirror) halt(why *RecordError) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.halted = why
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
