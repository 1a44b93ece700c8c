package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// leaderTTL is how many seconds a dead leader's seat stays taken.
const leaderTTL = 5

// ErrLost is why a Context of a Leadership ended that no longer holds.
var ErrLost = errors.New("the leadership is lost")

// errSeatLost says that the lease ran out while waiting to become leader.
var errSeatLost = errors.New("the lease ran out while waiting")

// Leadership is the right to act in a role, held until it is lost or resigned.
// Transactions that are committed As it are refused once it no longer holds,
// also before the holder has noticed.
type Leadership struct {
	role     string
	key      string // in etcd, removed with the leader's lease
	revision int64  // that created key
	lease    clientv3.LeaseID
	client   *clientv3.Client
	session  *concurrency.Session
}

// Lead blocks until it leads in the role, such as "scheduler"; it fails only
// when ctx ends or the store stops. id names the seat of the process, such as
// its host: a leader of the same id is an earlier life of the same process and
// is deposed at once, so that a restart need not wait for its lease to run
// out.
func (s *Store) Lead(ctx context.Context, role, id string) (*Leadership, error) {
	for {
		lead, err := s.lead(ctx, role, id)
		if err == nil {
			return lead, nil
		}
		if s.isClosed() {
			err = ErrClosed
		}
		if ctx.Err() != nil || s.isClosed() {
			return nil, fmt.Errorf("become leader of %s: %w", role, err)
		}
		s.logger.Warn("cannot become leader yet", "role", role, "error", err)
		select {
		case <-time.After(resyncDelay):
		case <-ctx.Done():
		}
	}
}

// lead takes a seat once and waits until all before it are empty.
func (s *Store) lead(ctx context.Context, role, id string) (*Leadership, error) {
	seats := strings.TrimSuffix(s.prefix, "/") + "-leaders/" + role
	if err := s.depose(ctx, seats+"/", id); err != nil {
		return nil, err
	}
	lease, err := s.client.Grant(ctx, leaderTTL)
	if err != nil {
		return nil, err
	}
	session, err := concurrency.NewSession(s.client, concurrency.WithLease(lease.ID), concurrency.WithContext(s.ctx))
	if err != nil {
		return nil, err
	}
	campaign, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(session.Ctx(), cancel)()
	election := concurrency.NewElection(session, seats)
	err = election.Campaign(campaign, id)
	if ctx.Err() == nil && session.Ctx().Err() != nil {
		// Campaign does not notice that its own seat is gone.
		err = errSeatLost
	}
	if err != nil {
		session.Orphan()
		return nil, err
	}
	return &Leadership{
		role: role, key: election.Key(), revision: election.Rev(),
		lease: lease.ID, client: s.client, session: session,
	}, nil
}

// depose removes the seats that an earlier process of the same id left.
func (s *Store) depose(ctx context.Context, seats, id string) error {
	got, err := s.client.Get(ctx, seats, clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, kv := range got.Kvs {
		if string(kv.Value) != id {
			continue
		}
		if _, err := s.client.Delete(ctx, string(kv.Key)); err != nil {
			return err
		}
	}
	return nil
}

// Lost is closed when the leadership may no longer hold.
func (l *Leadership) Lost() <-chan struct{} { return l.session.Done() }

// Context gives one that ends with ctx, when end is called, or when the
// leadership may no longer hold: its cause is then ErrLost. What a leader does
// besides writing to the state goes by it.
func (l *Leadership) Context(ctx context.Context) (leading context.Context, end func()) {
	leading, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-l.Lost():
			cancel(fmt.Errorf("%w: another process leads as %s", ErrLost, l.role))
		case <-leading.Done():
		}
	}()
	return leading, func() { cancel(nil) }
}

// Resign gives the leadership up, so that another process can lead at once.
func (l *Leadership) Resign(ctx context.Context) error {
	l.session.Orphan()
	if _, err := l.client.Revoke(ctx, l.lease); err != nil {
		return fmt.Errorf("resign as leader of %s: %w; another can lead in %d s", l.role, err, leaderTTL)
	}
	return nil
}

// Leaders gives who leads in each role that somebody leads in, as the id that
// was given to Lead.
func (s *Store) Leaders(ctx context.Context) (map[string]string, error) {
	seats := strings.TrimSuffix(s.prefix, "/") + "-leaders/"
	got, err := s.client.Get(ctx, seats, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		return nil, fmt.Errorf("find out who leads: %w", err)
	}
	leaders := map[string]string{}
	for _, kv := range got.Kvs {
		role, _, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), seats), "/")
		if _, led := leaders[role]; !led { // those after the first wait
			leaders[role] = string(kv.Value)
		}
	}
	return leaders, nil
}
