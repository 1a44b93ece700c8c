package orchestrator

import (
	"mooring/model"
	"mooring/state"
)

// directorProblem gives what keeps BOSH from carrying out a plan, unless a
// person said to wait for a while; nil when nothing does.
func (d *decision) directorProblem(plan *model.Plan) *model.Stuck {
	alert := blockedByDirector(plan, d.now)
	if alert == nil || !d.lookAt(d.seen(plan.Converging.QuietAt).Add(plan.Converging.QuietFor.D())) {
		return nil
	}
	alert.Phase = model.Queued // of those that it holds up
	for _, cell := range plan.Order {
		if roll := d.snap.Roll(plan.Name, cell); roll != nil && roll.Phase.BeforeHost() {
			alert.Blocks = append(alert.Blocks, cell)
		}
	}
	alert.Answers = []model.Verb{model.Wait}
	return alert
}

// quietDirector has an alert about a plan's task of BOSH stay closed for as long
// as a person said.
func (d *decision) quietDirector(tx *state.Txn, alert *model.Stuck, answer model.Answer) {
	plan := d.snap.Plan(alert.Plan)
	if plan == nil || plan.Converging == nil {
		return
	}
	next, converging := *plan, *plan.Converging
	converging.QuietAt, converging.QuietFor, next.Converging = d.now, answer.For, &converging
	tx.Put(&next)
}
