package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// reconnect makes a client find a restarted etcd again within a second: a
// fleet waits for it.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: 3 * time.Second,
}

// page is how many records one read fetches.
const page = 5000

// resyncDelay is the pause between attempts to read the state anew.
const resyncDelay = 200 * time.Millisecond

// load reads the whole state at one revision into the mirror.
func (s *Store) load(ctx context.Context) (int64, error) {
	var content []*mvccpb.KeyValue
	var revision int64
	var cluster uint64
	end := clientv3.GetPrefixRangeEnd(s.prefix)
	for from := s.prefix; ; {
		got, err := s.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(revision))
		if err != nil {
			return 0, err
		}
		if revision == 0 {
			revision, cluster = got.Header.Revision, got.Header.ClusterId
		}
		content = append(content, got.Kvs...)
		if !got.More {
			break
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
	before := s.cluster.Swap(cluster)
	rewound := revision < s.Snapshot().revision || before != 0 && before != cluster
	return revision, s.mirror.replace(content, revision, rewound)
}

// follow keeps the mirror up to date until the store is closed or a record
// cannot be read. The etcd client resumes a watch by itself after a broken
// connection; what remains is a watch that cannot be resumed, because its
// place in the history was compacted or its member lost the quorum. Then the
// state is read anew.
func (s *Store) follow(revision int64) {
	for {
		err := s.watch(revision + 1)
		if s.ctx.Err() != nil {
			return
		}
		for {
			if record := (*RecordError)(nil); errors.As(err, &record) {
				s.logger.Error("the mirror stopped", "error", err)
				s.mirror.stop(err)
				return
			}
			s.logger.Warn("reading the state anew", "revision", s.Snapshot().revision, "cause", err)
			if revision, err = s.load(s.ctx); err == nil {
				select {
				case <-s.rewound: // it is read since
				default:
				}
				break
			}
			select {
			case <-time.After(resyncDelay):
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// watch applies changes from a revision on, until the watch breaks or etcd is
// found to have gone back.
func (s *Store) watch(from int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(s.ctx))
	defer cancel()
	changes := s.client.Watch(ctx, s.prefix, clientv3.WithPrefix(), clientv3.WithRev(from))
	for {
		select {
		case <-s.rewound:
			return ErrRewound
		case got, open := <-changes:
			if !open {
				return fmt.Errorf("watch %s: the stream ended", s.prefix)
			}
			if err := s.take(got); err != nil {
				return err
			}
		}
	}
}

// take applies what a watch says.
func (s *Store) take(got clientv3.WatchResponse) error {
	if err := got.Err(); err != nil {
		return fmt.Errorf("watch %s: %w", s.prefix, err)
	}
	if len(got.Events) == 0 {
		return nil
	}
	// The last event's revision rather than the header's: an answer may
	// be one of several that catch up, and is then ahead of its events.
	return s.mirror.apply(got.Events, got.Events[len(got.Events)-1].Kv.ModRevision)
}
