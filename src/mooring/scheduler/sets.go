package scheduler

import (
	"fmt"
	"slices"

	"mooring/model"
	"mooring/placement"
	"mooring/state"
)

// tendSet does what a volume set needs that no app mounts.
func (r *round) tendSet(set *model.VolumeSet) {
	tx := r.snap.Txn()
	used := r.usedVolumes(set)
	live := map[int]*model.Volume{}
	all := r.snap.VolumesOf(set.GUID)
	for _, v := range all {
		switch {
		case v.Ending || slices.Contains(used, v.GUID):
		case set.Deleting || v.Index >= set.Count:
			r.endVolume(tx, v)
		case !v.Floating && r.lost(v.CellID):
			gone := *v
			gone.Ending = true
			tx.Put(&gone)
			tx.Event(r.volumeEvent("volume.lost", v, "is lost with "+v.CellID))
		default:
			live[v.Index] = v
		}
	}
	if set.Deleting {
		if len(all) == 0 {
			tx.Delete(set)
			tx.Event(r.event("volume-set.deleted", "volume set "+set.Name.String()+" is deleted", ""))
		}
		r.add(tx)
		return
	}
	for index, placed := 0, 0; index < set.Count && placed < maxWrites; index++ {
		v := live[index]
		if v == nil {
			v = r.newVolume(set, index)
		}
		if v.CellID == "" && v.AZ == "" {
			placed++
			r.placeVolume(tx, set, v)
		}
	}
	r.add(tx)
}

// usedVolumes lists the volumes of a set that instances of its app still have,
// though the app mounts it no more.
func (r *round) usedVolumes(set *model.VolumeSet) []string {
	var used []string
	for _, inst := range r.snap.InstancesOf(set.AppGUID) {
		used = append(used, inst.Volumes...)
	}
	return used
}

// placeVolume finds a place for a volume of a set that no app mounts.
func (r *round) placeVolume(tx *state.Txn, set *model.VolumeSet, old *model.Volume) {
	f := r.index()
	request := placement.Request{
		Group: f.set(set.GUID), Index: old.Index, Pool: set.Pool, Memory: set.ReserveMemory,
		Disks: []placement.Disk{{Class: set.Class, Size: set.Size}}, Domains: !set.Floating,
	}
	place := f.Place
	if set.Floating {
		place = f.PlaceAZ
	}
	v := *old
	result, err := place(request)
	if err != nil {
		if v.Unplaced = refusal(err); v.Unplaced == old.Unplaced {
			return
		}
		tx.Put(&v)
		tx.Event(r.volumeEvent("volume.unplaced", &v, "finds no place: "+v.Unplaced))
		return
	}
	v.AZ, v.Unplaced = result.AZ, ""
	if !set.Floating {
		v.CellID = f.At(result.Cell).ID
		rely(tx, v.CellID)
	}
	tx.Put(&v)
	tx.Event(r.volumeEvent("volume.placed", &v, homeOf(&v)+gaveWay(result.Broken)))
}

// endVolume gives up a volume that nobody uses. Its cell deletes the data, so
// it ends once its cell knows of it; one that floats is given to a cell first.
func (r *round) endVolume(tx *state.Txn, v *model.Volume) {
	if v.CellID == "" && !v.Mounted {
		tx.Delete(v) // nobody ever made it
		return
	}
	next := *v
	if v.Floating && !r.snap.Present(v.CellID) {
		if next.CellID = r.anyCell(v); next.CellID == "" {
			return
		}
		next.Epoch++
		next.Steal = true
		tx.Put(&next)
		return
	}
	if r.snap.Present(v.CellID) && !r.reported(v) {
		return
	}
	next.Ending = true
	tx.Put(&next)
	tx.Event(r.volumeEvent("volume.ending", v, "is deleted"))
}

// anyCell gives a present cell that reaches a floating volume, "" for none.
func (r *round) anyCell(v *model.Volume) string {
	for _, cell := range r.snap.Cells() {
		if _, has := cell.Class(v.Class); has && cell.AZ == v.AZ && r.snap.Present(cell.ID) {
			return cell.ID
		}
	}
	return ""
}

// reported reports whether a volume's cell says that it is there.
func (r *round) reported(v *model.Volume) bool {
	return slices.ContainsFunc(r.snap.ActualVolumesOf(v.GUID), func(a *model.ActualVolume) bool { return a.CellID == v.CellID })
}

// clearEnded deletes the records of volumes whose data is gone.
func (r *round) clearEnded(set *model.VolumeSet) {
	tx := r.snap.Txn()
	for _, v := range r.snap.VolumesOf(set.GUID) {
		if !v.Ending {
			continue
		}
		switch cell := r.snap.Cell(v.CellID); {
		case cell == nil || cell.Lost:
			text := "is gone"
			if v.Floating {
				text = fmt.Sprintf("is given up, but its data was not deleted: cell %s is gone", v.CellID)
			}
			tx.Delete(v)
			tx.Event(r.volumeEvent("volume.deleted", v, text))
		case r.snap.Present(v.CellID) && !r.reported(v):
			tx.Delete(v)
			tx.Event(r.volumeEvent("volume.deleted", v, "is gone"))
		}
	}
	r.add(tx)
}
