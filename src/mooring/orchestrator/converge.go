package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/host"
	"mooring/model"
	"mooring/state"
)

// The plans that BOSH carries out: for a whole group BOSH supplies the
// threads, in one task that is asked for once, and the cells' gates the order.

// driver gives what acts on a plan's hosts one at a time.
func (a *actions) driver(plan *model.Plan) host.Driver {
	if plan.Via.Bosh != nil {
		return host.Bosh{Director: a.director, Via: *plan.Via.Bosh}
	}
	return host.For(plan.Via, a.via)
}

// convergeOf names the following of a plan's task among the actions, and
// withdrawOf its cancelling.
func convergeOf(plan *model.Plan) string { return "converge:" + onceOf(plan) }
func withdrawOf(plan *model.Plan) string { return "withdraw:" + onceOf(plan) }

// onceOf names the asking for a plan's task. The plan's name may be used again
// in another installation.
func onceOf(plan *model.Plan) string {
	once := plan.Name + plan.CreatedAt.UTC().Format(time.RFC3339Nano)
	if plan.Converging != nil && plan.Converging.Attempt > 0 {
		once += fmt.Sprintf("#%d", plan.Converging.Attempt)
	}
	return once
}

// wantsTask reports whether a plan's task is to be asked for, or followed:
// also that of an aborted plan while cells are in BOSH's hands.
func wantsTask(snap *state.Snapshot, plan *model.Plan) bool {
	switch {
	case !plan.Converges():
		return false
	case plan.Intent == model.IntentAbort:
		return plan.Converging != nil && !over(snap, plan)
	}
	return plan.Intent == model.IntentRun || plan.Converging != nil
}

// wantsNoTask reports whether a plan's task is to be cancelled: when the plan
// was aborted, and what BOSH had begun is finished.
func wantsNoTask(snap *state.Snapshot, plan *model.Plan) bool {
	return plan.Converges() && plan.Intent == model.IntentAbort && over(snap, plan)
}

// over reports whether all rolls of a plan have ended.
func over(snap *state.Snapshot, plan *model.Plan) bool {
	for _, cell := range plan.Order {
		if roll := snap.Roll(plan.Name, cell); roll == nil || !roll.Phase.Final() {
			return false
		}
	}
	return true
}

// converge has BOSH take a whole group through a plan. a.mu is held.
func (a *actions) converge(ctx context.Context, plan *model.Plan) {
	a.drive(ctx, convergeOf(plan), func(ctx context.Context) {
		via := plan.Via.Bosh
		a.logger.Info("acting on an instance group", "plan", plan.Name, "deployment", via.Deployment, "group", via.InstanceGroup)
		err, needless := host.ErrNoDirector, false
		a.write(ctx, func(snap *state.Snapshot) *state.Txn {
			tx := newDecision(snap, time.Now(), a.via).nothingToConverge(plan.Name)
			needless = tx != nil
			return tx
		})
		switch {
		case needless:
			err = nil
		case a.director != nil:
			err = a.director.Converge(ctx, via.Deployment, via.InstanceGroup, string(plan.Action), onceOf(plan), &groupTask{actions: a, ctx: ctx, plan: plan.Name})
		}
		if ctx.Err() != nil {
			return // ended from here; whoever leads next follows it
		}
		a.write(ctx, func(snap *state.Snapshot) *state.Txn { return converged(snap, plan.Name, err, time.Now()) })
	})
}

// withdraw cancels the task of a plan that was aborted, once nobody here can be
// starting it any more. a.mu is held.
func (a *actions) withdraw(ctx context.Context, plan *model.Plan) {
	starting := a.running[convergeOf(plan)]
	a.drive(ctx, withdrawOf(plan), func(ctx context.Context) {
		if starting != nil {
			starting.end(errNotWanted)
			<-starting.ended
		}
		err := host.ErrNoDirector
		if a.director != nil {
			err = a.director.Withdraw(ctx, onceOf(plan), func(waits string) {
				a.write(ctx, func(snap *state.Snapshot) *state.Txn { return converging(snap, plan.Name, waits) })
			})
		}
		if ctx.Err() == nil {
			a.write(ctx, func(snap *state.Snapshot) *state.Txn { return withdrawn(snap, plan.Name, err, time.Now()) })
		}
	})
}

