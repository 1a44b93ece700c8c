package state

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/go-memdb"

	"mooring/model"
)

// Snapshot is the whole state as it was at one etcd revision. It never changes
// and is safe for many goroutines. Everything it returns is shared: copy a
// record before changing it. A record that does not exist is nil; lists are
// sorted by key.
type Snapshot struct {
	db       *memdb.MemDB
	txn      *memdb.Txn
	revision int64
	// store is whose mirror this is a snapshot of; nil for one made in memory.
	store *Store
	// unread is what was passed over, by key without the prefix. It is shared.
	unread map[string]*RecordError
	// sightings says when its times were first seen; nil where they are all of
	// one machine.
	sightings *Sightings
}

// newSnapshot freezes a database as it is now.
func newSnapshot(db *memdb.MemDB, revision int64, store *Store) *Snapshot {
	frozen := db.Snapshot()
	return &Snapshot{db: frozen, txn: frozen.Txn(false), revision: revision, store: store}
}

// newDB makes an empty mirror. The schema is fixed, so it cannot fail.
func newDB() *memdb.MemDB {
	db, err := memdb.NewMemDB(schema())
	if err != nil {
		panic(fmt.Sprintf("state: the mirror's schema is wrong: %v", err))
	}
	return db
}

// SnapshotOf makes a snapshot at revision 1 that holds copies of the records,
// for tests and previews. Nothing can be committed on it. It panics on a
// record that cannot be stored, which is a mistake of the caller.
func SnapshotOf(records ...model.Record) *Snapshot {
	db := newDB()
	write := db.Txn(true)
	for _, rec := range records {
		value, err := encode(rec)
		if err != nil {
			panic("state: " + err.Error())
		}
		e, err := newEntry(rec.Key(), value)
		if err != nil {
			panic("state: " + err.Error())
		}
		e.mod = 1
		insert(write, e)
	}
	write.Commit()
	return newSnapshot(db, 1, nil)
}

// Apply gives what the snapshot would be, one revision on, after the changes
// of tx. What tx requires is not checked. The result shares the records that
// were put: do not change them afterwards.
func (s *Snapshot) Apply(tx *Txn) *Snapshot {
	next := s.revision + 1
	db := s.db.Snapshot()
	write := db.Txn(true)
	for key, change := range tx.changes {
		if change.rec == nil {
			remove(write, key)
			continue
		}
		insert(write, &entry{key: key, rec: change.rec, mod: next})
	}
	for i := range tx.events {
		event := tx.events[i]
		event.ID = eventID(next, i)
		insert(write, &entry{key: event.Key(), rec: &event, mod: next})
	}
	write.Commit()
	after := newSnapshot(db, next, nil)
	after.sightings = s.sightings
	return after
}

// Unreadable lists the records that were passed over because they cannot be
// read and nothing is decided by them, by key.
func (s *Snapshot) Unreadable() []*RecordError {
	var found []*RecordError
	for _, key := range slices.Sorted(maps.Keys(s.unread)) {
		found = append(found, s.unread[key])
	}
	return found
}

// writtenAt returns the revision of the last write at a key, 0 where nothing is.
func (s *Snapshot) writtenAt(key string) int64 {
	if e := s.find(key); e != nil {
		return e.mod
	}
	if record := s.unread[key]; record != nil {
		return record.mod
	}
	return 0
}

// Revision is the etcd revision that the snapshot shows.
func (s *Snapshot) Revision() int64 { return s.revision }

// records shows every record.
func (s *Snapshot) records(visit func(model.Record)) {
	for name := range tables {
		each(s.txn, name, "id_prefix", "", func(e *entry) bool {
			visit(e.rec)
			return true
		})
	}
}

// find gives the entry of a key, nil when there is none.
func (s *Snapshot) find(key string) *entry {
	return first(s.txn, tableName(key), "id", key)
}

// under gives the entries whose keys begin with a prefix, sorted by key.
func (s *Snapshot) under(prefix string) []*entry {
	var found []*entry
	each(s.txn, tableName(prefix), "id_prefix", prefix, func(e *entry) bool {
		found = append(found, e)
		return true
	})
	return found
}

// one gives the record of a key, nil when there is none.
func one[T any](s *Snapshot, key string) *T {
	if e := s.find(key); e != nil {
		return any(e.rec).(*T)
	}
	return nil
}

// all gives the records of a table's index that stand under a value, or, with
// an index name that ends in _prefix, under values that begin with it.
func all[T any](s *Snapshot, table, index, value string) []*T {
	var found []*T
	each(s.txn, table, index, value, func(e *entry) bool {
		found = append(found, any(e.rec).(*T))
		return true
	})
	return found
}

// under gives the records whose keys begin with a prefix, sorted by key.
func under[T any](s *Snapshot, prefix string) []*T {
	return all[T](s, tableName(prefix), "id_prefix", prefix)
}

// The functions below are the only ones that speak to go-memdb. It fails only
// on a table or index that the schema does not have, which is a mistake in
// this package and no state of the world: they panic.

func first(txn *memdb.Txn, table, index, value string) *entry {
	raw, err := txn.First(table, index, value)
	if err != nil {
		panic(fmt.Sprintf("state: look up %s in %s by %s: %v", value, table, index, err))
	}
	if raw == nil {
		return nil
	}
	return raw.(*entry)
}

func each(txn *memdb.Txn, table, index, value string, visit func(*entry) bool) {
	found, err := txn.Get(table, index, value)
	if err != nil {
		panic(fmt.Sprintf("state: list %s in %s by %s: %v", value, table, index, err))
	}
	for raw := found.Next(); raw != nil && visit(raw.(*entry)); raw = found.Next() {
	}
}

func insert(txn *memdb.Txn, e *entry) {
	if err := txn.Insert(tableName(e.key), e); err != nil {
		panic(fmt.Sprintf("state: insert %s into the mirror: %v", e.key, err))
	}
}

func remove(txn *memdb.Txn, key string) {
	if _, known := tables[tableName(key)]; !known {
		return
	}
	e := first(txn, tableName(key), "id", key)
	if e == nil {
		return
	}
	if err := txn.Delete(tableName(key), e); err != nil {
		panic(fmt.Sprintf("state: remove %s from the mirror: %v", key, err))
	}
}
