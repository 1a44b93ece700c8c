package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/model"
	"mooring/state"
)

// When BOSH fails on one cell of a plan's task, it finishes those in flight,
// comes to no more, and ends. In flight are also those that wait at their
// gates, perhaps for what the failed cell spends, so it may never end by
// itself. Until a person answers for that cell, the others go on as they fit;
// the answer turns away who still waits, so that BOSH is free for it, and the
// plan goes on one cell at a time.

// withTask copies a plan with its task changed.
func withTask(plan *model.Plan, change func(*model.Converging)) *model.Plan {
	next := *plan
	task := model.Converging{}
	if plan.Converging != nil {
		task = *plan.Converging
	}
	change(&task)
	next.Converging = &task
	return &next
}

// unheard gives the transaction that records why nobody hears of a plan's task,
// nil when that is on record.
func unheard(snap *state.Snapshot, name, why string) *state.Txn {
	plan := snap.Plan(name)
	if plan == nil || plan.Finished() || !plan.Converges() || plan.Converging == nil || plan.Converging.Unheard == why {
		return nil
	}
	tx := snap.Txn()
	tx.Put(withTask(plan, func(c *model.Converging) { c.Unheard = why }))
	return tx
}

// failedOn gives the transaction that records that BOSH has failed on a cell
// within a plan's task, which goes on; nil when it is on record, or is no more
// than that the cell was turned away.
func failedOn(snap *state.Snapshot, name, cellID, why string, now time.Time) *state.Txn {
	plan, roll := snap.Plan(name), snap.Roll(name, cellID)
	if plan == nil || plan.Finished() || !plan.Converges() || roll == nil {
		return nil
	}
	if plan.Converging != nil && slices.Contains(plan.Converging.Failed, cellID) {
		return nil
	}
	_, handedOver := roll.Entered(model.Acting)
	if !handedOver && roll.Phase == model.RollSkipped {
		return changed(snap, name, func(c *model.Converging) bool {
			known := slices.Contains(c.Skipped, cellID)
			c.Skipped = append(slices.Clone(c.Skipped), cellID)
			return !known
		})
	}
	if !handedOver && (roll.Refused != "" || roll.Phase.Final()) {
		return nil
	}
	tx := snap.Txn()
	tx.Put(withTask(plan, func(c *model.Converging) {
		c.Failed = append(slices.Clone(c.Failed), cellID)
		switch {
		case roll.Phase == model.RollSkipped:
			c.Answered = true // that it did not come back was answered
		case roll.Phase.BeforeHost():
			c.Breaks = fmt.Sprintf("it failed on cell %s, which it had not stopped: %s", cellID, why)
		}
	}))
	switch {
	case roll.Phase.BeforeHost():
		tx.Put(refused(plan, roll, why))
	case roll.Phase == model.Acting, roll.Phase == model.Returning:
		failed := *roll
		failed.Error = why
		tx.Put(&failed)
	}
	tx.Event(model.Event{At: now, Kind: model.EventRollFailed, Actor: actor, CellID: cellID, Plan: name, Text: fmt.Sprintf("cell %s: %s", cellID, why)})
	return tx
}

// failedInTask reports whether the roll's host is one that BOSH has failed on
// within the plan's task, which has not ended.
func (c *draft) failedInTask() bool {
	return c.plan.Converges() && c.plan.Converging != nil && slices.Contains(c.plan.Converging.Failed, c.roll.CellID)
}

// taskHasNot reports whether the roll's host is not for the plan's task to act
// on, which has not ended: it failed there, or is passed over.
func (c *draft) taskHasNot() bool {
	return c.failedInTask() || c.plan.Converges() && passedOver(c.plan, c.roll.CellID)
}

// taskIsPast reports whether the plan's task, which has not ended, is done with
// the roll's host and comes to it no more.
func (c *draft) taskIsPast() bool { return c.plan.Converges() && !c.roll.BackAt.IsZero() }

// awaitsTask reports whether the roll's host is to be acted on by itself once
// the plan's task has ended.
func (c *draft) awaitsTask() bool { return c.roll.Alone && c.plan.Converges() }

// endTask records, with the answer for a cell that BOSH failed on, that the
// plan's task is to end.
func (c *draft) endTask(answer model.Verb) {
	if c.failedInTask() && answer != model.Wait && !c.plan.Converging.Answered {
		c.tx.Put(withTask(c.plan, func(task *model.Converging) { task.Answered = true }))
	}
}

// endTasks turns away, once a person has answered for a cell that BOSH failed
// on, whoever still waits at a gate within the plan's task: whose turn has not
// come, who waits for permits, and who is stuck. All others have their leave,
// or are about to.
func (d *decision) endTasks(plan *model.Plan) {
	if !plan.Converges() || plan.Converging == nil || !plan.Converging.Answered {
		return
	}
	why := fmt.Sprintf("BOSH failed on cell %s, and its task is to end; after that this cell takes its turn", strings.Join(plan.Converging.Failed, ", "))
	tx := turnAway(d.snap, why, d.now, func(of *model.Plan, roll *model.Roll) bool {
		waits := roll.Phase == model.Queued || roll.StuckID != "" || d.snap.Claim(roll.Holder()) != nil
		return of.Name == plan.Name && waitsAtGate(roll) && waits
	})
	if tx != nil {
		d.add(tx)
	}
}
