package cell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mooring/container"
	"mooring/files"
	"mooring/model"
)

// lockDir takes a run directory for this process, until unlock or its end.
func lockDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the run directory (may the agent write there?): %w", err)
	}
	unlock, err = files.Lock(dir)
	if errors.Is(err, files.ErrTaken) {
		return nil, fmt.Errorf("locking the run directory %s: another agent uses it; stop that one first", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("locking the run directory (may the agent write there?): %w", err)
	}
	return unlock, nil
}

// adopt goes on with what an earlier agent left: processes that are
// remembered are followed, all others killed.
func (a *Agent) adopt(ctx context.Context) error {
	memories, err := a.memories.read()
	if err != nil {
		return err
	}
	instances, err := a.runtime.Adopt(ctx)
	if err != nil {
		return fmt.Errorf("adopting the instances of an earlier agent: %w", err)
	}
	found := map[string]container.Instance{}
	for _, instance := range instances {
		found[instance.ID()] = instance
	}
	left, _ := a.lease.left()
	a.fenced = left <= 0
	for k, r := range memories {
		instance := found[r.Work.GUID]
		if r.Boot != a.cfg.Cell.Boot {
			instance = nil // killed below: it belongs to what the host was before
		}
		if instance != nil {
			delete(found, r.Work.GUID)
		}
		a.resume(ctx, k, r, instance)
	}
	for id, instance := range found {
		a.log.Warn("killing an instance that is not remembered", "instance", id, "pid", instance.PID())
		if err := instance.Stop(ctx, 0); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.drivers {
		a.running.Go(func() { d.run(ctx) })
	}
	return nil
}

// resume makes the driver of a remembered instance. instance is nil when its
// process has ended.
func (a *Agent) resume(ctx context.Context, k key, r remembered, instance container.Instance) {
	d := newDriver(a, k, r.memory)
	a.drivers[k] = d
	why := "ended while no agent watched"
	if r.Boot != a.cfg.Cell.Boot {
		why = "ended with an earlier boot of the cell"
		d.Attached = nil
	}
	d.claim(d.Attached)
	if instance != nil {
		d.Up = true
		d.agent.passes.give(d.Token, d.Work.App)
		d.follow(ctx, instance)
		return
	}
	if d.Up {
		d.Up, d.LastExit = false, why
		// An agent that had begun to stop it said so in Next.
		if d.Next != model.AfterInterrupt {
			d.crash(time.Now())
		}
	}
}
