package orchestrator

import (
	"mooring/model"
	"mooring/state"
)

// What BOSH says of the hosts it acts on is kept with their rolls: it is the
// evidence when one does not come back.

// actsOn gives the deployment of which a task of BOSH has a roll's host before
// it or in its hands, "" when none has, or when that is the plan's own and
// followed as such.
func actsOn(plan *model.Plan, roll *model.Roll) string {
	switch {
	case plan.Converges() || !waitsAtGate(roll) && roll.Phase != model.Acting && roll.Phase != model.Returning:
		return ""
	case roll.Deployment == "" && plan.Via.Bosh != nil:
		return plan.Via.Bosh.Deployment
	}
	return roll.Deployment
}

// heard gives the transaction that records what BOSH said last, by instance,
// of the cells of some rolls, and under "" of a plan's own task; nil when that
// is on record. Of a cell that is back nobody asks any more.
func heard(snap *state.Snapshot, last map[string]model.HostTask, own string, of func(*model.Plan, *model.Roll) bool) *state.Txn {
	tx := snap.Txn()
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			continue
		}
		if task, said := last[""]; said && plan.Name == own && plan.Converging != nil && news(plan.Converging.Task, task) {
			next, converging := *plan, *plan.Converging
			converging.Task, next.Converging = &task, &converging
			tx.Put(&next)
		}
		for _, roll := range snap.Rolls(plan.Name) {
			task, said := last[roll.CellID]
			if said && !roll.Phase.Final() && roll.Phase != model.Settling && news(roll.Task, task) && of(plan, roll) {
				next := *roll
				next.Task = &task
				tx.Put(&next)
			}
		}
	}
	if tx.Empty() {
		return nil
	}
	return tx
}

// news reports whether what is heard of a task is more than what is known. That
// it goes on is none.
func news(known *model.HostTask, heard model.HostTask) bool {
	return !heard.Same(known) && (heard.Last != "" || known == nil || known.ID != heard.ID)
}

// lastOf gives the last that is known of a plan's task, nil for nothing.
func lastOf(plan *model.Plan) *model.HostTask {
	if plan.Converging == nil {
		return nil
	}
	return plan.Converging.Task
}
