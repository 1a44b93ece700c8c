package scheduler

import (
	"mooring/model"
	"mooring/placement"
)

var noDisk = placement.Disk{}

// withdraw brings an instance whose index is no longer desired to where it can
// be removed: it has stopped under a permit, or is known not to run. An app
// that is scaled to nothing has no service left to protect and nobody to hand
// data to: it just stops, and its volumes stay.
func (d *draft) withdraw(inst *model.Instance) {
	if d.app.Instances == 0 {
		d.stop(inst)
		return
	}
	idle := inst.CellID == "" || d.lost(inst.CellID) || !d.fixed(inst) && d.givenUp(inst.CellID)
	if !idle && !out(d.ledger.Permit(inst.Index), inst) {
		if inst.Next != nil {
			d.drop(inst)
		}
		d.say(inst.Index, "")
		return
	}
	next := edit(inst)
	next.Removing, next.Next, next.Unplaced = true, nil, ""
	d.put(next)
	d.tell(model.EventInstanceRemoving, inst.Index, inst.CellID, "is removed: %d instances are desired", d.app.Instances)
	for _, v := range d.have(&inst.Spec, inst.Index, false) {
		d.end(v)
	}
	for _, v := range d.volumesOf(inst) {
		if !v.Ending {
			d.end(v)
		}
	}
	d.finishRemoval(next)
}

// stop has an instance removed that keeps its volumes.
func (d *draft) stop(inst *model.Instance) {
	next := edit(inst)
	next.Removing, next.Next, next.Unplaced = true, nil, ""
	d.put(next)
	d.tell(model.EventInstanceRemoving, inst.Index, inst.CellID, "is removed: no instances are desired")
	d.finishRemoval(next)
}

// finishRemoval deletes an instance that is gone, and its permit.
func (d *draft) finishRemoval(inst *model.Instance) {
	if !d.gone(inst) {
		return
	}
	d.remove(inst)
	delete(d.instances, inst.Index)
	if d.ledger.Permit(inst.Index) != nil {
		d.setPermit(inst.Index, nil)
	}
	d.tell(model.EventInstanceRemoved, inst.Index, inst.CellID, "is removed")
}

// gone reports whether no process of an instance that is to stop runs anywhere.
func (d *draft) gone(inst *model.Instance) bool {
	fixed := d.fixed(inst)
	runs := func(cellID string) bool {
		// What is on a fixed volume goes on while its cell cannot be reached.
		return !d.lost(cellID) && !d.snap.Present(cellID) && (fixed || !d.givenUp(cellID))
	}
	for _, actual := range d.actuals[inst.Index] {
		if d.snap.Present(actual.CellID) && actual.State != model.Stopped || runs(actual.CellID) {
			return false
		}
	}
	return inst.CellID == "" || !runs(inst.CellID)
}

// nextRemoval chooses the instance to remove next: the highest index that is
// not desired, nil when none is left to ask.
func (d *draft) nextRemoval() *model.Demand {
	if d.app.Instances == 0 {
		return nil
	}
	indexes := d.indexes()
	for at := len(indexes) - 1; at >= 0 && indexes[at] >= d.app.Instances; at-- {
		inst := d.instances[indexes[at]]
		if inst.Removing {
			continue
		}
		if d.ledger.Permit(inst.Index) != nil || !d.snap.Present(inst.CellID) {
			return nil // under way, or unreachable: its turn is not over
		}
		kind := model.Interrupt
		if d.fixed(inst) {
			kind = model.Drain
		}
		return &model.Demand{AppGUID: d.app.GUID, Index: inst.Index, Kind: kind}
	}
	return nil
}

// deleteApp removes all instances of an app, then the app. Its volumes stay
// with their sets.
func (d *draft) deleteApp() {
	for _, holder := range []string{model.ScaleHolder(d.app.GUID), model.UpdateHolder(d.app.GUID)} {
		if claim := d.snap.Claim(holder); claim != nil {
			d.remove(claim)
		}
	}
	for _, index := range d.indexes() {
		if d.full() {
			return
		}
		if inst := d.instances[index]; inst.Removing {
			d.finishRemoval(inst)
		} else {
			d.stop(inst)
		}
	}
	if len(d.instances) > 0 {
		return
	}
	for _, set := range d.snap.VolumeSets() {
		if set.AppGUID == d.app.GUID {
			free := *set
			free.AppGUID = ""
			d.tx.Put(&free)
		}
	}
	d.remove(d.app)
	d.remove(&model.Ledger{AppGUID: d.app.GUID})
	e := d.event(model.EventAppDeleted, "application "+d.app.Name.String()+" is deleted", "")
	e.App, e.AppGUID = d.app.Name.String(), d.app.GUID
	d.tx.Event(e)
}
