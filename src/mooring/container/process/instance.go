package process

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"mooring/container"
)

// Instance is one process and all it started. It implements
// container.Instance.
type Instance struct {
	runtime *Runtime
	spec    container.Spec
	leader  stat
	held    *handle
	cmd     *exec.Cmd // nil when adopted
	done    chan struct{}
	exit    container.Exit // valid once done is closed

	mu sync.Mutex
	// linger is until when the rest of the family may live once the leader
	// has ended: a stop sets it, a crash leaves no time.
	linger time.Time
	execs  int
}

func (r *Runtime) instance(spec container.Spec, leader stat, held *handle, cmd *exec.Cmd) *Instance {
	return &Instance{
		runtime: r, spec: spec, leader: leader, held: held, cmd: cmd,
		done: make(chan struct{}),
	}
}

// ID implements container.Instance.
func (i *Instance) ID() string { return i.spec.ID }

// PID implements container.Instance.
func (i *Instance) PID() int { return i.leader.PID }

// Done implements container.Instance.
func (i *Instance) Done() <-chan struct{} { return i.done }

// Exit implements container.Instance.
func (i *Instance) Exit() container.Exit { return i.exit }

func (i *Instance) family() family { return i.runtime.family(i.spec.ID, i.leader) }

// watch follows the process to its end, sees that nothing of it stays, and
// only then reaps it: until then its number cannot be given to another.
func (i *Instance) watch() {
	ctx := context.Background()
	if err := i.held.wait(ctx); err != nil {
		i.runtime.log.Error("waiting for an instance failed", "instance", i.spec.ID, "error", err)
	}
	if err := i.clear(ctx); err != nil {
		i.runtime.log.Error("killing what an instance left", "instance", i.spec.ID, "error", err)
	}
	if i.cmd != nil {
		_ = i.cmd.Wait() // how it ended is in ProcessState
		i.exit = exitOf(unix.WaitStatus(i.cmd.ProcessState.Sys().(syscall.WaitStatus)))
	} else {
		i.exit = i.held.exit()
	}
	i.held.close()
	if err := i.runtime.forget(i.spec.ID); err != nil {
		i.runtime.log.Error("an ended process stays on record", "instance", i.spec.ID, "error", err)
	}
	close(i.done)
}

// clear lets the rest of the family end by itself while a stop gives it time,
// then kills it.
func (i *Instance) clear(ctx context.Context) error {
	i.mu.Lock()
	until := i.linger
	i.mu.Unlock()
	if time.Now().Before(until) {
		wait, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		if i.family().gone(wait) == nil {
			return nil
		}
	}
	return i.family().kill(ctx)
}

// Stop implements container.Instance.
func (i *Instance) Stop(ctx context.Context, grace time.Duration) error {
	i.mu.Lock()
	i.linger = time.Now().Add(grace)
	i.mu.Unlock()
	if grace > 0 {
		// Everything gets it, as from a terminal: a launcher that waits for
		// its child need not pass it on.
		if _, err := i.family().signal(unix.SIGTERM); err != nil {
			return fmt.Errorf("stopping instance %s: %w", i.spec.ID, err)
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-i.done:
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	select {
	case <-i.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping instance %s: %w", i.spec.ID, context.Cause(ctx))
	default:
	}
	if err := i.family().kill(ctx); err != nil {
		return fmt.Errorf("killing instance %s: %w", i.spec.ID, err)
	}
	select {
	case <-i.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping instance %s: %w", i.spec.ID, context.Cause(ctx))
	}
}
