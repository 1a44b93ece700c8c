package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// ErrConflict says that something a transaction relied on has changed, so that
// nothing of it was written. Decide again on a new snapshot.
var ErrConflict = errors.New("the state changed since the decision was made")

// ErrQuota says that etcd refuses writes because its database has the size that
// it may have. Leases can still be renewed.
var ErrQuota = errors.New("etcd's quota is used up: compact and defragment it, or raise its quota_bytes, then disarm its alarm")

// Commit writes a transaction, all of it or nothing, in one round trip, and
// returns the revision it made once the mirror shows it. It fails with
// ErrConflict when anything the transaction relied on was changed; the mirror
// is then past the snapshot it was decided on. After any other error, except
// those that come with a revision, whether it was written is unknown until a
// new snapshot shows it. An empty transaction is not sent.
func (s *Store) Commit(ctx context.Context, tx *Txn) (int64, error) {
	if tx.base.store != s {
		return 0, errors.New("commit: the transaction was not begun on a snapshot of this store; begin it on Store.Snapshot()")
	}
	if err := s.Err(); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if tx.Empty() {
		return tx.base.revision, nil
	}
	writes, err := tx.writes(s.prefix)
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if len(writes) == 0 { // only deletes of what was not there
		return tx.base.revision, nil
	}
	got, unanswered, err := s.submit(ctx, tx, writes)
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return 0, fmt.Errorf("commit %d writes: %w", len(writes), ErrQuota)
	case errors.Is(err, rpctypes.ErrTooManyOps):
		return 0, fmt.Errorf("commit %d writes: %w; start etcd with --max-txn-ops=%d", len(writes), err, maxTxnOps)
	case err != nil:
		return 0, fmt.Errorf("commit %d writes: %w", len(writes), err)
	}
	revision := got.Header.Revision
	if !got.Succeeded && unanswered != nil { // what it met may be itself
		var known bool
		if revision, known = tx.writtenBefore(writes, got); !known {
			return 0, fmt.Errorf("commit %d writes: %w", len(writes), errors.Join(unanswered, s.mirror.wait(ctx, tx.base.revision+1, false)))
		}
	} else if !got.Succeeded {
		revision = 0
	}
	if revision == 0 {
		return 0, s.conflict(ctx, tx, got)
	}
	if revision <= tx.base.revision {
		s.readAnew() // etcd has gone back, and its watch says nothing of that
	}
	if err := s.mirror.wait(ctx, revision, false); err != nil {
		return revision, fmt.Errorf("committed at revision %d, which the mirror has not shown: %w", revision, err)
	}
	return revision, nil
}

// traces returns what to read to find out whether an earlier try was written: an
// event, whose key no other transaction has, or else all that it writes.
func (t *Txn) traces(writes []clientv3.Op) []clientv3.Op {
	if len(t.events) > 0 {
		writes = writes[len(writes)-1:] // events come last
	}
	reads := make([]clientv3.Op, len(writes))
	for i := range writes {
		reads[i] = clientv3.OpGet(string(writes[i].KeyBytes()))
	}
	return reads
}

// writtenBefore finds out from the traces at which revision an earlier try was
// written, 0 for not at all. known is false where that cannot be said.
func (t *Txn) writtenBefore(writes []clientv3.Op, got *clientv3.TxnResponse) (revision int64, known bool) {
	answers := got.Responses
	if t.leader != nil {
		answers = answers[1:]
	}
	if len(t.events) > 0 {
		if found := answers[0].GetResponseRange().Kvs; len(found) > 0 {
			return found[0].ModRevision, true
		}
		return 0, true
	}
	for i := range writes {
		found := answers[i].GetResponseRange().Kvs
		switch {
		case writes[i].IsDelete() && len(found) == 0:
			continue
		case !writes[i].IsPut() || len(found) == 0 || !bytes.Equal(found[0].Value, writes[i].ValueBytes()):
			return 0, false
		case revision != 0 && revision != found[0].ModRevision, found[0].ModRevision <= t.base.revision:
			return 0, false
		}
		revision = found[0].ModRevision
	}
	return revision, revision != 0
}

