package cell

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mooring/client"
	"mooring/model"
)

const (
	// workWait is how long the control plane may hold a call for work.
	workWait = 30 * time.Second
	// quietDelay is how long a report that is not urgent waits for company.
	quietDelay = 250 * time.Millisecond
	// farewellIn bounds the last report.
	farewellIn = 2 * time.Second
)

// reporter collects the wish to report.
type reporter struct {
	urgent, quiet chan struct{}
	sending       sync.Mutex // one report at a time, so that none overtakes another
}

func newReporter() *reporter {
	return &reporter{urgent: make(chan struct{}, 1), quiet: make(chan struct{}, 1)}
}

func (r *reporter) now()  { signal(r.urgent) }
func (r *reporter) soon() { signal(r.quiet) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when a report is due: on an urgent change, a little after a
// quiet one, or after the heartbeat.
func (r *reporter) wait(ctx context.Context, heartbeat time.Duration) error {
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	var company <-chan time.Time
	for quiet := r.quiet; ; {
		select {
		case <-r.urgent:
			return nil
		case <-quiet:
			// The first one sets the time; later ones must not put it off.
			quiet, company = nil, time.After(quietDelay)
		case <-company:
			return nil
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// converse registers the cell and reports until ctx ends. The error is that
// another agent, or nobody, is to be this cell.
func (a *Agent) converse(ctx context.Context) error {
	for ctx.Err() == nil {
		ttl, err := a.register(ctx)
		if err == nil {
			err = a.reportOn(ctx, ttl)
		}
		if client.NotFound(err) {
			a.contact.lose() // what it knew of this cell's work is gone as well
		}
		if client.Superseded(err) {
			a.log.Error("this agent is no longer the cell: stopping everything", "error", err)
			a.mu.Lock()
			a.fence()
			a.mu.Unlock()
			a.leave()
			return fmt.Errorf("cell %s belongs to another agent now, so this one has stopped everything: %w", a.cfg.Cell.ID, err)
		}
	}
	return nil
}

// register introduces the cell, as often as it takes.
func (a *Agent) register(ctx context.Context) (ttl time.Duration, err error) {
	for tries := 1; ; tries++ {
		classes, err := a.cfg.Volumes.Classes(ctx)
		if err == nil {
			a.setClasses(classes)
			cell := a.cfg.Cell
			cell.Start, cell.Classes, cell.Registration = a.start, classes, a.registration.Load()
			var lease model.Lease
			lease, err = a.ask(ctx, func(ctx context.Context) (model.Lease, error) {
				return a.cfg.Control.Register(ctx, model.Registration{Cell: cell, DomainGiven: a.cfg.DomainGiven})
			})
			if err == nil {
				a.registration.Store(lease.Registration)
				a.log.Info("registered", "boot", cell.Boot, "ttl", lease.TTL)
				return lease.TTL.D(), nil
			}
		}
		if client.Superseded(err) {
			return 0, err
		}
		a.log.Warn("cannot register the cell yet", "error", err)
		if err := pause(ctx, min(retryPause(tries), 2*time.Second)); err != nil {
			return 0, err
		}
	}
}

// reportOn reports on each change and as a heartbeat. It returns when the cell
// has to register again, is no longer this agent, or ctx ends.
func (a *Agent) reportOn(ctx context.Context, ttl time.Duration) error {
	for tries := 0; ; {
		lease, err := a.report(ctx)
		switch {
		case err == nil:
			tries, ttl = 0, lease.TTL.D()
			err = a.reporter.wait(ctx, ttl/3)
		case client.Superseded(err), client.NotFound(err):
			return err
		default:
			tries++
			a.log.Warn("report was not taken", "error", err)
			err = pause(ctx, min(retryPause(tries), ttl/10))
		}
		if err != nil {
			return err
		}
	}
}

// report says all that is so.
func (a *Agent) report(ctx context.Context) (model.Lease, error) {
	a.reporter.sending.Lock()
	defer a.reporter.sending.Unlock()
	lease, err := a.ask(ctx, func(ctx context.Context) (model.Lease, error) {
		return a.cfg.Control.Report(ctx, a.cfg.Cell.ID, fit(model.Report{
			Boot: a.cfg.Cell.Boot, Start: a.start, Registration: a.registration.Load(),
			Instances: a.snapshot(), Volumes: a.keeper.snapshot(),
		}, maxReport))
	})
	if client.Refused(err) {
		a.goOnRefused(ctx, err)
	}
	return lease, err
}

// goOnRefused goes on taking work though the control plane does not take the
// agent's reports. The lease runs out meanwhile, since what floats may be
// started elsewhere; what is not wanted any more has to stop all the same, and
// may be the very cause.
func (a *Agent) goOnRefused(ctx context.Context, err error) {
	a.mu.Lock()
	first := !a.refused
	a.refused = true
	a.mu.Unlock()
	if first {
		a.log.Error("the control plane refuses this cell's reports: it counts as gone until they are taken; work is still taken up", "error", err)
	}
	a.contact.make(ctx)
}

// goOnTaken begins a new contact once reports are taken again: work that came
// while they were refused was taken up as far as a cell may whose lease has run
// out.
func (a *Agent) goOnTaken() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refused {
		a.refused = false
		a.contact.lose()
	}
}

// ask makes a call whose answer renews the lease, from when it was sent.
func (a *Agent) ask(ctx context.Context, call func(context.Context) (model.Lease, error)) (model.Lease, error) {
	limited, cancel := context.WithTimeout(ctx, a.lease.patience())
	defer cancel()
	sent := time.Now()
	lease, err := call(limited)
	if err != nil {
		return lease, err
	}
	if err := a.lease.extend(sent, lease.TTL.D()); err != nil {
		a.log.Error("a crash of this agent would fence the cell early", "error", err)
	}
	a.goOnTaken()
	if left, _ := a.lease.left(); left > 0 {
		a.contact.make(ctx)
	}
	return lease, nil
}

// farewell makes one last report, that everything has stopped. Nobody depends
// on it.
func (a *Agent) farewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewellIn)
	defer cancel()
	if _, err := a.report(ctx); err != nil {
		a.log.Warn("the last report was not answered", "error", err)
	}
}

// takeWork asks for work and has it done. Drivers run within base.
func (a *Agent) takeWork(base, ctx context.Context) error {
	for ctx.Err() == nil {
		within, err := a.contact.wait(ctx)
		if err != nil {
			return nil
		}
		a.takeWithin(base, within)
	}
	return nil
}

// takeWithin takes work while a contact lasts.
func (a *Agent) takeWithin(base, ctx context.Context) {
	after, tries := int64(0), 0
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(ctx, workWait+maxPatience)
		work, err := a.cfg.Control.Work(call, a.cfg.Cell.ID, after, workWait)
		cancel()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			tries++
			a.log.Warn("cannot get work", "error", err)
			pause(ctx, min(retryPause(tries), 2*time.Second))
		case work != nil && a.apply(base, ctx, work):
			tries, after = 0, work.Revision
		case work != nil: // it came too late, and is asked for again
			pause(ctx, firstRetry)
		}
	}
}

// apply makes work what is wanted. It reports false when the lease has run out
// or the contact that the work came by was lost. While reports are refused, work
// is taken after the lease as well, and what floats stays down.
func (a *Agent) apply(base, contact context.Context, work *model.Work) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	left, _ := a.lease.left()
	if left <= 0 && !a.refused || contact.Err() != nil || a.leaving {
		return false
	}
	a.wants = wantsOf(work, a.floating)
	a.known, a.fenced = true, left <= 0
	for k := range a.wants {
		if a.drivers[k] == nil {
			a.drive(base, newDriver(a, k, memory{}))
		}
	}
	a.wakeAll()
	a.keeper.want(work.Volumes)
	return true
}

// drive runs a driver. a.mu is held.
func (a *Agent) drive(ctx context.Context, d *driver) {
	a.drivers[d.key] = d
	a.running.Go(func() { d.run(ctx) })
}

func (a *Agent) setClasses(classes []model.Class) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.classes = classes
}

// floating reports whether a class is. a.mu is held.
func (a *Agent) floating(name string) bool {
	for _, class := range a.classes {
		if class.Name == name {
			return class.Floating
		}
	}
	return true
}

// pause waits, or gives the context's error.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
