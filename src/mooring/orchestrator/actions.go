package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"mooring/host"
	"mooring/model"
	"mooring/state"
)

// errNotWanted ends a driver whose roll no longer wants its host acted on.
var errNotWanted = errors.New("the roll no longer wants it")

// actions runs host drivers beside the loop: one for each roll that is acting,
// and what else takes its time.
// What is to run is read from state on every look, so after a restart all of
// it is started again, under the same roll IDs.
type actions struct {
	store *state.Store
	lead  *state.Leadership
	via   model.Via
	// director acts on hosts for plans that ask for BOSH; nil where none is
	// known.
	director host.Director
	logger   *slog.Logger
	// improving has one while the order of a plan is bettered: one at a time, so
	// that the loop is left a core.
	improving chan struct{}

	mu sync.Mutex
	// running holds each driver by what it is for, such as a roll's ID, also
	// after it ended: as long as a snapshot that may be old still asks for it.
	running map[string]*driver
	done    sync.WaitGroup
}

// driver is one piece of work beside the loop.
type driver struct {
	end   context.CancelCauseFunc
	ended chan struct{}
}

// drive runs work until it ends or is not wanted any more. a.mu is held.
func (a *actions) drive(ctx context.Context, what string, work func(context.Context)) {
	ctx, end := context.WithCancelCause(ctx)
	d := &driver{end: end, ended: make(chan struct{})}
	a.running[what] = d
	a.done.Go(func() { defer close(d.ended); work(ctx) })
}

// follow starts what the snapshot asks for and ends what it does not.
func (a *actions) follow(ctx context.Context, snap *state.Snapshot) {
	wanted := map[string]bool{}
	a.mu.Lock()
	defer a.mu.Unlock()
	want := func(what string, start func()) {
		if wanted[what] = true; a.running[what] == nil {
			start()
		}
	}
	for _, plan := range snap.Plans() {
		if wantsUnignored(plan) && a.director != nil {
			want(unignoreOf(plan), func() { a.unignore(ctx, plan) })
		}
		if plan.Finished() {
			continue
		}
		switch {
		case wantsTask(snap, plan):
			want(convergeOf(plan), func() { a.converge(ctx, plan) })
		case wantsNoTask(snap, plan):
			want(withdrawOf(plan), func() { a.withdraw(ctx, plan) })
		}
		if improvable(snap, plan) {
			want(improvementOf(plan), func() { a.improve(ctx, plan) })
		}
		for _, roll := range snap.Rolls(plan.Name) {
			if wantsAction(plan, roll) {
				want(roll.ID, func() { a.start(ctx, plan, roll) })
			}
			if deployment := actsOn(plan, roll); deployment != "" && a.director != nil {
				want("task:"+deployment, func() { a.watchTask(ctx, deployment) })
			}
		}
	}
	for what, running := range a.running {
		if !wanted[what] {
			running.end(errNotWanted)
			delete(a.running, what)
		}
	}
}

// wantsAction reports whether a roll's host is to be acted on by itself: the
// one task of a whole group does the rest, and the gate lets it.
func wantsAction(plan *model.Plan, roll *model.Roll) bool {
	return roll.Phase == model.Acting && !roll.Acted && roll.Error == "" && !plan.Converges()
}

// asksFor is what a roll asks of the driver of its host.
func asksFor(roll *model.Roll) host.Request {
	return host.Request{Roll: roll.ID, Plan: roll.Plan, Cell: roll.CellID, Action: roll.Action, Silent: roll.Gone}
}

func (a *actions) start(ctx context.Context, plan *model.Plan, roll *model.Roll) {
	driver := a.driver(plan)
	request := asksFor(roll)
	a.drive(ctx, roll.ID, func(ctx context.Context) {
		a.logger.Info("acting on host", "cell", request.Cell, "action", request.Action, "roll", request.Roll)
		request.Say = func(waits string) {
			a.write(ctx, func(snap *state.Snapshot) *state.Txn { return waiting(snap, request, waits) })
		}
		err := driver.Act(ctx, request)
		if ctx.Err() != nil {
			return // ended from here; whoever leads next asks again
		}
		a.report(ctx, request, err)
	})
}

// report writes down how an action ended, unless the roll has meanwhile gone
// another way.
func (a *actions) report(ctx context.Context, request host.Request, result error) {
	a.write(ctx, func(snap *state.Snapshot) *state.Txn { return acted(snap, request, result, time.Now()) })
}

// waiting gives the transaction that records what an action waits for before it
// can begin, nil when that is on record or the roll has gone another way.
func waiting(snap *state.Snapshot, request host.Request, waits string) *state.Txn {
	roll := snap.Roll(request.Plan, request.Cell)
	if roll == nil || roll.ID != request.Roll || roll.Phase != model.Acting || roll.Waits == waits {
		return nil
	}
	next := *roll
	next.Timeline = slices.Clone(roll.Timeline)
	next.Waits = waits
	tx := snap.Txn()
	tx.Put(&next)
	return tx
}

// acted gives the transaction that records the end of an action, nil when the
// roll does not wait for it.
func acted(snap *state.Snapshot, request host.Request, result error, now time.Time) *state.Txn {
	roll := snap.Roll(request.Plan, request.Cell)
	if roll == nil || roll.ID != request.Roll || roll.Phase != model.Acting || roll.Acted || roll.Error != "" {
		return nil
	}
	next := *roll
	next.Timeline, next.Waits = slices.Clone(roll.Timeline), ""
	event := model.Event{At: now, Kind: model.EventRollActed, Actor: actor, CellID: request.Cell, Plan: request.Plan,
		Text: fmt.Sprintf("cell %s: the %s is done", request.Cell, request.Action)}
	if result == nil {
		next.Acted = true
	} else {
		next.Error = result.Error()
		event.Kind, event.Text = model.EventRollFailed, fmt.Sprintf("cell %s: %s", request.Cell, result)
	}
	tx := snap.Txn()
	tx.Put(&next)
	tx.Event(event)
	return tx
}

// stop ends all drivers and waits for them.
func (a *actions) stop() {
	a.mu.Lock()
	for _, running := range a.running {
		running.end(context.Canceled)
	}
	a.mu.Unlock()
	a.done.Wait()
}
