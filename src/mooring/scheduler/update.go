package scheduler

import (
	"fmt"

	"mooring/model"
)

// update gives an instance that has stopped for it the app's newest spec, and
// lets it run again. A spec for which there is no room is left for later.
func (d *draft) update(inst *model.Instance) (why string) {
	if inst.SpecVersion >= d.app.SpecVersion {
		d.wantBack(inst.Index)
		return ""
	}
	next := edit(inst)
	next.Spec, next.SpecVersion = d.app.Spec, d.app.SpecVersion
	if d.stays(inst) {
		ports, short := d.index().takePorts(inst.CellID, d.app.GUID, inst.Index, len(next.Spec.PortNames()), inst.Ports)
		if why = short; why == "" {
			next.Ports, next.Unplaced = ports, ""
			d.index().Reserve(d.index().Cell(inst.CellID), d.growth(inst), noDisk)
			d.put(next)
		}
	} else {
		b, none := d.rehouse(inst)
		if why = none; why == "" {
			why = d.settle(next, b, model.AfterInterrupt, false)
		}
	}
	d.wantBack(inst.Index)
	if why != "" {
		return fmt.Sprintf("version %d does not fit: %s", d.app.SpecVersion, why)
	}
	d.tell(model.EventInstanceUpdated, inst.Index, next.CellID, "is updated from version %d to %d on %s", inst.SpecVersion, next.SpecVersion, next.CellID)
	return ""
}

// stays reports whether an instance can take the app's newest spec where it
// is, with the volumes it has.
func (d *draft) stays(inst *model.Instance) bool {
	sets, why := d.setsOf(d.app, &d.app.Spec)
	if why != "" || len(sets) != len(inst.Volumes) {
		return false
	}
	for i, set := range sets {
		if v := d.byGUID[inst.Volumes[i]]; v == nil || v.SetGUID != set.GUID {
			return false
		}
	}
	if !d.fixed(inst) && model.Pooled(d.app.Spec.Pool) != model.Pooled(inst.Spec.Pool) {
		return false
	}
	grows := d.growth(inst)
	return grows == 0 || d.index().Free(d.index().Cell(inst.CellID)) >= grows
}

// growth gives how much more memory the newest spec takes than the instance
// does, beyond what is reserved beside its volumes.
func (d *draft) growth(inst *model.Instance) model.Size {
	reserved := model.Size(0)
	for _, v := range d.volumesOf(inst) {
		if set := d.snap.VolumeSet(v.SetGUID); set != nil && (!v.Floating || !d.fixed(inst)) {
			reserved = max(reserved, set.ReserveMemory)
		}
	}
	return max(d.app.Spec.Memory-max(inst.Spec.Memory, reserved), 0)
}

// rehouse looks for a place for the newest spec of an instance that cannot
// stay as it is.
func (d *draft) rehouse(inst *model.Instance) (*berth, string) {
	f := d.index()
	f.Leave(f.app(d.app.GUID), inst.Index)
	return d.find(wish{index: inst.Index, spec: &d.app.Spec, held: d.have(&d.app.Spec, inst.Index, false)})
}

// nextUpdate chooses the instance to update next; nil when none can be. One
// that is crashed costs nothing and may be what the update is to mend, so it
// comes first; then the one already asked for; then the lowest index.
func (d *draft) nextUpdate(asked *model.Claim) *model.Demand {
	var best *model.Demand
	bestRank := 3
	for _, index := range d.indexes() {
		inst := d.instances[index]
		if !d.outdated(inst) {
			continue
		}
		rank := 2
		if asked != nil && len(asked.Demands) == 1 && asked.Demands[0].Index == index {
			rank = 1
		}
		if m := d.crew.Member(index); m != nil && m.Crashed {
			rank = 0
		}
		if rank < bestRank {
			best, bestRank = &model.Demand{AppGUID: d.app.GUID, Index: index, Kind: model.Interrupt}, rank
		}
	}
	return best
}

// outdated reports whether an instance is to be updated and can be asked.
func (d *draft) outdated(inst *model.Instance) bool {
	if inst.SpecVersion >= d.app.SpecVersion || inst.Index >= d.app.Instances || inst.Removing ||
		inst.Next != nil || !d.snap.Present(inst.CellID) {
		return false
	}
	if permit := d.ledger.Permit(inst.Index); permit != nil {
		// An update that came up crashed is taken over by the next one.
		m := d.crew.Member(inst.Index)
		return permit.Holder == model.UpdateHolder(d.app.GUID) && permit.Want == model.WantBack && m != nil && m.Crashed
	}
	return d.canUpdate(inst)
}

// canUpdate reports whether there is room for the newest spec; it says on the
// instance when there is not.
func (d *draft) canUpdate(inst *model.Instance) bool {
	why := ""
	if !d.stays(inst) {
		_, why = d.rehouse(inst)
	}
	if why == "" {
		return true
	}
	d.say(inst.Index, fmt.Sprintf("version %d does not fit: %s", d.app.SpecVersion, why))
	return false
}
