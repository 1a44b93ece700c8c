package cell

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"mooring/boot"
	"mooring/container/process"
)

// guardEvery is how often a guard looks at the lease at least: an agent may
// renew it, or a new boot begin one, at any time.
const guardEvery = time.Second

// Guard stands in for an agent that is dead, stopped or stuck: once the lease
// in runDir has run out and the agent has had its time to act on it, Guard
// kills the instances that may be started elsewhere. It must run in another
// process than the agent, such as the cell's volume manager. It works on
// instances of the process runtime, and returns when ctx ends.
func Guard(ctx context.Context, runDir string, log *slog.Logger) error {
	here, err := boot.ID()
	if err != nil {
		return err
	}
	for {
		left, err := untilGuard(filepath.Join(runDir, "lease.json"), here)
		if err == nil && left <= 0 {
			err = guardNow(ctx, runDir, log)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("guarding the cell's lease", "error", err)
		}
		if left <= 0 || left > guardEvery {
			left = guardEvery
		}
		if pause(ctx, left) != nil {
			return nil
		}
	}
}

// untilGuard is the time until a guard acts: half way between the moment the
// agent fences itself and the end of the TTL.
func untilGuard(path, boot string) (time.Duration, error) {
	left, ttl, err := readLease(path, boot)
	return left + (ttl-fenceAfter(ttl))/2, err
}

// guardNow kills what may be running and floats. It reads the agent's records
// and leaves writing them to the agent.
func guardNow(ctx context.Context, runDir string, log *slog.Logger) error {
	all, err := memories{dir: filepath.Join(runDir, "state")}.read()
	if err != nil {
		return fmt.Errorf("reading what runs on the cell: %w", err)
	}
	var group errgroup.Group
	for k, m := range all {
		record := filepath.Join(runDir, "instances", m.Work.GUID, "process.json")
		if _, err := os.Stat(record); !m.Floats || err != nil {
			continue
		}
		log.Warn("the agent did not renew its lease: killing an instance that may be started elsewhere", "instance", k.String())
		group.Go(func() error { return process.Kill(ctx, runDir, m.Work.GUID, log) })
	}
	return group.Wait()
}
