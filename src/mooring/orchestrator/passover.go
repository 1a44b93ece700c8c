package orchestrator

import (
	"context"
	"slices"

	"mooring/model"
	"mooring/state"
)

// A task for a whole group comes to every instance that BOSH does not ignore,
// and ends at the first that it is refused. So the cells that it is not to have
// are ignored while BOSH settles what it does, and no longer: they are on record
// before they are, and whoever leads undoes it.

// passes lists the cells of a plan that a task asked for now is to pass over:
// those that have ended or are past their host, which BOSH would act on once
// more or has failed on, and those that are never let go as things are.
func (d *decision) passes(plan *model.Plan) []string {
	var over []string
	for _, cell := range plan.Order {
		roll := d.snap.Roll(plan.Name, cell)
		if roll == nil {
			roll = &model.Roll{Plan: plan.Name, CellID: cell, Action: plan.Action, Phase: model.Queued}
		}
		c := d.draft(plan, roll)
		if !roll.Phase.BeforeHost() || c.forever(d.occupants(roll)) != nil {
			over = append(over, cell)
		}
	}
	return over
}

// nothingToConverge gives the transaction that records that a task which has yet
// to be asked for would pass over every cell of its plan, nil when that is not
// so.
func (d *decision) nothingToConverge(name string) *state.Txn {
	plan := d.snap.Plan(name)
	if plan == nil || plan.Converging != nil && (plan.Converging.Task != nil || plan.Converging.Begun) {
		return nil
	}
	over := d.passes(plan)
	if len(over) < len(plan.Order) {
		return nil
	}
	return ignores(d.snap, name, over, nil)
}

// passedOver reports whether a plan's task passes over a cell.
func passedOver(plan *model.Plan, cellID string) bool {
	return plan.Converging != nil && slices.Contains(plan.Converging.Passes, cellID)
}

// ignores gives the transaction that records which cells a plan's task passes
// over, and what BOSH is about to be told to ignore for that.
func ignores(snap *state.Snapshot, name string, over, ids []string) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Finished() || !plan.Converges() {
		return nil
	}
	tx := snap.Txn()
	tx.Put(withTask(plan, func(c *model.Converging) { c.Passes, c.Ignored = over, ids }))
	return tx
}

// changed gives the transaction that records a change of a plan's task, nil
// when that is none.
func changed(snap *state.Snapshot, name string, change func(*model.Converging) bool) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Converging == nil {
		return nil
	}
	differs := false
	next := withTask(plan, func(c *model.Converging) { differs = change(c) })
	if !differs {
		return nil
	}
	tx := snap.Txn()
	tx.Put(next)
	return tx
}

// ended is what is kept of a plan's task when it has ended.
func ended(plan *model.Plan, how string) *model.Converging {
	next := &model.Converging{Ended: how}
	if c := plan.Converging; c != nil {
		next.Task, next.Attempt, next.Passes, next.Ignored, next.StillIgnored = c.Task, c.Attempt, c.Passes, c.Ignored, c.StillIgnored
	}
	return next
}

// skippedAlone reports whether a task failed on nothing but cells that had been
// skipped before it came to them: what is left is none the worse for that.
func skippedAlone(c *model.Converging) bool {
	return c != nil && len(c.Skipped) > 0 && len(c.Failed) == 0 && c.Breaks == "" && !c.Cancelled
}

// convergeAgain has a plan that goes on after its task ended early ask for
// another one, which passes over what the first has dealt with. It reports
// whether it did.
func (d *decision) convergeAgain(plan *model.Plan) bool {
	if plan.Intent != model.IntentRun || plan.Converging == nil || !plan.Converging.Again {
		return false
	}
	next, last := *plan, plan.Converging
	if len(d.passes(plan)) < len(plan.Order) {
		next.Converging = &model.Converging{Attempt: last.Attempt + 1, Ignored: last.Ignored}
	} else { // those that are left are taken by themselves as soon as they may
		next.Converging = ended(plan, last.Ended)
	}
	tx := d.snap.Txn()
	tx.Put(&next)
	return d.add(tx)
}

// flagPassedOver flags the cells that a plan's task passes over since a policy
// never lets them go: BOSH does not come to them.
func (d *decision) flagPassedOver(plan *model.Plan) {
	if !plan.Converges() || plan.Converging == nil || plan.Intent != model.IntentRun {
		return
	}
	for _, cell := range plan.Converging.Passes {
		roll := d.snap.Roll(plan.Name, cell)
		if roll == nil || roll.Phase != model.Queued || roll.StuckID != "" {
			continue
		}
		c := d.draft(plan, roll)
		if blocker := c.forever(d.occupants(roll)); blocker != nil {
			c.stick(c.forbidden(*blocker), false)
			c.submit()
		}
	}
}

// behind lists the cells that BOSH does not come to before it is done with the
// one that a roll holds at its gate: those of the next AZs.
func (c *draft) behind() []string {
	if !c.plan.Converges() || c.roll.AtGate.IsZero() {
		return nil
	}
	var cells []string
	for _, roll := range c.d.snap.Rolls(c.plan.Name) {
		if roll.Phase == model.Queued && roll.AtGate.IsZero() && roll.Refused == "" && !passedOver(c.plan, roll.CellID) {
			cells = append(cells, roll.CellID)
		}
	}
	return cells
}

// unignoreOf names the undoing among the actions.
func unignoreOf(plan *model.Plan) string { return "unignore:" + onceOf(plan) }

// wantsUnignored reports whether what BOSH ignores for a plan's task need be
// ignored no longer.
func wantsUnignored(plan *model.Plan) bool {
	c := plan.Converging
	return c != nil && len(c.Ignored) > 0 && (c.Begun || !plan.Converges() || plan.Finished())
}

// unignore has BOSH ignore no longer what it does for a plan's task. a.mu is
// held.
func (a *actions) unignore(ctx context.Context, plan *model.Plan) {
	a.drive(ctx, unignoreOf(plan), func(ctx context.Context) {
		via := plan.Via.Bosh
		err := a.director.Unignore(ctx, via.Deployment, via.InstanceGroup, plan.Converging.Ignored, func(why string) {
			a.write(ctx, func(snap *state.Snapshot) *state.Txn {
				return changed(snap, plan.Name, func(c *model.Converging) bool { was := c.StillIgnored; c.StillIgnored = why; return was != why })
			})
		})
		if err == nil {
			a.write(ctx, func(snap *state.Snapshot) *state.Txn {
				return changed(snap, plan.Name, func(c *model.Converging) bool {
					was := len(c.Ignored) > 0
					c.Ignored, c.StillIgnored = nil, ""
					return was
				})
			})
		}
	})
}
