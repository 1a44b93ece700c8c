package scheduler

import (
	"mooring/model"
	"mooring/placement"
)

// replaceFirst takes an instance without volumes off a cell that is evacuated:
// its replacement serves before it stops.
func (d *draft) replaceFirst(inst *model.Instance, permit *model.Permit) (why string) {
	if next := inst.Next; next != nil {
		cordon := d.snap.Cordon(inst.CellID)
		switch {
		case d.servesOn(inst, *next):
			d.promote(inst)
			return ""
		case cordon != nil && cordon.Evacuate && d.isOpen(next.CellID):
			return ""
		}
		// The cell is in service again, or that of the replacement is not.
		d.drop(inst)
		inst = d.instances[inst.Index]
	}
	cordon := d.snap.Cordon(inst.CellID)
	if cordon == nil || !cordon.Evacuate || permit != nil && permit.Want == model.WantOut {
		return ""
	}
	f := d.index()
	f.Leave(f.app(d.app.GUID), inst.Index)
	result, err := f.Place(placement.Request{
		Group: f.app(d.app.GUID), Index: inst.Index, Pool: inst.Spec.Pool, Memory: inst.Spec.Memory, Avoid: f.Cell(inst.CellID),
	})
	if err != nil {
		return refusal(err)
	}
	cell := f.At(result.Cell).ID
	ports, why := f.takePorts(cell, d.app.GUID, inst.Index, len(inst.Spec.PortNames()), nil)
	if why != "" {
		return why
	}
	next := edit(inst)
	next.Next = &model.Placement{GUID: d.guid("instance", d.app.GUID, inst.Index), CellID: cell, Ports: ports, GaveWay: result.Broken.String()}
	d.put(next)
	d.rely(cell)
	d.tell(model.EventInstanceReplacing, inst.Index, cell, "is started on %s before it stops on %s%s", cell, inst.CellID, gaveWay(result.Broken))
	return ""
}

// servesOn reports whether a cell says that the instance serves in a place.
func (d *draft) servesOn(inst *model.Instance, place model.Placement) bool {
	actual := d.snap.ActualInstance(d.app.GUID, inst.Index, place.CellID)
	return actual != nil && d.snap.Present(place.CellID) && actual.State == model.Serving && actual.GUID == place.GUID
}

// promote makes the replacement the instance; the old one stops, being in its
// cell's work no more.
func (d *draft) promote(inst *model.Instance) {
	next := edit(inst)
	next.Placement, next.Next, next.StartedAfter = *inst.Next, nil, model.AfterNew
	d.put(next)
	d.tell(model.EventInstanceMoved, inst.Index, next.CellID, "moves from %s to %s: its replacement runs there", inst.CellID, next.CellID)
}

// drop gives a replacement up.
func (d *draft) drop(inst *model.Instance) {
	next := edit(inst)
	next.Next = nil
	d.put(next)
	d.tell(model.EventInstanceKept, inst.Index, inst.CellID, "stays on %s; it is not replaced on %s", inst.CellID, inst.Next.CellID)
}
