package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mooring/model"
	"mooring/state"
)

// BOSH lets a pre-stop end before it cancels its task, and a pre-stop ends
// when the gate says so. So somebody has to tell the gate.

// asksUnder gives the deployment whose task waits at the gate of a roll, ""
// when none does or when that task is the plan's own and followed as such.
func asksUnder(plan *model.Plan, roll *model.Roll) string {
	if roll.AtGate.IsZero() || roll.Refused != "" || !beforeHost(roll.Phase) {
		return ""
	}
	if plan.Converges() && plan.Converging != nil && plan.Converging.Waits == "" {
		return ""
	}
	return roll.Deployment
}

// cancelPause is the least time between two looks at a deployment whose task
// was found being cancelled, or which could not be looked at.
const cancelPause = time.Second

// watchCancel turns away whoever waits at a gate under a task of BOSH that is
// being cancelled, for as long as somebody waits there. a.mu is held.
func (a *actions) watchCancel(ctx context.Context, deployment string) {
	a.drive(ctx, "cancel:"+deployment, func(ctx context.Context) {
		for ctx.Err() == nil {
			why, err := a.director.AwaitCancel(ctx, deployment)
			switch {
			case err == nil:
				a.write(ctx, func(snap *state.Snapshot) *state.Txn { return turnAway(snap, deployment, why, time.Now()) })
			case !errors.Is(err, errNotWanted) && ctx.Err() == nil:
				a.logger.Error("cannot see whether BOSH's task is being cancelled; looking again", "deployment", deployment, "error", err)
			}
			select {
			case <-time.After(cancelPause):
			case <-ctx.Done():
			}
		}
	})
}

// turnAway gives the transaction that refuses leave to all who wait for it
// under a deployment's task, nil when there are none. A roll that somebody
// planned waits on without them.
func turnAway(snap *state.Snapshot, deployment, why string, now time.Time) *state.Txn {
	tx := snap.Txn()
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			continue
		}
		for _, roll := range snap.Rolls(plan.Name) {
			if asksUnder(plan, roll) != deployment {
				continue
			}
			refused := *roll
			refused.Refused = why
			if plan.Gathers == nil {
				refused.AtGate = time.Time{}
			}
			tx.Put(&refused)
			tx.Event(model.Event{At: now, Kind: "gate.refused", Actor: actor, Plan: plan.Name, CellID: roll.CellID,
				Text: fmt.Sprintf("cell %s must not be stopped: %s", roll.CellID, why)})
		}
	}
	if tx.Empty() {
		return nil
	}
	return tx
}
