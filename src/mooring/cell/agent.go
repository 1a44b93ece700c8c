package cell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"mooring/container"
	"mooring/container/logs"
	"mooring/container/process"
	"mooring/model"
)

// Agent is the agent of one cell.
type Agent struct {
	cfg   Config
	log   *slog.Logger
	start string // names this start of the agent
	// registration is the number of its last registration, 0 before any.
	registration atomic.Int64
	runtime      container.Runtime
	memories     memories
	keeper       *keeper
	lease        *lease
	contact      *contact
	passes       *passes
	reporter     *reporter
	// instancesAPI is what instances are told in MOORING_API.
	instancesAPI string

	mu      sync.Mutex
	wants   map[key]*want
	drivers map[key]*driver
	reports map[key]model.ActualInstance
	classes []model.Class
	known   bool
	fenced  bool
	leaving bool
	// refused: the control plane is reached, and does not take what this agent
	// reports. Its lease runs out, and its work goes on coming.
	refused bool
	running sync.WaitGroup // drivers

	claims *claims
}

// New gives an agent. It does nothing before Run.
func New(cfg Config) *Agent {
	cfg = cfg.filled()
	a := &Agent{
		cfg: cfg, log: cfg.Logger, start: uuid.NewString(), runtime: cfg.Runtime,
		wants: map[key]*want{}, drivers: map[key]*driver{}, reports: map[key]model.ActualInstance{},
		claims: newClaims(),
	}
	a.memories = memories{dir: filepath.Join(cfg.RunDir, "state")}
	a.keeper = newKeeper(a)
	a.reporter = newReporter()
	a.contact = newContact()
	a.passes = newPasses()
	return a
}

// Run is the cell's agent until ctx ends; then it stops every instance in good
// order, says so, and returns nil. It returns an error when it cannot begin
// (the run directory is not writable, or another agent has it; the volume
// manager's classes are asked for until it answers), and when a newer agent
// has become the cell, after stopping everything.
func (a *Agent) Run(ctx context.Context) error {
	unlock, err := lockDir(a.cfg.RunDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.MkdirAll(a.memories.dir, 0o700); err != nil {
		return fmt.Errorf("making the run directory: %w", err)
	}
	if a.runtime == nil {
		if a.runtime, err = process.New(a.cfg.RunDir, a.log); err != nil {
			return err
		}
	}
	if a.lease, err = openLease(filepath.Join(a.cfg.RunDir, "lease.json")); err != nil {
		return err
	}
	// What the agent does outlasts ctx: an orderly stop still needs the volume
	// manager and the control plane.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	logServer, err := a.serveLogs()
	if err != nil {
		return err
	}
	ownApp, err := a.serveOwnApp()
	if err != nil {
		return errors.Join(err, logServer.Close())
	}
	if err := a.adopt(base); err != nil {
		return errors.Join(err, logServer.Close(), ownApp.Close())
	}
	group, work := errgroup.WithContext(base)
	group.Go(func() error { return logServer.serve(work) })
	group.Go(func() error { return ownApp.serve(work) })
	group.Go(func() error { return a.keeper.run(work) })
	group.Go(func() error { return a.guardLease(work) })
	group.Go(func() error { return a.boundLogs(work) })
	group.Go(func() error { return a.converse(work) })
	group.Go(func() error { return a.takeWork(base, work) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-work.Done():
			return nil
		}
		a.leave()
		a.farewell(work)
		return errLeft
	})
	if err := group.Wait(); !errors.Is(err, errLeft) {
		return err
	}
	return nil
}

// errLeft ends an agent that was asked to stop.
var errLeft = errors.New("the agent was asked to stop")

// leave stops every instance in good order.
func (a *Agent) leave() {
	a.log.Info("stopping all instances")
	a.mu.Lock()
	a.leaving = true
	a.wakeAll()
	a.mu.Unlock()
	a.running.Wait()
}

// wakeAll makes every driver decide again. a.mu is held.
func (a *Agent) wakeAll() {
	for _, d := range a.drivers {
		d.wake()
	}
}

// view gives what is wanted of an instance, and what holds for the cell.
func (a *Agent) view(k key) (*want, conditions) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wants[k], conditions{Known: a.known, Fenced: a.fenced, Leaving: a.leaving}
}

// drop ends a driver whose instance is gone, unless it is wanted again.
func (a *Agent) drop(k key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wants[k] != nil {
		return false
	}
	delete(a.drivers, k)
	delete(a.reports, k)
	a.reporter.now()
	return true
}

// settings are what an instance with this token is told of the cell.
func (a *Agent) settings(token string) settings {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	return settings{CellID: a.cfg.Cell.ID, Address: a.cfg.Cell.Address, API: a.instancesAPI, Token: token, Path: path}
}

// tail reads the last lines of a crashed instance's log.
func (a *Agent) tail(guid string) []string {
	lines, err := logs.Tail(a.runtime.LogPath(guid), model.MaxTailLines)
	if err != nil {
		a.log.Warn("cannot read the log of a crashed instance", "error", err)
	}
	return lines
}

// boundEvery is how often the size of logs is looked at.
const boundEvery = 5 * time.Second

func (a *Agent) boundLogs(ctx context.Context) error {
	tick := time.NewTicker(boundEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, report := range a.snapshot() {
			if report.GUID == "" {
				continue
			}
			if err := logs.Bound(a.runtime.LogPath(report.GUID), a.cfg.LogLimit); err != nil {
				a.log.Warn("cannot bound a log", "error", err)
			}
		}
	}
}

// snapshot gives what is so of every instance, in a steady order.
func (a *Agent) snapshot() []model.ActualInstance {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]model.ActualInstance, 0, len(a.reports))
	for _, k := range sortedKeys(a.reports) {
		all = append(all, a.reports[k])
	}
	return all
}

// publish takes what a driver has to report.
func (a *Agent) publish(k key, report model.ActualInstance) {
	report = report.Bounded()
	a.mu.Lock()
	before, known := a.reports[k]
	a.reports[k] = report
	a.mu.Unlock()
	switch {
	case known && reflect.DeepEqual(before, report):
	case known && quieter(before, report):
		a.reporter.soon()
	default:
		a.reporter.now()
	}
}
