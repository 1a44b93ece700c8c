package scheduler

import (
	"slices"

	"mooring/model"
	"mooring/state"
)

// ask is what an app's own claim of one reason should be.
type ask struct {
	holder string
	reason model.Reason
	now    *model.Claim
	want   *model.Demand
	// granted is the transaction of the grant, nil while it is refused.
	granted *state.Txn
}

// claims gives the app's own claims: for the scale-down, and for the update.
func (d *draft) claims() (scale, update ask) {
	scale = ask{holder: model.ScaleHolder(d.app.GUID), reason: model.ReasonScale}
	scale.now = d.snap.Claim(scale.holder)
	scale.want = d.nextRemoval()
	d.judge(&scale)
	update = ask{holder: model.UpdateHolder(d.app.GUID), reason: model.ReasonUpdate}
	update.now = d.snap.Claim(update.holder)
	update.want = d.nextUpdate(update.now)
	d.judge(&update)
	return scale, update
}

// judge has a claim judged that stands in the line as it should. That it is
// refused for good is said on the instance: nobody else may notice.
func (d *draft) judge(a *ask) {
	if a.now == nil || !a.inLine() {
		return
	}
	granted, verdict := d.snap.Grant(a.holder, d.now)
	a.granted = granted
	for _, blocker := range verdict.Blockers {
		if blocker.Forever {
			d.say(a.want.Index, blocker.Text)
			return
		}
	}
}

// inLine reports whether the claim asks for what it should.
func (a *ask) inLine() bool {
	return a.want != nil && slices.Equal(a.now.Demands, []model.Demand{*a.want})
}

// line brings a claim into the line, or out of it. A grant is a transaction of
// its own, so it waits until nothing else is to be written about the app.
func (d *draft) line(a ask) {
	switch {
	case a.want == nil && a.now == nil:
	case a.want == nil:
		d.tx.Delete(a.now)
	case a.now == nil || !a.inLine():
		d.tx.Put(&model.Claim{
			Holder: a.holder, Reason: a.reason, CellID: d.instances[a.want.Index].CellID,
			Demands: []model.Demand{*a.want}, Since: d.snap.Revision(), At: d.now,
		})
	case d.tx.Empty() && a.granted != nil:
		d.tx = a.granted
	}
}

// retry calls off a disruption of the app's own whose handler does not do its
// work: the budget goes back, the instance goes on, and it is asked for anew.
// No one operates an update, so no one could be asked to.
func (d *draft) retry(index int) {
	permit := d.ledger.Permit(index)
	if permit == nil || permit.Want != model.WantOut || yielded(permit.Step) ||
		permit.Holder != model.ScaleHolder(d.app.GUID) && permit.Holder != model.UpdateHolder(d.app.GUID) {
		return
	}
	actual := d.snap.ActualInstance(d.app.GUID, index, permit.CellID)
	if actual == nil || actual.Disruption == nil || actual.Disruption.PermitID != permit.ID {
		return
	}
	switch state := actual.Disruption.State; state {
	case model.TaskHung, model.TaskOverdue, model.TaskFailed:
		d.wantBack(index)
		d.tell(model.EventInstanceKept, index, permit.CellID, "goes on for now: its %s handler is %s; %s is asked for again", permit.Kind, state, permit.Reason)
	}
}
