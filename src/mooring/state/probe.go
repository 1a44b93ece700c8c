package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"mooring/model"
)

const (
	// probeEvery is how often the state is written to, to see whether it can be.
	probeEvery = 5 * time.Second
	// probeWithin bounds one look.
	probeWithin = 4 * time.Second
	// writeGrace is for how long writes may fail for a reason that may pass by
	// itself, such as an election.
	writeGrace = 12 * time.Second
	// openGrace is how long a node may wait for the state when it starts: on a
	// first deploy etcd has no majority until the second node is there.
	openGrace = 2 * time.Minute
	// warnAt is the share of etcd's quota, and of a disk, from which it is said
	// that it is used up soon.
	warnAt = 0.8
	// leastFree is the space below which a disk counts as full: etcd takes it in
	// pieces of 64 MB.
	leastFree = 64 << 20
	// freeEnough is the space above which a disk of any size is not full soon.
	freeEnough = 2 << 30
)

// Problem is something that is wrong with the state itself, so that it cannot be
// told of through the state.
type Problem struct {
	ID     string // the same as long as it lasts
	Kind   model.StuckKind
	What   string
	Advice string
	Since  time.Time
}

// Probe finds out what is wrong with the state, as one node sees it. It can be
// asked before the state is open. It is safe for many goroutines.
type Probe struct {
	node   string
	disks  []string // directories
	logger *slog.Logger

	mu       sync.Mutex
	store    *Store // nil until it is open
	began    time.Time
	waiting  error // why the state is not open
	failing  time.Time
	failure  error // of the last write
	used     Used
	disk     *diskUse // the fullest
	problems map[string]Problem
}

// Used is how much of its quota etcd's database takes: the largest member's.
type Used struct{ Bytes, Quota int64 }

// share is 0 where it is unknown.
func (u Used) share() float64 {
	if u.Quota == 0 {
		return 0
	}
	return float64(u.Bytes) / float64(u.Quota)
}

// NewProbe makes the probe of a node. disks are directories on the disks that
// the state is kept on, as far as they are of this machine.
func NewProbe(node string, logger *slog.Logger, disks ...string) *Probe {
	return &Probe{
		node: node, disks: disks, logger: cmp.Or(logger, slog.New(slog.DiscardHandler)),
		began: time.Now(), problems: map[string]Problem{},
	}
}

// Wait notes why the state cannot be opened yet.
func (p *Probe) Wait(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = cause
}

// Run probes until ctx ends; the store, once it is open, is given to Watch.
func (p *Probe) Run(ctx context.Context) {
	for {
		p.look(ctx)
		select {
		case <-time.After(probeEvery):
		case <-ctx.Done():
			return
		}
	}
}

// Watch has the probe look at a store that is open.
func (p *Probe) Watch(store *Store) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.store, p.waiting = store, nil
}

// look probes once.
func (p *Probe) look(ctx context.Context) {
	p.mu.Lock()
	store := p.store
	p.mu.Unlock()
	disk := fullest(p.disks)
	var failure error
	var used Used
	if store != nil {
		limited, cancel := context.WithTimeout(ctx, probeWithin)
		defer cancel()
		failure = store.tryWrite(limited, p.node)
		used = store.used(limited)
	}
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disk = disk
	if used.Quota > 0 {
		p.used = used
	}
	if failure == nil {
		p.failing = time.Time{}
	} else if p.failing.IsZero() {
		p.failing = time.Now()
		p.logger.Warn("the state cannot be written", "error", failure)
	}
	p.failure = failure
}

// Used returns how much of its quota etcd used when that was last known.
func (p *Probe) Used() Used {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// Problems lists what is wrong now, the worst first. Since is when a problem was
// first listed.
func (p *Probe) Problems() []Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.find()
	before := p.problems
	p.problems = map[string]Problem{}
	for i := range found {
		problem := &found[i]
		problem.ID += "@" + p.node
		problem.Since = time.Now()
		if known, open := before[problem.ID]; open {
			problem.Since = known.Since
		}
		p.problems[problem.ID] = *problem
	}
	return found
}

// Failure is why this node cannot do its work: the first problem that keeps the
// state from being read or written. It is nil where there is none.
func (p *Probe) Failure() error {
	for _, problem := range p.Problems() {
		if problem.Kind.Severity() == model.Critical {
			return errors.New(problem.What)
		}
	}
	return nil
}

// find lists what is wrong. p.mu is held.
func (p *Probe) find() []Problem {
	var found []Problem
	add := func(id string, kind model.StuckKind, what, advice string) {
		found = append(found, Problem{ID: id, Kind: kind, What: what, Advice: advice})
	}
	if p.store == nil {
		if what, advice := p.whyNotOpen(); what != "" {
			add(string(model.StateUnwritable), model.StateUnwritable, what, advice)
		}
		if isRecordError(p.waiting) {
			add(string(model.StateStopped), model.StateStopped, "this node waits for the state: "+p.waiting.Error(), adviceRecord)
		}
	} else {
		if err := p.store.Err(); isRecordError(err) {
			add(string(model.StateStopped), model.StateStopped, "nothing is decided: "+err.Error(), adviceRecord)
		}
		if what, advice := p.whyNotWritten(); what != "" {
			add(string(model.StateUnwritable), model.StateUnwritable, what, advice)
		}
		for _, record := range p.store.Snapshot().Unreadable() {
			add(string(model.RecordUnreadable)+"/"+record.Key, model.RecordUnreadable, "passed over: "+record.Error(),
				"It decides nothing. Upgrade the nodes if a newer version wrote it; otherwise restore it from a backup or delete the key.")
		}
	}
	if p.used.share() >= warnAt && !errors.Is(p.failure, ErrQuota) {
		add(string(model.StateFilling)+"/quota", model.StateFilling, fmt.Sprintf("etcd's quota is used up to %s: when it is full, nothing can be written", p.used), adviceQuota)
	}
	if p.disk.fullSoon() {
		add(string(model.StateFilling)+"/disk", model.StateFilling, fmt.Sprintf("the disk of %s is full soon: %s", p.disk.dir, p.disk), "Free space, or give the node a larger disk.")
	}
	return found
}

