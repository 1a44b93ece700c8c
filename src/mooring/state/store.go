package state

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// DefaultPrefix is where all records are in etcd.
const DefaultPrefix = "/mooring/"

// maxMessage bounds one request in bytes. A transaction over the ledgers of a
// full cell is far smaller.
const maxMessage = 10 << 20

// ErrClosed is what a Store that was closed answers.
var ErrClosed = errors.New("the state store is closed")

// Config says which etcd holds the state.
type Config struct {
	Endpoints []string // URLs, or host:port
	TLS       *tls.Config
	Logger    *slog.Logger // nil is silent
	// DialTimeout bounds how long Open tries to reach etcd; 0 is 10 s.
	DialTimeout time.Duration
	// Prefix is where the records are; "" is DefaultPrefix.
	Prefix string
}

// Store is the state: etcd, and the mirror of it that follows by watch. It is
// safe for many goroutines.
type Store struct {
	client  *clientv3.Client
	members *members
	prefix  string
	logger  *slog.Logger
	mirror  *mirror

	// cluster names the etcd cluster that the mirror was read from.
	cluster atomic.Uint64
	// rewound is sent to when etcd has another history than the mirror.
	rewound chan struct{}

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	closed sync.Once
	done   sync.WaitGroup
}

// Open connects to etcd, fills the mirror and follows etcd until Close. It
// refuses a state that holds a record it cannot read and that decides, with a
// *RecordError.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Prefix == "" {
		cfg.Prefix = DefaultPrefix
	}
	known := &members{}
	client, err := connect(cfg, known)
	if err != nil {
		return nil, fmt.Errorf("connect to etcd at %s: %w", strings.Join(cfg.Endpoints, ", "), err)
	}
	s := &Store{client: client, members: known, prefix: strings.TrimSuffix(cfg.Prefix, "/") + "/", logger: cfg.Logger, rewound: make(chan struct{}, 1)}
	s.mirror = newMirror(s.prefix, s)
	s.ctx, s.cancel = context.WithCancel(context.Background())

	dial, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	revision, err := s.load(dial)
	if err != nil {
		s.cancel()
		client.Close()
		if isRecordError(err) {
			return nil, err
		}
		return nil, fmt.Errorf("read the state from etcd at %s: %w; is it running, and reachable from here?", strings.Join(cfg.Endpoints, ", "), err)
	}
	s.done.Go(func() { s.follow(revision) })
	s.done.Go(s.guardHistory)
	return s, nil
}

// connect makes a client that goes to another member when one does not answer.
func connect(cfg Config, known *members) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   cfg.Endpoints,
		TLS:         cfg.TLS,
		DialTimeout: cfg.DialTimeout,
		// gRPC pings no more often. A member that is silent is noticed by what
		// it is asked; this is for connections over which nothing is.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 5 * time.Second,
		PermitWithoutStream:  true,
		MaxCallSendMsgSize:   maxMessage,
		Logger:               zapLogger(cfg.Logger, slog.LevelError),
		DialOptions: []grpc.DialOption{
			grpc.WithConnectParams(reconnect),
			grpc.WithDisableServiceConfig(), grpc.WithDefaultServiceConfig(balancing),
			grpc.WithChainUnaryInterceptor(known.call), grpc.WithChainStreamInterceptor(known.stream),
		},
	})
}

// OpenWhenReachable is Open for a daemon that starts before etcd does, while
// etcd has no majority, or while the state holds a record that cannot be read: it
// tries until that is mended and then returns the store. Before each further
// attempt it calls waiting with what it waits for. It fails when ctx ends.
func OpenWhenReachable(ctx context.Context, cfg Config, waiting func(error)) (*Store, error) {
	return backoff.Retry(ctx, func() (*Store, error) { return Open(ctx, cfg) },
		backoff.WithBackOff(backoff.NewConstantBackOff(openAgain)), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) { waiting(err) }))
}

// openAgain is the pause between two attempts to open the state.
const openAgain = time.Second

// Close stops following etcd. Snapshots that were taken stay good.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		s.cancel()
		s.mirror.stop(ErrClosed)
		err = s.client.Close()
		s.done.Wait()
	})
	return err
}

// Snapshot gives the state as last seen. It costs next to nothing.
func (s *Store) Snapshot() *Snapshot {
	snap, _, _ := s.mirror.view()
	return snap
}

// Wait returns when the mirror's revision is greater than after, that of a
// snapshot of this store, or the state has gone back to before it. It fails when
// ctx ends or the store is closed. While etcd is out of reach, or the mirror has
// stopped at a record, it waits on.
func (s *Store) Wait(ctx context.Context, after int64) error { return s.past(ctx, after, true) }

// past is Wait that fails when the mirror has stopped at a record unless patient.
func (s *Store) past(ctx context.Context, after int64, patient bool) error {
	if s.Snapshot().revision < after {
		return nil // it has gone back since the snapshot
	}
	err := s.mirror.wait(ctx, after+1, patient)
	if errors.Is(err, ErrRewound) {
		return nil
	}
	return err
}

// WaitToFollow returns at once while the mirror follows etcd, and when it has
// stopped at a record, once it follows again. Who decides calls it before each
// decision. It fails when ctx ends, with its cause, or the store is closed.
func (s *Store) WaitToFollow(ctx context.Context) error {
	for {
		_, changed, err := s.mirror.view()
		if !isRecordError(err) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitUntil is Wait that also returns nil at the time due; a zero one never
// comes. When ctx ends it fails with its cause.
func (s *Store) WaitUntil(ctx context.Context, after int64, due time.Time) error {
	waiting := ctx
	if !due.IsZero() {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadline(ctx, due)
		defer cancel()
	}
	err := s.Wait(waiting, after)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case waiting.Err() != nil && !s.isClosed():
		return nil
	}
	return err
}

// Err says why the mirror stopped: ErrClosed, or, until it is mended, the
// *RecordError. It is nil while the mirror follows etcd, also while etcd is out
// of reach; Age tells then.
func (s *Store) Err() error {
	_, _, err := s.mirror.view()
	return err
}

// Age is for how long the snapshot has not been known to be the newest state. It
// is below a few seconds while etcd answers.
func (s *Store) Age() time.Duration { return s.mirror.age() }

// isClosed reports whether there will be no later snapshot.
func (s *Store) isClosed() bool { return errors.Is(s.Err(), ErrClosed) }

// isRecordError reports whether an error is about a record that cannot be read.
func isRecordError(err error) bool {
	record := (*RecordError)(nil)
	return errors.As(err, &record)
}
