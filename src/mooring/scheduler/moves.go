package scheduler

import (
	"mooring/model"
)

// afterYield takes an instance that has stopped under a permit to where the
// permit is for it to go. A permit of a roll that leaves it on its cell is the
// orchestrator's to end.
func (d *draft) afterYield(inst *model.Instance, permit *model.Permit) (why string) {
	switch {
	case permit.Holder == model.UpdateHolder(d.app.GUID):
		return d.update(inst)
	case permit.Kind == model.Drain:
		return d.move(inst, passage{leave: true, after: model.AfterDrain, because: "drained"})
	case permit.Move && !d.fixed(inst):
		return d.move(inst, passage{after: model.AfterInterrupt, because: "interrupted"})
	}
	return ""
}

// leaveAbsent takes an instance away from a cell that is not present. Its
// agent has stopped what floats and what has no volume before its lease ran
// out. What is on a fixed volume waits for the cell, or for a person's word.
func (d *draft) leaveAbsent(inst *model.Instance, permit *model.Permit) (why string) {
	switch {
	case d.fixed(inst):
		return ""
	case permit != nil && permit.Reason == model.ReasonRoll && !permit.Move && permit.CellID == inst.CellID:
		return "" // it is to stay, and the host is being acted on
	case inst.Next != nil && d.snap.Present(inst.Next.CellID):
		d.promote(inst)
		return ""
	}
	return d.move(inst, passage{after: model.AfterCrash, steal: true, because: "its cell is gone"})
}

// replaceLost gives up what was on a cell that a person declared lost, and
// finds a new place with new volumes for the instance.
func (d *draft) replaceLost(inst *model.Instance) (why string) {
	lost := inst.CellID
	d.endLost(inst)
	if !d.fixedSpec(&inst.Spec) {
		if inst.Next != nil && d.snap.Present(inst.Next.CellID) {
			d.promote(inst)
			return ""
		}
		return d.move(inst, passage{after: model.AfterCrash, steal: true, because: "its cell is lost"})
	}
	next := edit(inst)
	next.Placement, next.Next, next.Volumes, next.StartedAfter = model.Placement{}, nil, nil, model.AfterCrash
	d.put(next)
	for _, v := range d.volumesOf(inst) {
		if v.Floating && v.CellID == lost {
			d.detach(v, true)
		}
	}
	return d.place(next)
}

// fixedSpec reports whether a spec mounts a fixed volume set.
func (d *draft) fixedSpec(spec *model.RunSpec) bool {
	sets, _ := d.setsOf(d.app, spec)
	for _, set := range sets {
		if !set.Floating {
			return true
		}
	}
	return false
}

// detach has a floating volume attached nowhere.
func (d *draft) detach(v *model.Volume, steal bool) {
	next := *v
	next.CellID = ""
	next.Epoch = d.nextEpoch(v)
	next.Steal = next.Steal || steal
	d.putVolume(&next)
}

// passage is how an instance goes to another cell.
type passage struct {
	leave   bool // its fixed volumes stay behind and end
	after   model.StartedAfter
	steal   bool
	because string
}

// move takes an instance that does not run to another cell.
func (d *draft) move(inst *model.Instance, p passage) (why string) {
	f, from := d.index(), inst.CellID
	f.Leave(f.app(d.app.GUID), inst.Index)
	old := d.volumesOf(inst)
	if p.leave {
		for _, v := range old {
			if !v.Floating {
				f.Leave(f.set(v.SetGUID), v.Index)
			}
		}
	}
	next := edit(inst)
	if permit := d.ledger.Permit(inst.Index); permit != nil && permit.Holder == model.UpdateHolder(d.app.GUID) {
		next.Spec, next.SpecVersion = d.app.Spec, d.app.SpecVersion
	}
	b, why := d.find(wish{index: inst.Index, spec: &next.Spec, held: d.have(&next.Spec, inst.Index, p.leave), avoid: from})
	if why == "" {
		why = d.settle(next, b, p.after, p.steal)
	}
	if why != "" {
		return why
	}
	if p.leave {
		for _, v := range old {
			if !v.Floating && !v.Ending {
				d.end(v)
				d.tellVolume(model.EventVolumeEnding, v, "on %s may go: its instance was drained", v.CellID)
			}
		}
	}
	if p.steal {
		d.rely(from)
	}
	d.tell(model.EventInstanceMoved, inst.Index, b.cell, "moves from %s to %s: %s%s", from, b.cell, p.because, gaveWay(b.broken))
	return ""
}

// settleSteal takes the right to steal from a volume once its cell holds it.
func (d *draft) settleSteal(inst *model.Instance) {
	for _, v := range d.volumesOf(inst) {
		if !v.Steal || v.Ending {
			continue
		}
		for _, actual := range d.snap.ActualVolumesOf(v.GUID) {
			if actual.CellID == v.CellID && actual.State == model.VolumeAttached && actual.Epoch == v.Epoch {
				held := *v
				held.Steal = false
				d.putVolume(&held)
			}
		}
	}
}
