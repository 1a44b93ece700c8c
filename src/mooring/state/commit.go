package state

import (
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
	etcdTxn := s.client.Txn(ctx).If(tx.compares(s.prefix)...).Then(writes...)
	if tx.leader != nil {
		etcdTxn = etcdTxn.Else(clientv3.OpGet(tx.leader.key, clientv3.WithKeysOnly()))
	}
	got, err := etcdTxn.Commit()
	switch {
	case errors.Is(err, rpctypes.ErrTooManyOps):
		return 0, fmt.Errorf("commit %d writes: %w; start etcd with --max-txn-ops=%d", len(writes), err, maxTxnOps)
	case err != nil:
		return 0, fmt.Errorf("commit %d writes: %w", len(writes), err)
	case !got.Succeeded:
		return 0, s.conflict(ctx, tx, got)
	}
	if got.Header.Revision <= tx.base.revision {
		s.readAnew() // etcd has gone back, and its watch says nothing of that
	}
	if err := s.mirror.wait(ctx, got.Header.Revision); err != nil {
		return got.Header.Revision, fmt.Errorf("committed at revision %d, which the mirror has not shown: %w", got.Header.Revision, err)
	}
	return got.Header.Revision, nil
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
	if err := s.Wait(ctx, tx.base.revision); err != nil {
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
			if t.base.find(key) != nil {
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
	expect := func(key string) {
		var revision int64 // 0: absent
		if e := t.base.find(key); e != nil {
			revision = e.mod
		}
		keys[key] = revision
	}
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
