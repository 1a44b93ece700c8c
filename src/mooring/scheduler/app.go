package scheduler

import (
	"mooring/model"
)

// tendApp does what one app needs.
func (r *round) tendApp(app *model.App) {
	d := r.draft(app)
	if app.Deleting {
		d.deleteApp()
		d.flush()
		d.hand()
		return
	}
	d.outrank()
	for _, index := range d.indexes() {
		d.retry(index)
		switch inst := d.instances[index]; {
		case d.full():
		case inst.Removing:
			d.finishRemoval(inst)
		case index >= app.Instances:
			d.withdraw(inst)
		default:
			d.say(index, d.tend(inst))
		}
	}
	for index := range app.Instances {
		if d.instances[index] == nil && !d.full() && d.snap.Instance(app.GUID, index) == nil {
			d.create(index)
		}
	}
	scale, update := d.claims()
	d.flush()
	d.line(scale)
	d.line(update)
	d.hand()
}

// create makes the instance of an index that has none.
func (d *draft) create(index int) {
	d.instances[index] = &model.Instance{AppGUID: d.app.GUID, Index: index, StartedAfter: model.AfterNew}
	d.say(index, d.place(d.instances[index]))
}

// tend moves one desired instance towards where it should be. why says why it
// cannot go there.
func (d *draft) tend(inst *model.Instance) (why string) {
	if permit := d.ledger.Permit(inst.Index); permit != nil && permit.Holder == model.ScaleHolder(d.app.GUID) && permit.Want == model.WantOut {
		// The index is desired again: what has not stopped goes on, what has
		// comes back.
		d.wantBack(inst.Index)
	}
	permit := d.ledger.Permit(inst.Index)
	switch {
	case inst.CellID == "":
		return d.place(inst)
	case d.lost(inst.CellID):
		return d.replaceLost(inst)
	case out(permit, inst):
		return d.afterYield(inst, permit)
	case d.givenUp(inst.CellID):
		return d.leaveAbsent(inst, permit)
	case len(inst.Spec.Mounts) == 0:
		return d.replaceFirst(inst, permit)
	}
	d.settleSteal(inst)
	return ""
}

// out reports whether an instance has stopped where it is, under a permit that
// wants it out.
func out(permit *model.Permit, inst *model.Instance) bool {
	return permit != nil && permit.Want == model.WantOut && permit.CellID == inst.CellID && yielded(permit.Step)
}

// yielded reports whether a step is the yield or later.
func yielded(step model.Step) bool {
	switch step {
	case model.StepGranted, model.StepAsked, model.StepRunning:
		return false
	}
	return true
}
