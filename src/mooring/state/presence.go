package state

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// ErrSuperseded says that a newer agent registered for the cell.
var ErrSuperseded = errors.New("a newer agent registered for the cell")

// ErrUnregistered says that the cell is not known to have the agent, and that no
// newer one is known to have replaced it: it has to register again.
var ErrUnregistered = errors.New("the cell is not known to have this agent")

// keepAttempts bounds how often Keep begins anew when others write the same
// presence: more than a few nodes never do.
const keepAttempts = 5

// Keep makes the presence of a cell last for ttl from now, rounded up to whole
// seconds. It renews the lease that the presence of the same agent already
// has, whichever node made it; otherwise it makes one and replaces the
// presence of an earlier agent, unless the cell's record names another Start
// than p: then it fails with ErrSuperseded, or with ErrUnregistered where that
// agent did not register later. When the presence is new, Keep returns once the
// mirror shows it. While the mirror has stopped at a record, cells are kept all the
// same.
func (s *Store) Keep(ctx context.Context, p *model.Presence, ttl time.Duration) error {
	seconds := int64(math.Ceil(ttl.Seconds()))
	if e := s.Snapshot().find(p.Key()); e != nil && *e.rec.(*model.Presence) == *p {
		if alive, err := s.renew(ctx, e.lease, seconds); alive || err != nil {
			return keepError(p, err)
		}
	}
	// The mirror knows no lease that lives. What etcd has decides.
	for range keepAttempts {
		again, err := s.keep(ctx, p, seconds)
		if !again || err != nil {
			return keepError(p, err)
		}
	}
	return keepError(p, ErrConflict)
}

func keepError(p *model.Presence, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("keep cell %s present: %w", p.CellID, err)
}

// renew keeps a lease alive. It reports false when there is none, or it is
// shorter than it has to be.
func (s *Store) renew(ctx context.Context, lease clientv3.LeaseID, seconds int64) (bool, error) {
	if lease == clientv3.NoLease {
		return false, nil
	}
	got, err := s.client.KeepAliveOnce(ctx, lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return false, nil
	}
	return err == nil && got.TTL >= seconds, err
}

// keep binds the presence to a lease that lives. It asks to be called again
// when somebody else wrote in between.
func (s *Store) keep(ctx context.Context, p *model.Presence, seconds int64) (again bool, err error) {
	cell := &model.Cell{ID: p.CellID}
	presenceKey, cellKey := s.prefix+p.Key(), s.prefix+cell.Key()
	got, err := s.client.Txn(ctx).Then(clientv3.OpGet(presenceKey), clientv3.OpGet(cellKey)).Commit()
	if err != nil {
		return false, err
	}
	var presenceMod, cellMod int64
	var before clientv3.LeaseID
	if kvs := got.Responses[1].GetResponseRange().Kvs; len(kvs) > 0 {
		if err := decode(kvs[0].Value, cell); err != nil {
			return false, &RecordError{Key: cellKey, Err: err}
		}
		switch {
		case cell.Supersedes(p.Start, p.Registration):
			return false, fmt.Errorf("%w (start %s)", ErrSuperseded, cell.Start)
		case !cell.IsAgent(p.Boot, p.Start):
			return false, fmt.Errorf("%w (start %s)", ErrUnregistered, cell.Start)
		}
		cellMod = kvs[0].ModRevision
	}
	if kvs := got.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		var current model.Presence
		if err := decode(kvs[0].Value, &current); err != nil {
			return false, &RecordError{Key: presenceKey, Err: err}
		}
		presenceMod, before = kvs[0].ModRevision, clientv3.LeaseID(kvs[0].Lease)
		if current == *p {
			if alive, err := s.renew(ctx, before, seconds); alive || err != nil {
				return false, err
			}
		}
	}
	value, err := encode(p)
	if err != nil {
		return false, err
	}
	lease, err := s.client.Grant(ctx, seconds)
	if err != nil {
		return false, err
	}
	put, err := s.client.Txn(ctx).If(
		clientv3.Compare(clientv3.ModRevision(presenceKey), "=", presenceMod),
		clientv3.Compare(clientv3.ModRevision(cellKey), "=", cellMod),
	).Then(clientv3.OpPut(presenceKey, string(value), clientv3.WithLease(lease.ID))).Commit()
	if unanswered := (*UnansweredError)(nil); errors.As(err, &unanswered) {
		return true, nil // another member knows whether it was written
	}
	if err != nil {
		return false, err // the lease ends by itself
	}
	if !put.Succeeded {
		_, err := s.client.Revoke(ctx, lease.ID)
		return true, err
	}
	if before != clientv3.NoLease { // nothing is bound to it any more
		if _, err := s.client.Revoke(ctx, before); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			s.logger.Warn("an unused lease is left to run out", "cell", p.CellID, "error", err)
		}
	}
	err = s.mirror.wait(ctx, put.Header.Revision, false)
	if isRecordError(err) {
		err = nil // what keeps the mirror from showing it is not this cell's fault
	}
	return false, err
}
