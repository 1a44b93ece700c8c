package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// page is how many records one read fetches: few enough to come in time from a
// member that is busy.
const page = 1000

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
	err := s.mirror.replace(content, revision, rewound)
	if record := (*RecordError)(nil); errors.As(err, &record) {
		record.seen = revision
	}
	return revision, err
}

// follow keeps the mirror up to date until the store is closed. The etcd client
// resumes a watch by itself after a broken connection; what remains is a watch
// that cannot be resumed, because its place in the history was compacted or its
// member lost the quorum. Then the state is read anew. A record that cannot be
// read stops the mirror until it was changed.
func (s *Store) follow(revision int64) {
	for {
		var err error
		revision, err = s.watch(revision)
		if s.ctx.Err() != nil {
			return
		}
		if unanswered := (*UnansweredError)(nil); errors.As(err, &unanswered) {
			s.logger.Warn("watching at another member of etcd", "cause", err)
			continue
		}
		for {
			if record := (*RecordError)(nil); errors.As(err, &record) {
				s.logger.Error("the mirror stopped until this record is mended", "error", err)
				s.mirror.halt(record)
				s.awaitMending(record)
				if s.ctx.Err() != nil {
					return
				}
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

// awaitMending returns when the record was written or removed since, or that
// cannot be found out: then too the state is to be read anew.
func (s *Store) awaitMending(record *RecordError) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(s.ctx))
	defer cancel()
	for got := range s.client.Watch(ctx, record.Key, clientv3.WithRev(record.seen)) {
		written := slices.ContainsFunc(got.Events, func(event *clientv3.Event) bool { return event.Kv.ModRevision > record.seen })
		if got.Err() != nil || written {
			return
		}
	}
}

// watch applies the changes after a revision, until the watch breaks or etcd is
// found to have gone back, and returns the revision up to which all were seen. It
// begins at that revision and not at the next: etcd answers no ping on a watch
// from what is yet to come.
func (s *Store) watch(revision int64) (seen int64, err error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(s.ctx))
	defer cancel()
	changes := s.client.Watch(ctx, s.prefix, clientv3.WithPrefix(), clientv3.WithRev(revision))
	for {
		select {
		case <-s.rewound:
			return revision, ErrRewound
		case got, open := <-changes:
			if !open {
				return revision, fmt.Errorf("watch %s: the stream ended", s.prefix)
			}
			if revision, err = s.take(got, revision); err != nil {
				return revision, err
			}
		}
	}
}

// take applies what a watch says that has seen all up to a revision, and returns
// up to which it has now.
func (s *Store) take(got clientv3.WatchResponse, revision int64) (seen int64, err error) {
	if err := got.Err(); err != nil {
		return revision, fmt.Errorf("watch %s: %w", s.prefix, err)
	}
	if got.IsProgressNotify() {
		s.mirror.hear()
		return got.Header.Revision, nil
	}
	events := slices.DeleteFunc(got.Events, func(event *clientv3.Event) bool { return event.Kv.ModRevision <= revision })
	if len(events) == 0 {
		return revision, nil
	}
	// The last event's revision rather than the header's: an answer may
	// be one of several that catch up, and is then ahead of its events.
	last := events[len(events)-1].Kv.ModRevision
	if err := s.mirror.apply(events, last); err != nil {
		if record := (*RecordError)(nil); errors.As(err, &record) {
			record.seen = record.mod
		}
		return revision, err
	}
	return last, nil
}
