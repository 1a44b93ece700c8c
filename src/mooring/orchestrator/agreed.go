package orchestrator

import (
	"fmt"

	"mooring/model"
	"mooring/state"
)

// What a plan or a policy said beforehand is to happen to what is stuck happens
// without a person, and is on record as an answer is: by whom, and why.

// agreed gives the answer that was given beforehand to what is stuck on the
// draft's roll, nil when there is none or its time has not come.
func (c *draft) agreed(alert *model.Stuck) *model.Answer {
	if c.plan.OnStuck == model.StuckSkip {
		return &model.Answer{Verb: model.Skip, By: "plan " + c.plan.Name, Reason: "on_stuck: skip"}
	}
	app := c.d.snap.App(alert.AppGUID)
	if app != nil && alert.Kind.OfHandler() && app.Policy.OnStuck.Answer == model.StuckSkip {
		return &model.Answer{Verb: model.Skip, By: ofPolicy(app), Reason: "on_stuck: skip"}
	}
	return c.d.agreedForce(alert)
}

// agreedForce gives the force that a policy promised for a handler that does
// not do its work. It forces a stop, never the loss of data: that takes a
// person.
func (d *decision) agreedForce(alert *model.Stuck) *model.Answer {
	app := d.snap.App(alert.AppGUID)
	if app == nil || !alert.Kind.OfHandler() || len(alert.Data) > 0 || app.Policy.OnStuck.Answer != model.StuckForce {
		return nil
	}
	after := app.Policy.OnStuck.After
	if !d.lookAt(d.seen(alert.FlaggedAt).Add(after.D())) {
		return nil
	}
	return &model.Answer{Verb: model.Force, By: ofPolicy(app), Reason: "on_stuck: force_after " + after.String()}
}

func ofPolicy(app *model.App) string { return "policy of " + app.Name.String() }

// answerAsAgreed does what was agreed beforehand, once its time has come.
func (c *draft) answerAsAgreed(alert *model.Stuck) {
	answer := c.agreed(alert)
	if answer == nil {
		return
	}
	c.d.recordAgreed(c.tx, alert, *answer)
	if alert.Plan == c.roll.Plan && alert.Kind != model.CellGone {
		c.closeAlert("answered by the " + answer.By)
	}
	c.answer(alert, *answer)
}

// recordAgreed writes down an answer that nobody had to give.
func (d *decision) recordAgreed(tx *state.Txn, alert *model.Stuck, answer model.Answer) {
	tx.Event(d.answerEvent(alert, answer, model.EventStuckAnswered, fmt.Sprintf("%s: %s, by the %s", alert.ID, answer.Verb, answer.By)))
}