// converging gives the transaction that records what a plan's task waits for,
// nil when that is on record. Of one that is known to have started, whoever leads
// next may for a while not hear.
func converging(snap *state.Snapshot, name, waits string) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Finished() || !plan.Converges() || plan.Converging != nil && plan.Converging.Waits == waits {
		return nil
	}
	if task := lastOf(plan); task != nil && waits != "" && plan.Intent != model.IntentAbort {
		return unheard(snap, name, fmt.Sprintf("BOSH task %d goes on, and cannot be followed: %s", task.ID, waits))
	}
	next := withTask(plan, func(c *model.Converging) { c.Waits = waits })
	tx := snap.Txn()
	tx.Put(next)
	return tx
}

// converged gives the transaction that records the end of a plan's task, nil
// when it is on record. A task that did not come to every cell leaves the plan
// paused: nobody whom BOSH has turned its back on is kept waiting, and a
// person says how to go on, unless one has answered for what it failed on, or it
// failed on nothing but cells that were skipped.
func converged(snap *state.Snapshot, name string, result error, now time.Time) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Finished() || !plan.Converges() {
		return nil
	}
	tx := snap.Txn()
	next := *plan
	next.Converging = ended(plan, model.ConvergingDone)
	var left []string
	for _, roll := range snap.Rolls(name) {
		// What BOSH failed on may look untouched until its lease runs out.
		spared := untouched(snap, roll) && (plan.Converging == nil || !slices.Contains(plan.Converging.Failed, roll.CellID))
		if passedOver(plan, roll.CellID) {
			continue // it was not in BOSH's hands, nor meant to be
		}
		if roll.Phase.BeforeHost() || spared {
			left = append(left, roll.CellID)
		}
		switch {
		case result == nil:
		case waitsAtGate(roll), spared:
			tx.Put(refused(plan, roll, result.Error()))
		case roll.Phase == model.Acting && !roll.Acted && !roll.Alone && roll.Error == "":
			failed := *roll
			failed.Error = result.Error()
			tx.Put(&failed)
		}
	}
	event := model.Event{At: now, Kind: model.EventPlanConverged, Actor: actor, Plan: name, Text: fmt.Sprintf("plan %s: BOSH is done with the group", name)}
	switch {
	case result != nil:
		next.Converging.Ended = result.Error()
	case len(left) > 0:
		next.Converging.Ended = "BOSH is done and did not come to " + strings.Join(left, ", ")
	}
	if next.Converging.Ended != model.ConvergingDone {
		event.Kind, event.Text = model.EventPlanFailed, fmt.Sprintf("plan %s: %s", name, next.Converging.Ended)
		answered := plan.Converging != nil && plan.Converging.Answered
		next.Converging.Again = len(left) > 0 && !answered
		if next.Converging.Again && plan.Intent == model.IntentRun && !skippedAlone(plan.Converging) {
			next.Intent, next.Reason = model.IntentPause, next.Converging.Ended
		}
	}
	tx.Put(&next)
	tx.Event(event)
	return tx
}

// withdrawn gives the transaction that records that nothing is left of an
// aborted plan's task, nil when that is on record.
func withdrawn(snap *state.Snapshot, name string, result error, now time.Time) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Finished() || !plan.Converges() {
		return nil
	}
	next := *plan
	next.Converging = ended(plan, "cancelled, since the plan was aborted")
	event := model.Event{At: now, Kind: model.EventPlanWithdrawn, Actor: actor, Plan: name, Reason: plan.Reason, Text: fmt.Sprintf("plan %s: BOSH does nothing more for it", name)}
	if result != nil {
		next.Converging.Ended = result.Error()
		event.Kind, event.Text = model.EventPlanFailed, fmt.Sprintf("plan %s: its task of BOSH could not be cancelled: %s", name, result)
	}
	tx := snap.Txn()
	tx.Put(&next)
	tx.Event(event)
	return tx
}

