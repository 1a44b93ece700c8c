package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A backup that is restored takes etcd back to an earlier revision. A watch does
// not notice: it waits for the revision that comes after the last it has seen.
// So each store asks etcd from time to time where it is, and reads the state
// anew where that is another history than the mirror shows.

// ErrRewound says that the state went back to an earlier revision while
// somebody waited for a later one.
var ErrRewound = errors.New("the state went back to an earlier revision, as when a backup is restored")

// historyEvery is how long a store may go on with a state that went back.
const historyEvery = 2 * time.Second

// historyWithin bounds how long etcd is waited for; without an answer nothing is
// known to have changed.
const historyWithin = 5 * time.Second

// guardHistory asks etcd where it is until the store is closed.
func (s *Store) guardHistory() {
	ticker := time.NewTicker(historyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
		_, _ = s.checkHistory(s.ctx)
	}
}

// checkHistory returns the revision that etcd is at, as its majority has it, and
// has the state read anew where that is before the mirror's.
func (s *Store) checkHistory(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, historyWithin)
	defer cancel()
	seen := s.Snapshot().revision
	got, err := s.client.Get(ctx, s.prefix, clientv3.WithLimit(1), clientv3.WithKeysOnly())
	if err != nil {
		return 0, fmt.Errorf("ask etcd for its revision: %w", err)
	}
	if got.Header.Revision < seen || s.cluster.Load() != got.Header.ClusterId {
		s.readAnew()
	}
	return got.Header.Revision, nil
}

// readAnew has the state read anew, of another history than the mirror shows.
func (s *Store) readAnew() {
	select {
	case s.rewound <- struct{}{}:
	default:
	}
}

// Reach waits until the mirror shows a revision that another node has shown. It
// returns at once, with nil, where etcd itself is behind that revision: then the
// state went back, and what etcd has now is all there is. It fails when ctx ends
// before, or the mirror has stopped.
func (s *Store) Reach(ctx context.Context, revision int64) error {
	if s.Snapshot().revision >= revision {
		return nil
	}
	now, err := s.checkHistory(ctx)
	if err != nil {
		return err
	}
	err = s.mirror.wait(ctx, min(revision, now), false)
	if errors.Is(err, ErrRewound) {
		return nil
	}
	return err
}
