package cell

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"mooring/container"
	"mooring/model"
)

// driver brings one instance to what is wanted of it. All its fields belong to
// the goroutine of run; what other goroutines find out reaches it as functions
// over events.
type driver struct {
	agent *Agent
	key   key
	log   *slog.Logger

	events chan func()
	woken  chan struct{}
	ended  chan struct{}

	memory
	saved memory // what is on disk

	instance container.Instance // nil while no process is known
	vitals   *vitals            // of instance
	alive    context.Context    // ends with instance
	died     context.CancelFunc // ends alive
	probeAt  time.Time
	probing  bool
	upSince  time.Time

	busy, stopping, killing, overslept bool

	giveUp  context.CancelFunc // ends a start that is under way; nil while none is
	handler *handling          // nil while nothing of a handler runs

	nextTry time.Time
	tries   int
	away    int    // how often in a row the volume manager did not answer a detach
	problem string // why it cannot start or detach

	state model.InstanceState // as last published
	since time.Time
}

// awayAfter is how often a detach is tried that the volume manager does not
// answer: it may only have been restarted.
const awayAfter = 6

func newDriver(a *Agent, k key, remembered memory) *driver {
	return &driver{
		agent: a, key: k, log: a.log.With("app", k.App, "index", k.Index),
		events: make(chan func()), woken: make(chan struct{}, 1), ended: make(chan struct{}),
		memory: remembered, saved: remembered.clone(),
	}
}

// post has f run in the driver's goroutine, unless that has ended.
func (d *driver) post(f func()) {
	select {
	case d.events <- f:
	case <-d.ended:
	}
}

// wake makes the driver decide again.
func (d *driver) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// run drives the instance until it is forgotten or the agent leaves.
func (d *driver) run(ctx context.Context) {
	defer close(d.ended)
	for {
		over, due := d.settle(ctx)
		if over {
			return
		}
		timer := time.NewTimer(untilOr(due, time.Hour))
		select {
		case f := <-d.events:
			f()
		case <-d.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func untilOr(due time.Time, otherwise time.Duration) time.Duration {
	if due.IsZero() {
		return otherwise
	}
	return time.Until(due)
}

// settle takes steps until there is nothing to do now, and says when to look
// again. What a step changes is on disk before its effect begins and before
// it is reported; when the disk refuses, the step is not taken.
func (d *driver) settle(ctx context.Context) (over bool, due time.Time) {
	for {
		now := time.Now()
		w, c := d.agent.view(d.key)
		if d.giveUp != nil && (c.Leaving || c.Fenced && d.Floats) {
			d.giveUp() // it may be started elsewhere, or is to be stopped at once
		}
		d.observe(w, now)
		next, due := decide(w, d.facts(), c, now)
		switch next {
		case rest, leave:
			if !d.save() {
				due = sooner(due, now.Add(firstRetry))
			}
			d.publish(w, c, now)
			return next == leave, sooner(due, d.due())
		case forget:
			return d.forgotten(), now.Add(firstRetry)
		}
		d.log.Debug("step", "step", next.String())
		before := d.memory.clone()
		effect := d.act(ctx, next, w, now)
		if !d.save() {
			d.memory = before
			d.agent.claims.claim(d.key, d.Attached)
			return false, now.Add(firstRetry)
		}
		effect()
	}
}

// facts are what decide looks at.
func (d *driver) facts() facts {
	f := facts{
		Up: d.instance != nil, Busy: d.busy, Stopping: d.stopping, Killing: d.killing,
		Handling: d.handler != nil, Ending: d.handler != nil && d.handler.ending,
		Undoing: d.handler != nil && d.handler.undo, Undo: d.Undo != nil, Overslept: d.overslept,
		GUID: d.Work.GUID, SpecVersion: d.Work.SpecVersion, Floats: d.Floats,
		Attached: len(d.Attached) > 0, Away: d.away >= awayAfter, NextTry: d.nextTry,
	}
	if d.Disruption != nil {
		f.Permit, f.Task = d.Disruption.PermitID, d.Disruption.State
	}
	return f
}

// save writes the memory when it has changed, and reports whether the disk has
// it.
func (d *driver) save() bool {
	if reflect.DeepEqual(d.memory, d.saved) {
		return true
	}
	if err := d.agent.memories.write(d.key, remembered{Boot: d.agent.cfg.Cell.Boot, memory: d.memory}); err != nil {
		d.log.Error("cannot record an instance, so nothing is done about it", "error", err)
		return false
	}
	d.saved = d.memory.clone()
	return true
}

// forgotten drops what is kept of an instance that is gone. It fails when the
// instance is wanted again meanwhile, or the disk refuses.
func (d *driver) forgotten() bool {
	var err error
	if d.Work.GUID != "" {
		err = d.agent.runtime.Remove(d.Work.GUID)
	}
	if err == nil {
		err = d.agent.memories.remove(d.key)
	}
	if err != nil {
		d.log.Error("cannot forget an instance", "error", err)
		return false
	}
	d.memory, d.saved = memory{}, memory{}
	return d.agent.drop(d.key)
}

// claim says, before it is so, which volumes the instance may have attached.
func (d *driver) claim(volumes []string) {
	d.Attached = slices.Clone(volumes)
	d.agent.claims.claim(d.key, d.Attached)
}
