package scheduler

import (
	"fmt"
	"hash/fnv"

	"mooring/model"
	"mooring/placement"
)

// fleet is the placement index of a snapshot, kept up with what the round has
// decided so far. Room that will become free is not counted on before it is.
type fleet struct {
	*placement.Index
	r     *round
	sets  map[string]placement.GroupNo // by volume set GUID
	apps  map[string]placement.GroupNo // by app GUID
	ports map[string]*placement.Ports  // by cell, filled when first asked for
	// reserves is the memory kept beside each volume of a set, by its GUID.
	reserves map[string]model.Size
	// beside is the memory of what runs on a fixed volume, by the volume's GUID.
	beside map[string]model.Size
}

// index builds the fleet when it is first needed: most rounds place nothing.
func (r *round) index() *fleet {
	if r.fleet != nil {
		return r.fleet
	}
	var cells []placement.Cell
	for _, cell := range r.snap.Cells() {
		c := placement.Cell{
			ID: cell.ID, AZ: cell.AZ, Pool: cell.Pool, Seat: seatOf(cell),
			Memory: cell.Memory, Classes: cell.Classes, Closed: r.closed(cell),
		}
		if seat, assigned := r.seats[cell.ID]; assigned {
			c.Seat = seat
		}
		cells = append(cells, c)
	}
	f := &fleet{
		Index: placement.New(cells), r: r, sets: map[string]placement.GroupNo{},
		apps: map[string]placement.GroupNo{}, ports: map[string]*placement.Ports{}, beside: map[string]model.Size{}, reserves: map[string]model.Size{},
	}
	r.fleet = f
	f.fill()
	return f
}

// closed gives why a cell takes no new work.
func (r *round) closed(cell *model.Cell) placement.Closed {
	switch {
	case cell.Lost:
		return placement.Lost
	case !r.snap.Present(cell.ID):
		return placement.Absent
	case r.snap.Cordon(cell.ID) != nil:
		return placement.Cordoned
	case r.isLeaving(cell.ID):
		return placement.Leaving
	}
	return placement.Open
}

// isLeaving reports whether a cell leaves for good as soon as it can.
func (r *round) isLeaving(cellID string) bool {
	if r.leaving == nil {
		r.leaving = r.snap.Leaving()
	}
	return r.leaving[cellID] != ""
}

// isOpen reports whether a cell takes new work.
func (r *round) isOpen(cellID string) bool {
	cell := r.snap.Cell(cellID)
	return cell != nil && r.closed(cell) == placement.Open
}

// fill puts what is placed where it is.
func (f *fleet) fill() {
	all := f.r.snap.Volumes()
	volumes := make(map[string]*model.Volume, len(all))
	for _, v := range all {
		volumes[v.GUID] = v
	}
	for _, set := range f.r.snap.VolumeSets() {
		f.reserves[set.GUID] = set.ReserveMemory
	}
	instances := f.r.snap.Instances()
	for _, inst := range instances {
		for _, guid := range inst.Volumes {
			if v := volumes[guid]; v != nil && !v.Floating && v.CellID == inst.CellID && inst.CellID != "" {
				f.beside[guid] = inst.Spec.Memory
				break
			}
		}
	}
	ending := f.Group("ending")
	for i, v := range all {
		disk := placement.Disk{Class: v.Class, Size: v.Size}
		cell := f.Cell(v.CellID)
		switch {
		case v.Floating && v.Ending:
			f.PutAZ(ending, i, v.AZ, disk)
		case v.Floating && v.AZ != "":
			f.PutAZ(f.set(v.SetGUID), v.Index, v.AZ, disk)
		case cell == 0:
		case v.Ending:
			f.Reserve(cell, 0, disk)
		default:
			// What runs on the volume takes the memory that is reserved beside
			// it, and more only if it needs more.
			f.Put(f.set(v.SetGUID), v.Index, cell, max(f.reserves[v.SetGUID], f.beside[v.GUID]), disk)
		}
	}
	for _, inst := range instances {
		f.putInstance(inst, volumes)
	}
}

// putInstance puts an instance that is on no fixed volume where it is.
func (f *fleet) putInstance(inst *model.Instance, volumes map[string]*model.Volume) {
	memory := inst.Spec.Memory
	for _, guid := range inst.Volumes {
		if _, fixed := f.beside[guid]; fixed {
			return
		}
		if v := volumes[guid]; v != nil {
			memory = max(memory, f.reserves[v.SetGUID])
		}
	}
	cell := f.Cell(inst.CellID)
	if cell == 0 {
		return
	}
	if next := inst.Next; next != nil && f.Cell(next.CellID) != 0 {
		f.Reserve(cell, memory, placement.Disk{})
		cell = f.Cell(next.CellID)
	}
	f.Put(f.app(inst.AppGUID), inst.Index, cell, memory, placement.Disk{})
}

// set gives the group of a volume set.
func (f *fleet) set(guid string) placement.GroupNo {
	if g, known := f.sets[guid]; known {
		return g
	}
	name := guid
	if set := f.r.snap.VolumeSet(guid); set != nil {
		name = set.Name.Name
	}
	f.sets[guid] = f.Group(name)
	return f.sets[guid]
}

// app gives the group of an app's instances that are on no fixed volume.
func (f *fleet) app(guid string) placement.GroupNo {
	if g, known := f.apps[guid]; known {
		return g
	}
	name := guid
	if app := f.r.snap.App(guid); app != nil {
		name = app.Name.Name
	}
	f.apps[guid] = f.Group(name)
	return f.apps[guid]
}

// takePorts takes n free ports on a cell; why says that there are too few.
// keep are ports that the instance has there already, the first n of which
// stay.
func (f *fleet) takePorts(cellID, appGUID string, index, n int, keep []int) (ports []int, why string) {
	free := f.portsOf(cellID)
	ports = append(ports, keep[:min(n, len(keep))]...)
	for len(ports) < n {
		// The place in the range is the instance's own, so that what was just
		// given up by another is rarely taken.
		h := fnv.New32a()
		fmt.Fprintf(h, "%s/%d/%d", appGUID, index, len(ports))
		port := free.Take(h.Sum32())
		if port == 0 {
			return nil, fmt.Sprintf("cell %s has fewer than %d free ports", cellID, n)
		}
		ports = append(ports, port)
	}
	return ports, ""
}

func (f *fleet) portsOf(cellID string) *placement.Ports {
	if p, known := f.ports[cellID]; known {
		return p
	}
	cell := f.r.snap.Cell(cellID)
	p := placement.NewPorts(cell.PortMin, cell.PortMax)
	for _, inst := range f.r.snap.InstancesOn(cellID) {
		for _, place := range places(inst) {
			if place.CellID == cellID {
				for _, port := range place.Ports {
					p.Use(port)
				}
			}
		}
	}
	f.ports[cellID] = p
	return p
}

// places gives where an instance is, and where its replacement is.
func places(inst *model.Instance) []model.Placement {
	if inst.Next != nil {
		return []model.Placement{inst.Placement, *inst.Next}
	}
	return []model.Placement{inst.Placement}
}
