package orchestrator

import (
	"context"
	"time"

	"mooring/model"
	"mooring/state"
)

// groupTask writes down how the task of a plan goes.
type groupTask struct {
	*actions
	ctx  context.Context // of what follows the task
	plan string
	over []string // what it is to pass over, as last asked for
}

// Waits is told what the task waits for before it can start, "" when it has.
func (g *groupTask) Waits(why string) {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn { return converging(snap, g.plan, why) })
}

// Cancelling turns away who waits at a gate: the task is being cancelled.
func (g *groupTask) Cancelling(why string) {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn {
		return changed(snap, g.plan, func(c *model.Converging) bool { was := c.Cancelled; c.Cancelled = true; return !was })
	})
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn {
		return turnAway(snap, why, time.Now(), func(of *model.Plan, roll *model.Roll) bool { return of.Name == g.plan && waitsAtGate(roll) })
	})
}

// Unheard is told why nobody hears of the task, "" when somebody does.
func (g *groupTask) Unheard(why string) {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn { return unheard(snap, g.plan, why) })
}

// Heard is told the last that is known of the plan's hosts and of the task.
func (g *groupTask) Heard(last map[string]model.HostTask) {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn {
		return heard(snap, last, g.plan, func(of *model.Plan, _ *model.Roll) bool { return of.Name == g.plan })
	})
}

// Failed is told of a cell that BOSH has failed on.
func (g *groupTask) Failed(cellID, why string) {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn { return failedOn(snap, g.plan, cellID, why, time.Now()) })
}

// Passes is asked which instances the task is to pass over, and which of them
// BOSH ignores for that since an earlier try.
func (g *groupTask) Passes() (which, ignored []string) {
	snap := g.store.Snapshot()
	plan := snap.Plan(g.plan)
	if plan == nil {
		return nil, nil
	}
	if plan.Converging != nil {
		ignored = plan.Converging.Ignored
	}
	g.over = newDecision(snap, time.Now(), g.via).passes(plan)
	return g.over, ignored
}

// Ignores writes down what BOSH is about to be told to ignore.
func (g *groupTask) Ignores(ids []string) error {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn { return ignores(snap, g.plan, g.over, ids) })
	return context.Cause(g.ctx)
}

// Begun is told that BOSH has settled what the task does.
func (g *groupTask) Begun() {
	g.write(g.ctx, func(snap *state.Snapshot) *state.Txn {
		return changed(snap, g.plan, func(c *model.Converging) bool { was := c.Begun; c.Begun = true; return !was })
	})
}
