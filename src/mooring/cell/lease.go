package cell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"mooring/boot"
	"mooring/files"
)

// lease is how long what floats may go on without an answered report. It is
// counted by this host's monotonic clock alone, and kept on disk so that an
// agent that crashed does not begin a new one by itself.
type lease struct {
	path string
	boot string // of this host: its clock begins anew with it

	mu      sync.Mutex
	until   time.Time
	ttl     time.Duration // of the last answer, 0 before any
	written time.Time     // until, as on disk
	moved   chan struct{} // closed and made anew when until moves
}

// leaseRecord is the lease on disk.
type leaseRecord struct {
	Boot string `json:"boot"`
	// Until is in nanoseconds since that boot, TTL in nanoseconds.
	Until int64 `json:"until"`
	TTL   int64 `json:"ttl"`
}

// readLease gives the time that remains of a lease on disk, and its TTL. One
// that is missing, damaged or of another boot has run out: that stops too
// much, not too little.
func readLease(path, boot string) (left, ttl time.Duration, err error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, fmt.Errorf("reading the cell's lease: %w", err)
	}
	var record leaseRecord
	if err != nil || json.Unmarshal(content, &record) != nil || record.Boot != boot {
		return 0, 0, nil
	}
	return time.Duration(record.Until) - sinceBoot(), time.Duration(record.TTL), nil
}

// openLease goes on with the lease on disk; it has run out when there is none,
// or the host has booted since.
func openLease(path string) (*lease, error) {
	here, err := boot.ID()
	if err != nil {
		return nil, err
	}
	left, _, err := readLease(path, here)
	if err != nil {
		return nil, err
	}
	return &lease{path: path, boot: here, until: time.Now().Add(left), moved: make(chan struct{})}, nil
}

// sinceBoot reads the clock that goes on while the host sleeps.
func sinceBoot() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // fails for no valid clock
	return time.Duration(now.Nano())
}

// fenceAfter is how long after sending the last answered report the agent must
// begin to stop what floats. The rest of the TTL is for the stopping.
func fenceAfter(ttl time.Duration) time.Duration { return ttl * 2 / 3 }

// extend takes an answer with this TTL to a report that was sent then.
func (l *lease) extend(sent time.Time, ttl time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ttl = ttl
	until := sent.Add(fenceAfter(ttl))
	if !until.After(l.until) {
		return nil
	}
	l.until = until
	close(l.moved)
	l.moved = make(chan struct{})
	// Reports may be many. One on disk that is a little short is on the safe side.
	if until.Sub(l.written) < ttl/10 {
		return nil
	}
	content, err := json.Marshal(leaseRecord{Boot: l.boot, Until: int64(sinceBoot() + time.Until(until)), TTL: int64(ttl)})
	if err != nil {
		return err
	}
	if err := files.Replace(l.path, content, 0o600, files.Process); err != nil {
		return fmt.Errorf("recording the cell's lease: %w", err)
	}
	l.written = until
	return nil
}

// left is the time that remains, and a channel that is closed when it moves.
func (l *lease) left() (time.Duration, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.until), l.moved
}

// patience is how long to wait for an answer: a call that hangs must leave
// time for others within the lease.
func (l *lease) patience() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ttl == 0 {
		return maxPatience
	}
	return min(max(l.ttl/4, minPatience), maxPatience)
}

// Bounds of the time that is waited for an answer.
const (
	minPatience = 500 * time.Millisecond
	maxPatience = 5 * time.Second
)

// guardLease fences the cell whenever its lease runs out.
func (a *Agent) guardLease(ctx context.Context) error {
	for {
		left, moved := a.lease.left()
		if left <= 0 {
			a.fenceIfOver()
			select {
			case <-ctx.Done():
				return nil
			case <-moved:
			}
			continue
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-moved:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// fenceIfOver fences the cell if its lease has run out still: it may have been
// renewed, and new work taken, since that was last looked at.
func (a *Agent) fenceIfOver() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if left, _ := a.lease.left(); left > 0 {
		return
	}
	if !a.fenced {
		a.log.Warn("the control plane was not reached for too long: stopping what may be started elsewhere")
	}
	a.fence()
}

// fence stops what may run elsewhere, until there is work of a new contact.
// a.mu is held.
func (a *Agent) fence() {
	a.contact.lose()
	a.fenced = true
	a.wakeAll()
}
