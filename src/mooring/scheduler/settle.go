package scheduler

import (
	"cmp"
	"fmt"
	"slices"

	"mooring/model"
	"mooring/placement"
)

// settle gives an instance, a copy that may be changed, the place that was
// found for it. steal lets its floating volumes be taken from a cell that is
// fenced or gone. why says that there are no ports, and then nothing is
// changed.
func (d *draft) settle(inst *model.Instance, b *berth, after model.StartedAfter, steal bool) (why string) {
	var keep []int
	if inst.CellID == b.cell {
		keep = inst.Ports
	}
	ports, why := d.index().takePorts(b.cell, d.app.GUID, inst.Index, len(inst.Spec.PortNames()), keep)
	if why != "" {
		return why
	}
	if inst.CellID != b.cell {
		inst.GUID, inst.CellID = d.guid("instance", d.app.GUID, inst.Index), b.cell
		inst.GaveWay = b.broken.String()
		d.rely(b.cell)
	}
	inst.Ports, inst.StartedAfter, inst.Unplaced, inst.Next = ports, after, "", nil
	inst.Volumes = nil
	for _, v := range b.empty {
		d.end(v)
	}
	for _, v := range b.volumes {
		if d.byGUID[v.GUID] == nil || d.byGUID[v.GUID].Unplaced != "" {
			v.GaveWay = b.broken.String()
			d.tellVolume(model.EventVolumePlaced, v, "%s%s", homeOf(v), gaveWay(b.broken))
		}
		if v.Floating && v.CellID != b.cell {
			v.CellID = b.cell
			v.Epoch = d.nextEpoch(v)
			v.Steal = v.Steal || steal
		}
		inst.Volumes = append(inst.Volumes, v.GUID)
		d.putVolume(v)
	}
	d.put(inst)
	return ""
}

// homeOf says where a volume was placed.
func homeOf(v *model.Volume) string {
	if v.Floating {
		return "is in " + v.AZ
	}
	return "is on " + v.CellID
}

// place finds a place for an instance that has none and tells of it; what it
// is told is inst.StartedAfter. It takes the app's newest spec: no process
// runs that could notice. why says why it has to wait.
func (d *draft) place(inst *model.Instance) (why string) {
	inst = edit(inst)
	inst.Spec, inst.SpecVersion = d.app.Spec, d.app.SpecVersion
	d.endLost(inst)
	b, why := d.find(wish{index: inst.Index, spec: &inst.Spec, held: d.have(&inst.Spec, inst.Index, false)})
	if why == "" {
		why = d.settle(inst, b, inst.StartedAfter, false)
	}
	if why != "" {
		d.put(inst)
		d.wait(inst.Index, &inst.Spec, why)
		return why
	}
	d.tell(model.EventInstancePlaced, inst.Index, b.cell, "is placed on %s%s", b.cell, gaveWay(b.broken))
	return ""
}

// endLost gives up the fixed volumes of an index that were on lost cells.
func (d *draft) endLost(inst *model.Instance) {
	gone := d.volumesOf(inst)
	for _, v := range d.have(&inst.Spec, inst.Index, false) {
		gone = append(gone, v)
	}
	slices.SortFunc(gone, func(a, b *model.Volume) int { return cmp.Compare(a.GUID, b.GUID) })
	for _, v := range gone {
		if !v.Floating && d.lost(v.CellID) && !d.byGUID[v.GUID].Ending {
			d.tellVolume(model.EventVolumeLost, v, "is lost with %s", v.CellID)
			d.end(v)
		}
	}
}

// wait notes on the volumes that an instance waits for why they have no place.
func (d *draft) wait(index int, spec *model.RunSpec, why string) {
	sets, bad := d.setsOf(d.app, spec)
	if bad != "" {
		return
	}
	for _, set := range sets {
		v := d.volumes[slot{set.GUID, index}]
		switch {
		case v == nil:
			v = d.newVolume(set, index)
		case v.CellID != "" || v.AZ != "":
			continue
		default:
			waiting := *v
			v = &waiting
		}
		v.Unplaced = why
		d.putVolume(v)
	}
}

// gaveWay is the end of a sentence about a placement that could not keep every
// soft constraint.
func gaveWay(broken placement.Soft) string {
	if broken == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s)", broken)
}

// say writes why an instance is not where it should be on it, or that it is,
// and tells when that is news.
func (d *draft) say(index int, why string) {
	inst := d.instances[index]
	if inst == nil || inst.Unplaced == why {
		return
	}
	next := edit(inst)
	next.Unplaced = why
	d.put(next)
	switch before := d.snap.Instance(d.app.GUID, index); {
	case why == "" || before != nil && before.Unplaced == why:
	case next.CellID == "":
		d.tell(model.EventInstanceUnplaced, index, "", "finds no place: %s", why)
	default:
		d.tell(model.EventInstanceHeld, index, next.CellID, "is held on %s: %s", next.CellID, why)
	}
}
