package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"mooring/files"
)

// maxTxnOps is how many conditions or writes one transaction may have. The
// grant for a full cell compares every instance of every app on it; etcd's own
// limit of 128 is far too low.
const maxTxnOps = 20000

// EmbeddedConfig says where an etcd that runs in this process keeps its data
// and listens.
type EmbeddedConfig struct {
	Dir string // made if absent
	// ListenClient and ListenPeer are host:port; port 0 is any free one. An
	// empty ListenPeer is a free port of the loopback: the embedded etcd has
	// no peers.
	ListenClient string
	ListenPeer   string
	// Quota is how large the database may become in bytes; 0 is etcd's default.
	Quota  int64
	Logger *slog.Logger // nil is silent
}

// Embedded is an etcd of one member that runs in this process. What it has
// acknowledged survives kill -9.
type Embedded struct {
	etcd   *embed.Etcd
	unlock func()
	level  *slog.LevelVar // from which etcd is heard
	errs   chan error
}

// StartEmbedded starts etcd on the data in cfg.Dir and returns once it serves.
// It refuses a directory it cannot write, a directory that another process
// uses, and an address that is taken.
func StartEmbedded(ctx context.Context, cfg EmbeddedConfig) (*Embedded, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.ListenPeer == "" {
		cfg.ListenPeer = "127.0.0.1:0"
	}
	if err := checkAddress(cfg.ListenClient); err != nil {
		return nil, err
	}
	if err := checkAddress(cfg.ListenPeer); err != nil {
		return nil, err
	}
	unlock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	etcd, err := startEtcd(ctx, cfg, level, unlock)
	if err != nil {
		if !errors.Is(err, ErrDiskFull) && saysDiskFull(err.Error()) {
			err = fmt.Errorf("%w (%w)", ErrDiskFull, err)
		}
		return nil, fmt.Errorf("start etcd on %s with the data in %s: %w", cfg.ListenClient, cfg.Dir, err)
	}
	e := &Embedded{etcd: etcd, unlock: unlock, level: level, errs: make(chan error, 1)}
	go e.observe()
	return e, nil
}

// StartEmbeddedWhenThereIsSpace is StartEmbedded that first waits for space on
// the disk. Each time that it finds too little it calls waiting. An etcd that
// finds the disk full later cannot be started again by this process, which still
// has its files.
func StartEmbeddedWhenThereIsSpace(ctx context.Context, cfg EmbeddedConfig, waiting func(error)) (*Embedded, error) {
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, checkSpace(cfg.Dir) },
		backoff.WithBackOff(backoff.NewConstantBackOff(openAgain)), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) { waiting(err) }))
	if err != nil {
		return nil, err
	}
	return StartEmbedded(ctx, cfg)
}

// checkSpace fails with ErrDiskFull where a directory, or the one in which it
// will be made, has too little space for etcd to start.
func checkSpace(dir string) error {
	for {
		if disk := fullest([]string{dir}); disk.full() {
			return fmt.Errorf("start etcd with the data in %s: %w (%s)", dir, ErrDiskFull, disk)
		} else if parent := filepath.Dir(dir); disk == nil && parent != dir {
			dir = parent
		} else {
			return nil
		}
	}
}

