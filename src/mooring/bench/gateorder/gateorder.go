// Package gateorder measures what it costs to let BOSH do the work: a recreate
// of a whole fleet with max_in_flight 100 % that nobody planned, held to the
// policies by the cells' gates, against the same done by plans of Mooring's
// own, AZ after AZ as BOSH goes.
//
// The fleet is `moor dev` with real cells, the Director a fake that behaves as
// a real one was measured to, pre-stop and post-start are the executables
// themselves, and in both cases a host is recreated by the same command. A
// roll takes seconds here instead of minutes, so that what the gate adds
// weighs much more than it will.
package gateorder

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"mooring/bench/devfleet"
	"mooring/client"
	"mooring/director/fakedirector"
	"mooring/model"
)

// Config says what to measure with.
type Config struct {
	Moor   string // path of the moor executable
	Listen string // address for the fleet's API
	Cells  int
	AZs    int
	// Apps of as many instances as Instances, of which one may be away.
	Apps, Instances int
	// Healthy is how long an instance has to be healthy before it counts
	// again; it stands for the length of a roll.
	Healthy time.Duration
	// Rounds is how often each way is measured, in turns.
	Rounds int
	// AtMost is the ratio of the medians from which on the gate costs too much;
	// 0 is no such ratio.
	AtMost float64
}

// bench is a fleet that is measured.
type bench struct {
	cfg   Config
	fleet *devfleet.Fleet
	cells map[string][]string // by AZ
	azs   []string
}

// Run starts a fleet, recreates all of it both ways and prints what each took
// and the ratio of the medians. A ratio above what it may be at most is an
// error.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	fleet, err := devfleet.Start(cfg.Moor, cfg.Listen, "--cells", strconv.Itoa(cfg.Cells), "--azs", strconv.Itoa(cfg.AZs), "--lease-ttl", "10s")
	if err != nil {
		return err
	}
	defer fleet.Stop()
	b := &bench{cfg: cfg, fleet: fleet, cells: map[string][]string{}}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d cells in %d AZs, %d apps of %d instances with max_interrupted 1\n", cfg.Cells, cfg.AZs, cfg.Apps, cfg.Instances)
	var ours, gated []time.Duration
	for round := range cfg.Rounds {
		took, err := timed(func() error { return b.planned(ctx, round) })
		if err != nil {
			return err
		}
		ours = append(ours, took)
		gate, err := timed(func() error { return b.unplanned(ctx, round) })
		if err != nil {
			return err
		}
		gated = append(gated, gate)
		fmt.Fprintf(out, "   own order, AZ after AZ: %s   bosh recreate through the gate: %s\n", took.Round(100*time.Millisecond), gate.Round(100*time.Millisecond))
	}
	ratio := median(gated) / median(ours)
	if _, err := fmt.Fprintf(out, "ratio of the medians: %.2f\n", ratio); err != nil {
		return err
	}
	return within(ratio, cfg.AtMost)
}

// median gives the middle one of times, in seconds; of an even number, the
// longer of the two.
func median(times []time.Duration) float64 {
	return slices.Sorted(slices.Values(times))[len(times)/2].Seconds()
}

// within refuses a ratio that is above what it may be at most.
func within(ratio, atMost float64) error {
	if atMost > 0 && ratio > atMost {
		return fmt.Errorf("bosh recreate through the gate took %.3f times what Mooring's own order took, and may take %.2f times", ratio, atMost)
	}
	return nil
}

func timed(work func() error) (time.Duration, error) {
	began := time.Now()
	err := work()
	return time.Since(began), err
}

