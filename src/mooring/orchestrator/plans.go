package orchestrator

import (
	"fmt"

	"mooring/model"
)

// advancePlan makes a plan's rolls, takes each as far as it can go, starts the
// next, and ends the plan when all rolls have ended.
func (d *decision) advancePlan(plan *model.Plan) {
	if d.makeRolls(plan) || d.orderAnew(plan) || d.convergeAgain(plan) {
		return
	}
	if plan.Intent == model.IntentAbort {
		d.abort(plan)
	}
	d.endTasks(plan)
	d.flagPassedOver(plan)
	running := 0
	for _, roll := range d.snap.Rolls(plan.Name) {
		if roll.Phase.Final() {
			continue
		}
		running++
		switch {
		case plan.Intent == model.IntentAbort && (roll.Phase.BeforeHost() || roll.StuckID != ""):
			// ended by abort
		case plan.Gathers != nil && roll.Refused != "" && (roll.Phase.BeforeHost() || roll.StuckID != ""):
			c := d.draft(plan, roll) // it is for who stands at the gate, and nobody does
			c.end(model.RollAborted, roll.Refused)
			c.submit()
		case roll.StuckID != "" && roll.Phase.BeforeHost():
			d.advanceStuck(plan, roll)
		case plan.Converges() && roll.Refused != "" && roll.Phase.BeforeHost() && roll.Phase != model.Queued:
			c := d.draft(plan, roll) // BOSH does not come to it any more
			c.requeue(roll.Refused)
			c.submit()
		case plan.Intent == model.IntentPause && roll.Phase.BeforeHost() && roll.Phase != model.Queued:
			c := d.draft(plan, roll)
			c.undo(false)
			c.enter(model.Queued, "paused")
			c.submit()
		case roll.Phase != model.Queued:
			d.advanceRoll(plan, roll)
		}
	}
	switch {
	case running == 0 || plan.Intent == model.IntentAbort:
	case plan.Intent == model.IntentPause:
		d.foretellForbidden(plan)
	case !d.gatheringStill(plan):
		d.dispatch(plan)
	}
	d.setStatus(plan, running)
}

// makeRolls gives a new plan its rolls; false when it has them.
func (d *decision) makeRolls(plan *model.Plan) bool {
	tx := d.snap.Txn()
	for i, cell := range plan.Order {
		if d.snap.Roll(plan.Name, cell) != nil {
			continue
		}
		tx.Put(&model.Roll{
			Plan: plan.Name, CellID: cell, Order: i, Action: plan.Action, Phase: model.Queued,
			Timeline: []model.Entry{{Phase: model.Queued, At: d.now}},
		})
	}
	if tx.Empty() {
		return false
	}
	began := d.planEvent(plan, model.EventPlanBegun, fmt.Sprintf("plan %s begins: %s, %d in line", plan.Name, plan.Action, len(plan.Order)))
	began.Cells = plan.Order
	tx.Event(began)
	d.add(tx)
	return true
}

// abort ends every roll that has not touched its host, and those that are
// stuck with it. The others finish: a host half acted on helps nobody.
func (d *decision) abort(plan *model.Plan) {
	for _, roll := range d.snap.Rolls(plan.Name) {
		if !roll.Phase.Final() && (roll.Phase.BeforeHost() || roll.StuckID != "") {
			c := d.draft(plan, roll)
			c.end(model.RollAborted, orElse(plan.Reason, "the plan was aborted"))
			c.submit()
		}
	}
}

// setStatus writes down where the plan stands when that has changed.
func (d *decision) setStatus(plan *model.Plan, running int) {
	status := model.PlanRunning
	switch {
	case running == 0 && plan.Intent == model.IntentAbort && plan.Converges():
		// its task has yet to be cancelled
	case running == 0 && plan.Intent == model.IntentAbort:
		status = model.PlanAborted
	case running == 0:
		status = model.PlanDone
	case plan.Intent == model.IntentPause:
		status = model.PlanPaused
	}
	if status == plan.Status {
		return
	}
	next := *plan
	next.Status = status
	if next.Finished() {
		next.FinishedAt = d.now
	}
	tx := d.snap.Txn()
	tx.Put(&next)
	tx.Event(d.planEvent(plan, status.Event(), fmt.Sprintf("plan %s is %s", plan.Name, status)))
	if d.add(tx) && status == model.PlanDone {
		d.learnPlan(&next)
	}
}

func (d *decision) planEvent(plan *model.Plan, kind model.EventKind, text string) model.Event {
	return model.Event{At: d.now, Kind: kind, Actor: actor, Text: text, Plan: plan.Name, Reason: plan.Reason}
}
