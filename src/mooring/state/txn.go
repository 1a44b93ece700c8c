package state

import (
	"slices"
	"strings"

	"mooring/model"
)

// Txn is a decision made on a snapshot: what to write, and what must still be
// as the snapshot showed it. It belongs to one goroutine. Records that are put
// are handed over: do not change them afterwards.
type Txn struct {
	base     *Snapshot
	changes  map[string]change
	order    []string // keys of changes as they were first changed
	required map[string]struct{}
	prefixes []string
	events   []model.Event
	leader   *Leadership
}

// change is the new record of a key, or none when the key is deleted.
type change struct {
	rec  model.Record
	gone model.Record // the record that is deleted
}

// Txn begins a transaction on the snapshot. It is optimistic: Commit fails
// with ErrConflict when a key that it puts, deletes or requires was written
// since the snapshot.
func (s *Snapshot) Txn() *Txn {
	return &Txn{base: s, changes: map[string]change{}, required: map[string]struct{}{}}
}

// Put writes a record, new or changed. Presence is written by Store.Keep and
// events by Event.
func (t *Txn) Put(rec model.Record) { t.change(rec.Key(), change{rec: rec}) }

// Delete removes a record. To remove one that the snapshot does not have only
// requires that it stays away.
func (t *Txn) Delete(rec model.Record) { t.change(t.base.keyOf(rec), change{gone: rec}) }

func (t *Txn) change(key string, c change) {
	if _, again := t.changes[key]; !again {
		t.order = append(t.order, key)
	}
	t.changes[key] = c
}

// Require makes the commit fail when one of the keys was written or removed
// since the snapshot. A key that was absent must still be.
func (t *Txn) Require(keys ...string) {
	for _, key := range keys {
		t.required[key] = struct{}{}
	}
}

// RequireUnder makes the commit fail when anything under a key prefix, such as
// "instances/GUID/", was written, added or removed since the snapshot.
func (t *Txn) RequireUnder(prefix string) {
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if !slices.Contains(t.prefixes, prefix) {
		t.prefixes = append(t.prefixes, prefix)
	}
}

// Event appends to the stream of events, in the same transaction. Its ID is
// given by Commit, which refuses a kind that is not in model.EventKinds.
func (t *Txn) Event(event model.Event) { t.events = append(t.events, event) }

// As makes the commit fail when the leadership no longer holds.
func (t *Txn) As(l *Leadership) { t.leader = l }

// Empty reports whether the transaction would write nothing.
func (t *Txn) Empty() bool { return len(t.changes) == 0 && len(t.events) == 0 }

// Changes gives the records to be put and the keys to be deleted, each in the
// order they were first mentioned.
func (t *Txn) Changes() (puts []model.Record, deletes []string) {
	for _, key := range t.order {
		if c := t.changes[key]; c.rec != nil {
			puts = append(puts, c.rec)
		} else {
			deletes = append(deletes, key)
		}
	}
	return puts, deletes
}

// Events gives the events to be appended, in order and still without IDs.
func (t *Txn) Events() []model.Event { return slices.Clone(t.events) }

// keyOf gives the key at which a record is stored.
func (s *Snapshot) keyOf(rec model.Record) string {
	if event, ok := rec.(*model.Event); ok {
		if e := first(s.txn, model.TableEvents, byOrder, event.ID); e != nil {
			return e.key
		}
	}
	return rec.Key()
}