// prepare pushes the apps and waits until all serve.
func (b *bench) prepare(ctx context.Context) error {
	cells, err := b.fleet.API.Cells(ctx)
	if err != nil {
		return err
	}
	for _, cell := range cells {
		if b.cells[cell.AZ] == nil {
			b.azs = append(b.azs, cell.AZ)
		}
		b.cells[cell.AZ] = append(b.cells[cell.AZ], cell.ID)
	}
	slices.Sort(b.azs)
	one := model.Limit{Count: 1}
	for n := range b.cfg.Apps {
		name := model.Name{Org: "bench", Space: "bench", Name: fmt.Sprintf("app-%d", n)}
		volumes := name
		volumes.Name += "-data"
		if _, err := b.fleet.API.CreateVolumeSet(ctx, client.VolumeSetRequest{Name: volumes, Class: model.ClassPersistent, Count: b.cfg.Instances, Size: model.Megabyte}); err != nil {
			return err
		}
		if _, err := b.fleet.API.Push(ctx, client.Push{
			Name: name, Instances: b.cfg.Instances,
			Spec: model.RunSpec{
				Command: "exec sleep 86400", Memory: model.Megabyte,
				Health: model.HealthCheck{Type: model.HealthProcess},
				Mounts: []model.Mount{{VolumeSet: volumes.Name, Path: "/data"}},
			},
			Policy: model.Policy{MaxInterrupted: one, MaxDraining: one, DataDisposable: true, HealthyFor: model.Duration(b.cfg.Healthy)},
		}); err != nil {
			return err
		}
	}
	return b.settled(ctx)
}

// settled waits until every instance of every app serves.
func (b *bench) settled(ctx context.Context) error {
	return devfleet.Until(ctx, func() (bool, error) {
		all, err := b.fleet.API.Apps(ctx)
		if err != nil {
			return false, err
		}
		for _, app := range all {
			if app.Serving < app.Instances {
				return false, nil
			}
		}
		return len(all) == b.cfg.Apps, nil
	})
}

// planned recreates the fleet by a plan for each AZ, one after another.
func (b *bench) planned(ctx context.Context, round int) error {
	for _, az := range b.azs {
		name := fmt.Sprintf("own-%s-%d", az, round)
		if _, err := b.fleet.API.StartPlan(ctx, client.PlanRequest{PlanSpec: model.PlanSpec{Name: name, Cells: model.Selector{AZ: []string{az}}, Action: model.Recreate}}); err != nil {
			return err
		}
		if err := b.fleet.API.WatchPlan(ctx, name, func(view client.PlanView) error {
			if len(view.Stuck) > 0 {
				return fmt.Errorf("stuck: %s", view.Stuck[0].What)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// unplanned has BOSH recreate the fleet. The order in which it comes to the
// cells is as random as the UUIDs of its instances are.
func (b *bench) unplanned(ctx context.Context, round int) error {
	cfg := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: b.azs}
	random := rand.New(rand.NewPCG(uint64(round), 1))
	for _, az := range b.azs {
		for _, cell := range b.cells[az] {
			cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: fmt.Sprintf("%x-%s", random.Uint64(), cell), AZ: az, Index: len(cfg.Instances), VM: fakedirector.VM{
				PreStop: func(ctx context.Context, env []string) error {
					return b.moor(ctx, env, "gate", "leave", "--cell", cell, "--dir", b.fleet.Dir+"/gate/"+cell)
				},
				Act: func(action string) error {
					return b.moor(ctx, nil, "dev", "host", "--state-dir", b.fleet.StateDir, action, cell)
				},
				PostStart: func(ctx context.Context) error {
					return b.moor(ctx, nil, "gate", "return", "--cell", cell, "--dir", b.fleet.Dir+"/gate/"+cell)
				},
			}})
		}
	}
	bosh := fakedirector.New(cfg)
	defer bosh.Close()
	return bosh.Wait(ctx, bosh.Deploy(fakedirector.Update{Action: fakedirector.Recreate, MaxInFlight: "100%"}))
}

func (b *bench) moor(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, b.cfg.Moor, args...)
	cmd.Env = append(append(os.Environ(), "MOORING_API="+b.fleet.URL, "MOORING_DEPLOYMENT=mooring"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("moor %v: %w:\n%s", args, err, out)
	}
	return nil
}