// write commits what decide makes of the state, again and again until it is
// written, nothing is left to write, or ctx ends.
func (a *actions) write(ctx context.Context, decide func(*state.Snapshot) *state.Txn) {
	for ctx.Err() == nil {
		snap := a.store.Snapshot()
		tx := decide(snap)
		if tx == nil {
			return
		}
		tx.As(a.lead)
		_, err := a.store.Commit(ctx, tx)
		if err == nil {
			return
		}
		if !errors.Is(err, state.ErrConflict) {
			a.logger.Error("cannot write down what came of work beside the loop; trying again", "error", err)
		}
		pause(ctx, a.store, snap.Revision())
	}
}

// watchDirector keeps an alert open for each plan that BOSH does not carry
// out: who holds the deployment, or how its task ended.
func (d *decision) watchDirector() {
	for _, plan := range d.snap.Plans() {
		if problem := d.directorProblem(plan); problem != nil {
			tx := d.snap.Txn()
			d.alarm(tx, problem)
			d.add(tx)
		}
	}
	for _, open := range d.snap.StuckItems() {
		if open.Kind != model.DirectorBlocks || open.CellID != "" {
			continue // a cell's is its roll's
		}
		if plan := d.snap.Plan(open.Plan); plan == nil || d.directorProblem(plan) == nil {
			tx := d.snap.Txn()
			d.recover(tx, open, "it moves again")
			d.add(tx)
		}
	}
}

// blockedByDirector gives what keeps BOSH from carrying out a plan, nil when
// nothing does.
func blockedByDirector(plan *model.Plan, now time.Time) *model.Stuck {
	if plan.Converging == nil || plan.Finished() && plan.Converging.StillIgnored == "" {
		return nil
	}
	alert := &model.Stuck{ID: plan.Name + "." + string(model.DirectorBlocks), Kind: model.DirectorBlocks, Plan: plan.Name, Owner: model.CloudOps, Since: plan.CreatedAt, Task: plan.Converging.Task}
	if task := plan.Converging.Task; task != nil && task.At.After(alert.Since) && !task.At.After(now) {
		alert.Since = task.At
	}
	switch c := plan.Converging; {
	case c.Waits != "" && plan.Intent == model.IntentRun:
		alert.What = fmt.Sprintf("plan %s waits to begin: %s", plan.Name, c.Waits)
		alert.Advice = "It begins by itself once the deployment is free and the Director answers. No cell is touched until then."
		alert.Error = c.Waits
	case c.Waits != "" && plan.Intent == model.IntentAbort:
		alert.What = fmt.Sprintf("plan %s is aborted, and its task of BOSH cannot be cancelled: %s", plan.Name, c.Waits)
		alert.Advice = "It is tried again until the Director answers. Cells that BOSH still comes to are turned away at their gates."
		alert.Error = c.Waits
	case c.Ended == "" && c.Unheard != "":
		alert.What = fmt.Sprintf("plan %s is in BOSH's hands, and nobody hears of its task: %s", plan.Name, c.Unheard)
		alert.Advice = "Cells go on as their gates let them. The task is followed again once the Director answers."
		alert.Error = c.Unheard
	case c.Ended == "" && c.Breaks != "":
		alert.What = fmt.Sprintf("BOSH begins no more cells of plan %s: %s", plan.Name, c.Breaks)
		alert.Advice = "Those in flight finish, and then the task ends as failed."
		alert.Error = c.Breaks
	case c.Ended != "" && c.Ended != model.ConvergingDone && plan.Intent == model.IntentPause:
		alert.What = fmt.Sprintf("plan %s is paused: %s", plan.Name, c.Ended)
		alert.Advice = fmt.Sprintf("Put right what BOSH complains of, then have BOSH take the cells that are left in another task with: moor resume %s, or give them up with: moor abort %[1]s.", plan.Name)
		alert.Error = c.Ended
	case c.StillIgnored != "":
		cells := strings.Join(c.Ignored, ", ")
		alert.What = fmt.Sprintf("BOSH still ignores what plan %s had its task pass over, cells %s: %s", plan.Name, cells, c.StillIgnored)
		alert.Advice = "The resurrector does not bring them back, and a deploy passes over them, until the Director answers. It is tried again until then; or do it by hand: bosh unignore."
		alert.Error = c.StillIgnored
	default:
		return nil
	}
	return alert
}