// startEtcd starts etcd and waits until it serves. unused is called once an etcd
// that does not is done with the data.
func startEtcd(ctx context.Context, cfg EmbeddedConfig, level slog.Leveler, unused func()) (_ *embed.Etcd, err error) {
	trap := newTrap()
	type result struct {
		etcd *embed.Etcd
		err  error
	}
	started := make(chan result, 1)
	go func() {
		etcd, err := embed.StartEtcd(embedConfig(cfg, level, trap))
		started <- result{etcd, err}
	}()
	var got result
	select {
	case got = <-started:
	case <-ctx.Done():
		// It cannot be told to stop before it is up, and waits for as long as
		// somebody else has its files.
		go func() {
			select {
			case late := <-started:
				if late.err == nil {
					late.etcd.Close()
				}
			case <-trap.sprung:
			}
			unused()
		}()
		return nil, ctx.Err()
	case err := <-trap.sprung:
		unused()
		return nil, err
	}
	defer func() {
		if err != nil {
			unused()
		}
	}()
	if got.err != nil {
		return nil, got.err
	}
	select {
	case <-got.etcd.Server.ReadyNotify():
		trap.disarm()
		return got.etcd, nil
	case err = <-trap.sprung:
		return nil, err // nothing in it can be trusted to close
	case err = <-got.etcd.Err():
	case <-got.etcd.Server.StopNotify():
		err = errors.New("it stopped while starting")
	case <-ctx.Done():
		err = ctx.Err()
	}
	got.etcd.Close()
	return nil, err
}

// embedConfig says how the embedded etcd differs from etcd's defaults.
func embedConfig(cfg EmbeddedConfig, level slog.Leveler, trap *trap) *embed.Config {
	c := embed.NewConfig()
	c.Name = "mooring"
	c.Dir = cfg.Dir
	client, peer := url.URL{Scheme: "http", Host: cfg.ListenClient}, url.URL{Scheme: "http", Host: cfg.ListenPeer}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	// No network lies between one member and itself: short ticks make a start
	// quick and let leases be as short as a second.
	c.TickMs, c.ElectionMs = 20, 200
	c.MaxTxnOps = maxTxnOps
	c.MaxRequestBytes = maxMessage
	c.QuotaBackendBytes = cfg.Quota
	c.AutoCompactionMode, c.AutoCompactionRetention = embed.CompactorModePeriodic, "5m"
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(
		zapLogger(cfg.Logger, level).WithOptions(zap.WithPanicHook(trap), zap.WithFatalHook(trap)))
	return c
}

// observe passes on why etcd ended. It ends with etcd.
func (e *Embedded) observe() {
	select {
	case err, open := <-e.etcd.Err():
		if open && err != nil {
			e.errs <- fmt.Errorf("etcd failed: %w", err)
		}
	case <-e.etcd.Server.StopNotify():
	}
	close(e.errs)
}

// Endpoints gives what to put into Config.Endpoints.
func (e *Embedded) Endpoints() []string {
	endpoints := make([]string, len(e.etcd.Clients))
	for i, listener := range e.etcd.Clients {
		endpoints[i] = "http://" + listener.Addr().String()
	}
	return endpoints
}

// Err says why etcd ended by itself. It is closed when etcd has ended.
func (e *Embedded) Err() <-chan error { return e.errs }

// Close stops etcd. Close the stores that use it first: etcd gives those that
// are still connected some seconds to go.
func (e *Embedded) Close() {
	e.level.Set(slog.LevelError + 1) // it calls every listener it closes an error
	e.etcd.Close()
	e.unlock()
}

// lockDir makes the directory, checks that it can be written and takes it for
// this process. The lock ends with the process, however that ends.
func lockDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("make state directory %s: %w (%w)", dir, ErrDiskFull, err)
	} else if err != nil {
		return nil, fmt.Errorf("make state directory %s: %w; choose one that can be written", dir, err)
	}
	unlock, err = files.Lock(dir)
	if errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("write to state directory %s: %w (%w)", dir, ErrDiskFull, err)
	}
	if errors.Is(err, files.ErrTaken) {
		return nil, fmt.Errorf("lock state directory %s: %w; stop that one or choose another directory", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("write to state directory %s: %w; make it writable or choose another", dir, err)
	}
	return unlock, nil
}

// checkAddress says in our words what etcd would say in its own, and before
// anything is written.
func checkAddress(address string) error {
	listener, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return listener.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen for etcd on %s: the port is taken; stop what uses it or choose another", address)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err // the rest repeats the address
	}
	return fmt.Errorf("listen for etcd on %s: %w; choose an address of this host, as host:port", address, err)
}
