// Package react measures how fast the system reacts to state: from the moment
// the last instance of a cell serves again to the moment the next cell's
// handler is asked. Both moments are taken outside the control plane, on one
// machine's clock: the first by the cell, the second by the handler itself.
package react

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/bench/devfleet"
	"mooring/client"
	"mooring/model"
)

// Config says what to measure with.
type Config struct {
	Moor   string // path of the moor executable
	Cells  int    // of the fleet; one instance on each
	Listen string // address for the fleet's API
}

// Run starts a fleet, rolls all of it once and prints the reaction times. The
// policy lets one instance be away at a time, so every roll but the first
// waits for the one before it.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	fleet, err := devfleet.Start(cfg.Moor, cfg.Listen, "--cells", strconv.Itoa(cfg.Cells))
	if err != nil {
		return err
	}
	defer fleet.Stop()
	api := fleet.API
	asked := filepath.Join(fleet.Dir, "asked")
	name := model.Name{Org: "bench", Space: "bench", Name: "react"}
	if err := push(ctx, api, name, cfg.Cells, asked); err != nil {
		return err
	}
	if err := roll(ctx, api); err != nil {
		return err
	}
	app, err := api.App(ctx, name)
	if err != nil {
		return err
	}
	times, err := reactions(app, asked)
	if err != nil {
		return err
	}
	return report(out, times)
}

// push runs one instance on every cell. Its interrupt handler writes down when
// it was asked.
func push(ctx context.Context, api *client.Client, name model.Name, instances int, asked string) error {
	volumes := name
	volumes.Name = "react-data"
	_, err := api.CreateVolumeSet(ctx, client.VolumeSetRequest{Name: volumes, Class: model.ClassPersistent, Count: instances, Size: model.Megabyte})
	if err != nil {
		return err
	}
	one := model.Limit{Count: 1}
	_, err = api.Push(ctx, client.Push{
		Name: name, Instances: instances,
		Spec: model.RunSpec{
			Command: "exec sleep 86400", Memory: model.Megabyte,
			Env:    map[string]string{"ASKED": asked},
			Health: model.HealthCheck{Type: model.HealthProcess},
			Mounts: []model.Mount{{VolumeSet: volumes.Name, Path: "/data"}},
		},
		Policy: model.Policy{
			MaxInterrupted: one, MaxDraining: one, DataDisposable: true,
			HealthyFor: model.Duration(100 * time.Millisecond),
			Interrupt:  &model.Handler{Command: `echo "$MOORING_INDEX $(date +%s%N)" >> "$ASKED"`},
		},
	})
	if err != nil {
		return err
	}
	return devfleet.Until(ctx, func() (bool, error) {
		app, err := api.App(ctx, name)
		return err == nil && app.Serving == instances, err
	})
}

func roll(ctx context.Context, api *client.Client) error {
	const plan = "react"
	_, err := api.StartPlan(ctx, client.PlanRequest{PlanSpec: model.PlanSpec{Name: plan, Cells: model.Selector{All: true}, Action: model.Restart}})
	if err != nil {
		return err
	}
	return devfleet.Until(ctx, func() (bool, error) {
		view, err := api.Plan(ctx, plan)
		if err == nil && len(view.Stuck) > 0 {
			err = fmt.Errorf("stuck: %s", view.Stuck[0].What)
		}
		return err == nil && view.Finished(), err
	})
}

// reactions pairs each time a handler was asked with the moment the instance
// that was rolled before it served again.
func reactions(app *client.AppView, asked string) ([]time.Duration, error) {
	serving := map[int]time.Time{}
	for _, member := range app.Members {
		if member.Actual == nil || member.Actual.State != model.Serving {
			return nil, fmt.Errorf("instance %d does not serve after the roll", member.Index)
		}
		serving[member.Index] = member.Actual.Since
	}
	data, err := os.ReadFile(asked)
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	before := -1
	for line := range strings.Lines(string(data)) {
		var index int
		var nanos int64
		if _, err := fmt.Sscan(line, &index, &nanos); err != nil {
			return nil, fmt.Errorf("read %q of %s: %w", line, asked, err)
		}
		if before >= 0 {
			times = append(times, time.Unix(0, nanos).Sub(serving[before]))
		}
		before = index
	}
	if len(times) != len(app.Members)-1 {
		return nil, fmt.Errorf("%d handlers were asked, for %d instances", len(times)+1, len(app.Members))
	}
	return times, nil
}

func report(out io.Writer, times []time.Duration) error {
	slices.Sort(times)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	_, err := fmt.Fprintf(out, "from \"last instance of a cell serves again\" to \"next handler asked\", %d times:\n   minimum %s   median %s   maximum %s\n",
		len(times), ms(times[0]), ms(times[len(times)/2]), ms(times[len(times)-1]))
	return err
}