// submitAtMost bounds how often a transaction is sent: where a majority is there,
// the second or third member answers.
const submitAtMost = 4

// submit sends the transaction, and again to another member when one does not
// answer: written twice it is what it is once, since what it compares has
// changed then. unanswered is not nil when an earlier try may have been written.
func (s *Store) submit(ctx context.Context, tx *Txn, writes []clientv3.Op) (got *clientv3.TxnResponse, unanswered *UnansweredError, err error) {
	for tries := 1; ; tries++ {
		var reads []clientv3.Op
		if tx.leader != nil {
			reads = append(reads, clientv3.OpGet(tx.leader.key, clientv3.WithKeysOnly()))
		}
		if unanswered != nil {
			reads = append(reads, tx.traces(writes)...)
		}
		if got, err = s.client.Txn(ctx).If(tx.compares(s.prefix)...).Then(writes...).Else(reads...).Commit(); ctx.Err() != nil || !errors.As(err, &unanswered) || tries == submitAtMost {
			return got, unanswered, err
		}
	}
}

// conflict explains a refused transaction. It waits until the mirror is past
// the snapshot that was out of date: to decide again on the same one would
// only be refused again.
func (s *Store) conflict(ctx context.Context, tx *Txn, got *clientv3.TxnResponse) error {
	if tx.leader != nil {
		held := got.Responses[0].GetResponseRange().Kvs
		if len(held) == 0 || held[0].CreateRevision != tx.leader.revision {
			return fmt.Errorf("commit as leader of %s: %w: the leadership is lost", tx.leader.role, ErrConflict)
		}
	}
	if err := s.past(ctx, tx.base.revision, false); err != nil {
		return fmt.Errorf("commit: %w (%w)", ErrConflict, err)
	}
	return fmt.Errorf("commit on revision %d: %w", tx.base.revision, ErrConflict)
}

// writes gives the operations of the transaction.
func (t *Txn) writes(prefix string) ([]clientv3.Op, error) {
	var ops []clientv3.Op
	for _, key := range t.order {
		c := t.changes[key]
		switch c.rec.(type) {
		case nil:
			// A delete that finds nothing makes no revision to wait for.
			if t.base.writtenAt(key) != 0 {
				ops = append(ops, clientv3.OpDelete(prefix+key))
			}
			continue
		case *model.Presence:
			return nil, fmt.Errorf("put %s: presence is bound to a lease; use Store.Keep", key)
		case *model.Event:
			return nil, fmt.Errorf("put %s: events are appended with Txn.Event", key)
		}
		value, err := encode(c.rec)
		if err != nil {
			return nil, err
		}
		ops = append(ops, clientv3.OpPut(prefix+key, string(value)))
	}
	for i, key := range eventKeys(t.base.revision, len(t.events)) {
		event := t.events[i]
		if !event.Kind.Known() {
			return nil, fmt.Errorf("append an event of kind %q: model.EventKinds has no such kind; use one of them or add it there", event.Kind)
		}
		event.ID = "" // made from the revision when it is read
		value, err := encode(&event)
		if err != nil {
			return nil, err
		}
		ops = append(ops, clientv3.OpPut(prefix+key, string(value)))
	}
	return ops, nil
}

// compares gives the conditions of the transaction.
func (t *Txn) compares(prefix string) []clientv3.Cmp {
	keys := make(map[string]int64, len(t.changes)+len(t.required))
	expect := func(key string) { keys[key] = t.base.writtenAt(key) }
	for key := range t.changes {
		expect(key)
	}
	for key := range t.required {
		expect(key)
	}
	var all []clientv3.Cmp
	for _, under := range t.prefixes {
		// The range sees what was added or written, the keys what was removed.
		all = append(all, clientv3.Compare(clientv3.ModRevision(prefix+under), "<", t.base.revision+1).WithPrefix())
		for _, e := range t.base.under(under) {
			keys[e.key] = e.mod
		}
	}
	for key, revision := range keys {
		all = append(all, clientv3.Compare(clientv3.ModRevision(prefix+key), "=", revision))
	}
	if t.leader != nil {
		all = append(all, clientv3.Compare(clientv3.CreateRevision(t.leader.key), "=", t.leader.revision))
	}
	return all
}
