package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"mooring/client"
	"mooring/kits/redis/load"
	"mooring/kits/redis/watch"
)

// Run tells the whole story and gives its figures. An error means that the
// story came to a halt; the report then has what was seen until there.
func Run(ctx context.Context, config Config) (*Report, error) {
	s := &story{
		config: config, tell: &teller{out: config.Out, begun: time.Now()}, files: files{config.Dir},
		report: &Report{CellsTotal: cellsTotal},
	}
	err := s.run(ctx)
	s.report.Seconds = float64(time.Since(s.tell.begun).Round(100*time.Millisecond)) / float64(time.Second)
	return s.report, err
}

type story struct {
	config Config
	tell   *teller
	files  files
	report *Report

	fleet    *fleet
	moor     *moor
	progress *progress
	watcher  *watch.Watcher
	load     *load.Load
	writes   *counter

	lock      sync.Mutex
	addresses map[int]string
	cells     map[int]string // by index
	failures  []failure
}

func (s *story) run(whole context.Context) error {
	ctx, cancel := context.WithTimeout(whole, (mostSeconds+60)*time.Second)
	defer cancel()
	if err := s.setUp(ctx); err != nil {
		return err
	}
	defer func() {
		s.tell.say("stopping the fleet")
		s.fleet.stop()
	}()
	if err := s.deploy(ctx); err != nil {
		return err
	}
	if err := s.beginWatching(ctx); err != nil {
		return err
	}
	defer s.load.Close()
	told := s.roll(ctx)
	// What was acknowledged is verified however the story ended.
	verifying, stop := context.WithTimeout(whole, time.Minute)
	defer stop()
	return errors.Join(told, s.verify(verifying))
}

// setUp starts the fleet.
func (s *story) setUp(ctx context.Context) error {
	if err := os.MkdirAll(s.config.Dir, 0o755); err != nil {
		return fmt.Errorf("making the demo's directory: %w", err)
	}
	if err := s.files.write(); err != nil {
		return err
	}
	s.tell.say("$ moor dev --cells %d --azs 2   # state in %s", cellsTotal, s.config.Dir)
	var err error
	if s.fleet, err = startFleet(ctx, s.config.Moor, filepath.Dir(s.config.RedisNode), s.config.Dir); err != nil {
		return err
	}
	s.moor = &moor{binary: s.config.Moor, dir: s.config.Dir, tell: s.tell, env: append(os.Environ(), "MOORING_API="+s.fleet.api, "MOORING_ORG=default", "MOORING_SPACE=default")}
	return nil
}

// deploy makes the volumes, pushes the app and waits until it serves.
func (s *story) deploy(ctx context.Context) error {
	for _, args := range [][]string{
		{"cells"},
		{"create-volume-set", app, "--class", "persistent", "--count", strconv.Itoa(cellsTotal), "--size", "256M"},
		{"push", "-f", "app.yml"},
	} {
		if err := s.moor.do(ctx, args...); err != nil {
			return err
		}
	}
	if err := s.waitServing(ctx); err != nil {
		return err
	}
	return s.moor.do(ctx, "app", app)
}

// waitServing waits until every instance serves, and notes where they are.
func (s *story) waitServing(ctx context.Context) error {
	return eventually(ctx, 90*time.Second, func() error {
		view, err := s.look(ctx)
		if err == nil && view.Serving != view.Instances {
			err = fmt.Errorf("%d of %d instances serve", view.Serving, view.Instances)
		}
		return err
	})
}

// look asks where the instances are.
func (s *story) look(ctx context.Context) (client.AppView, error) {
	var view client.AppView
	if err := s.moor.ask(ctx, &view, "app", app); err != nil {
		return view, err
	}
	addresses, cells := map[int]string{}, map[int]string{}
	for _, member := range view.Members {
		cells[member.Index] = member.CellID
		if member.Address != "" && len(member.Ports) > 0 {
			addresses[member.Index] = net.JoinHostPort(member.Address, strconv.Itoa(member.Ports[0].Number))
		}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.addresses, s.cells = addresses, cells
	s.report.MaxInterruptedAllowed = view.Limits.Interrupted
	return view, nil
}

func (s *story) whereabouts() map[int]string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return maps.Clone(s.addresses)
}

// beginWatching starts the load and the watcher.
func (s *story) beginWatching(ctx context.Context) error {
	var seeds []string
	for _, address := range s.whereabouts() {
		seeds = append(seeds, address)
	}
	var err error
	if s.load, err = load.Start(ctx, load.Config{Addresses: seeds}); err != nil {
		return err
	}
	s.watcher = watch.Start(ctx, watch.Config{Addresses: s.whereabouts})
	s.writes = count(ctx, func() int64 { return s.load.Report().WritesAcknowledged })
	s.tell.say("load: writers and readers on every shard; every acknowledged write is remembered")
	return nil
}

// verify ends the load, asks for every acknowledged write, and fills in the
// figures.
func (s *story) verify(ctx context.Context) error {
	s.load.Stop()
	timeline := s.watcher.Stop()
	s.tell.say("verifying every acknowledged write")
	figures, err := s.load.Verify(ctx)
	r := s.report
	r.WritesAcknowledged, r.WritesLost = figures.WritesAcknowledged, figures.WritesLost
	r.ReadsWrong, r.RequestsFailed = figures.ReadsWrong, figures.RequestsFailed
	r.LongestUnavailableMS = figures.LongestUnavailable.Milliseconds()
	r.MaxInterruptedSeen, _ = timeline.Most()
	r.PolicyViolations = violations(timeline, r.MaxInterruptedAllowed, s.failures)
	for _, fault := range figures.Faults {
		s.tell.say("FAULT %s", fault)
	}
	s.draw(timeline)
	return err
}