// What to do about a problem.
const (
	adviceRecord = "It goes on by itself once the record is mended: restore it from a backup or delete the key; upgrade the nodes if a newer version wrote it. Cells keep what they run."
	adviceQuota  = "Defragment one member after the other (etcdctl defrag) or raise quota_bytes of the job etcd, then disarm the alarm (etcdctl alarm disarm). Cells keep what they run."
	adviceDisk   = "Free space on the disk or give the node a larger one; the data is good. Cells keep what they run."
	adviceEtcd   = "See that a majority of etcd's members runs and answers, and that their disks are not full. Cells keep what they run."
)

// whyNotOpen says why the state is not open, "" as long as that may be in order.
func (p *Probe) whyNotOpen() (what, advice string) {
	switch {
	case p.waiting == nil || isRecordError(p.waiting):
		return "", ""
	case errors.Is(p.waiting, ErrDiskFull) || p.disk.full():
		return p.sayDiskFull(p.waiting), adviceDisk
	case time.Since(p.began) < openGrace:
		return "", ""
	}
	return "this node waits for the state: " + p.waiting.Error(), adviceEtcd
}

// whyNotWritten says why the state cannot be written, "" while it can.
func (p *Probe) whyNotWritten() (what, advice string) {
	switch {
	case p.failure == nil:
		return "", ""
	case errors.Is(p.failure, ErrQuota):
		return fmt.Sprintf("the state cannot be written: etcd's quota is used up: %s", p.used), adviceQuota
	case saysDiskFull(p.failure.Error()) || p.disk.full():
		return p.sayDiskFull(p.failure), adviceDisk
	case time.Since(p.failing) < writeGrace:
		return "", ""
	}
	return "the state cannot be written: " + p.failure.Error(), adviceEtcd
}

func (p *Probe) sayDiskFull(cause error) string {
	if p.disk.full() {
		return fmt.Sprintf("the state cannot be written: %s in %s (%s)", ErrDiskFull, p.disk.dir, p.disk)
	}
	return fmt.Sprintf("the state cannot be written: %s", strings.TrimPrefix(cause.Error(), "the state cannot be written: "))
}

// String says how much is used of how much.
func (u Used) String() string {
	return fmt.Sprintf("%.0f %% (%s of %s)", 100*u.share(), mib(u.Bytes), mib(u.Quota))
}

func mib(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// tryWrite writes a key of the node's own, outside of what mirrors follow.
func (s *Store) tryWrite(ctx context.Context, node string) error {
	key := strings.TrimSuffix(s.prefix, "/") + "-health/" + node
	for {
		_, err := s.client.Put(ctx, key, time.Now().UTC().Format(time.RFC3339))
		unanswered := (*UnansweredError)(nil)
		switch {
		case errors.Is(err, rpctypes.ErrNoSpace):
			return ErrQuota
		case ctx.Err() == nil && errors.As(err, &unanswered):
			continue
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("no majority of etcd answered within %s (%w)", probeWithin, err)
		}
		return err
	}
}

// used asks each member for the size of its database, and returns the fullest
// that answers.
func (s *Store) used(ctx context.Context) Used {
	answers := make(chan Used, len(s.client.Endpoints()))
	for _, endpoint := range s.client.Endpoints() {
		go func() {
			got, err := s.client.Status(ctx, endpoint)
			if err != nil {
				answers <- Used{}
				return
			}
			answers <- Used{Bytes: got.DbSize, Quota: got.DbSizeQuota}
		}()
	}
	var most Used
	for range cap(answers) {
		if one := <-answers; one.share() > most.share() {
			most = one
		}
	}
	return most
}

// diskUse is how full the disk of a directory is.
type diskUse struct {
	dir         string
	free, bytes int64
}

// fullest returns the fullest of the disks; nil where none could be looked at.
func fullest(dirs []string) *diskUse {
	var most *diskUse
	for _, dir := range dirs {
		var stat syscall.Statfs_t
		if syscall.Statfs(dir, &stat) != nil || stat.Blocks == 0 {
			continue
		}
		use := &diskUse{dir: dir, free: int64(stat.Bavail) * stat.Bsize, bytes: int64(stat.Blocks) * stat.Bsize}
		if most == nil || use.share() > most.share() {
			most = use
		}
	}
	return most
}

func (d *diskUse) share() float64 { return 1 - float64(d.free)/float64(d.bytes) }

// full reports whether etcd finds no room any more. A nil one is not.
func (d *diskUse) full() bool { return d != nil && d.free < leastFree }

// fullSoon reports whether people should see to it. A nil one is not.
func (d *diskUse) fullSoon() bool {
	return d != nil && !d.full() && d.share() >= warnAt && d.free < freeEnough
}

// String says how much is free of how much.
func (d *diskUse) String() string {
	return fmt.Sprintf("%s of %s free", mib(d.free), mib(d.bytes))
}
