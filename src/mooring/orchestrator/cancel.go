package orchestrator

import (
	"context"
	"fmt"
	"time"

	"mooring/model"
	"mooring/state"
)

// BOSH lets a pre-stop end before it cancels its task, and a pre-stop ends
// when the gate says so. So somebody has to tell the gate.

// waitsAtGate reports whether BOSH waits at the gate of a roll for leave.
func waitsAtGate(roll *model.Roll) bool {
	return roll.Phase.BeforeHost() && !roll.AtGate.IsZero() && roll.Refused == ""
}

// taskOver gives the deployment whose task has come to a roll's cell and not
// acted on it yet, "" when none has, or when that is the plan's own and followed
// as such: in one for the group, or where each host is acted on from here, which
// says by itself how it ended. via is how hosts are acted on by plans that do
// not say.
func taskOver(plan *model.Plan, roll *model.Roll, via model.Via) string {
	handedOver := roll.Phase == model.Acting && !roll.Acted && roll.Refused == "" && somebodyElse(plan, via)
	if plan.Converges() || !waitsAtGate(roll) && !handedOver {
		return ""
	}
	return roll.Deployment
}

// taskPause is the least time between two looks at a deployment whose task
// ended badly, or which could not be looked at.
const taskPause = time.Second

// watchTask watches the task of BOSH that has come to the cells of a
// deployment. Who waits at a gate while it is being cancelled is turned away;
// who was let through when it ended and was not stopped goes back to work.
// a.mu is held.
func (a *actions) watchTask(ctx context.Context, deployment string) {
	a.drive(ctx, "task:"+deployment, func(ctx context.Context) {
		for ctx.Err() == nil {
			ended, err := a.director.WatchTask(ctx, deployment, func(why string) {
				a.write(ctx, func(snap *state.Snapshot) *state.Txn {
					return turnAway(snap, why, time.Now(), func(plan *model.Plan, roll *model.Roll) bool {
						return waitsAtGate(roll) && taskOver(plan, roll, a.via) == deployment
					})
				})
			}, func(last map[string]model.HostTask) {
				a.write(ctx, func(snap *state.Snapshot) *state.Txn {
					return heard(snap, last, "", func(plan *model.Plan, roll *model.Roll) bool { return actsOn(plan, roll) == deployment })
				})
			})
			switch {
			case err == nil:
				a.write(ctx, func(snap *state.Snapshot) *state.Txn {
					return turnAway(snap, ended, time.Now(), func(plan *model.Plan, roll *model.Roll) bool {
						return taskOver(plan, roll, a.via) == deployment && untouched(snap, roll)
					})
				})
			case ctx.Err() == nil:
				a.logger.Error("cannot watch BOSH's task; trying again", "deployment", deployment, "error", err)
			}
			select {
			case <-time.After(taskPause):
			case <-ctx.Done():
			}
		}
	})
}

// untouched reports whether a roll's host was handed to BOSH, which has not
// stopped it.
func untouched(snap *state.Snapshot, roll *model.Roll) bool {
	presence := snap.Presence(roll.CellID)
	return roll.Phase == model.Acting && !roll.Acted && !roll.Alone && presence != nil && presence.Start == roll.Start
}

// turnAway gives the transaction that refuses leave to those whom BOSH has come
// to in vain, nil when there are none. A roll that somebody planned goes on
// without them.
func turnAway(snap *state.Snapshot, why string, now time.Time, whom func(*model.Plan, *model.Roll) bool) *state.Txn {
	tx := snap.Txn()
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			continue
		}
		for _, roll := range snap.Rolls(plan.Name) {
			if whom(plan, roll) {
				tx.Put(refused(plan, roll, why))
				tx.Event(model.Event{At: now, Kind: model.EventGateRefused, Actor: actor, Plan: plan.Name, CellID: roll.CellID,
					Text: fmt.Sprintf("cell %s must not be stopped: %s", roll.CellID, why)})
			}
		}
	}
	if tx.Empty() {
		return nil
	}
	return tx
}

// refused is a roll of which who stands at the gate is turned away. Under a
// plan that somebody made, BOSH may come once more.
func refused(plan *model.Plan, roll *model.Roll, why string) *model.Roll {
	next := *roll
	next.Refused = why
	if plan.Gathers == nil {
		next.AtGate = time.Time{}
	}
	return &next
}
