package scheduler

import (
	"slices"
	"time"

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
		case set.Deleting || v.Index >= set.Count && !v.Mounted:
			r.endVolume(tx, v)
		case !v.Floating && r.lost(v.CellID):
			tx.Put(r.ended(v))
			tx.Event(r.volumeEvent(model.EventVolumeLost, v, "is lost with "+v.CellID))
		default:
			live[v.Index] = v
		}
	}
	if set.Deleting {
		if len(all) == 0 {
			tx.Delete(set)
			tx.Event(r.event(model.EventVolumeSetDeleted, "volume set "+set.Name.String()+" is deleted", ""))
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
		Disks: []placement.Disk{{Class: set.Class, Size: set.Size}}, Domains: !set.Floating, Of: set.Count,
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
		tx.Event(r.volumeEvent(model.EventVolumeUnplaced, &v, "finds no place: "+v.Unplaced))
		return
	}
	v.AZ, v.Unplaced, v.GaveWay = result.AZ, "", result.Broken.String()
	if !set.Floating {
		v.CellID = f.At(result.Cell).ID
		rely(tx, v.CellID)
	}
	tx.Put(&v)
	tx.Event(r.volumeEvent(model.EventVolumePlaced, &v, homeOf(&v)+gaveWay(result.Broken)))
}

// endVolume gives up a volume that nobody uses. Its cell deletes the data, so
// it ends once its cell knows of it; one that floats is given to a cell first.
func (r *round) endVolume(tx *state.Txn, v *model.Volume) {
	if v.CellID == "" && !v.Mounted {
		tx.Delete(v) // nobody ever made it
		return
	}
	if v.Floating && !r.snap.Present(v.CellID) {
		if heir := r.handOver(v); heir != nil {
			tx.Put(heir)
		}
		return
	}
	if r.snap.Present(v.CellID) && !r.reported(v) {
		return
	}
	tx.Put(r.ended(v))
	tx.Event(r.volumeEvent(model.EventVolumeEnding, v, "is deleted"))
}

// handOver gives a floating volume to a present cell of its AZ, whatever else
// runs there, to be deleted by it; nil when there is none.
func (r *round) handOver(v *model.Volume) *model.Volume {
	for _, cell := range r.snap.Cells() {
		if _, has := cell.Class(v.Class); has && cell.AZ == v.AZ && r.snap.Present(cell.ID) {
			next := *v
			next.CellID, next.Steal = cell.ID, true
			next.Epoch = r.nextEpoch(v)
			return &next
		}
	}
	return nil
}

// reported reports whether a volume's cell says that it is there.
func (r *round) reported(v *model.Volume) bool {
	return slices.ContainsFunc(r.snap.ActualVolumesOf(v.GUID), func(a *model.ActualVolume) bool { return a.CellID == v.CellID })
}

// hearsWithin is how long a cell that is present may take to hear of its work
// and to report what came of it.
const hearsWithin = 2 * time.Second

// heard reports whether a cell has had the time to hear that a volume ends, or
// to say what it still has after it registered.
func (r *round) heard(cell *model.Cell, v *model.Volume) bool {
	since := r.snap.Seen(v.EndedAt)
	if registered := r.snap.Seen(cell.RegisteredAt); registered.After(since) {
		since = registered
	}
	return r.reached(since.Add(hearsWithin))
}

// clearEnded deletes the records of volumes whose data is gone.
func (r *round) clearEnded(set *model.VolumeSet) {
	tx := r.snap.Txn()
	for _, v := range r.snap.VolumesOf(set.GUID) {
		if !v.Ending {
			continue
		}
		switch cell := r.snap.Cell(v.CellID); {
		case v.Floating && v.Mounted && (cell == nil || cell.Lost):
			// Its data outlived the cell; another is to delete it.
			if heir := r.handOver(v); heir != nil {
				heir.EndedAt = r.now
				tx.Put(heir)
			}
		case cell == nil, cell.Lost, r.snap.Present(v.CellID) && !r.reported(v) && r.heard(cell, v):
			tx.Delete(v)
			tx.Event(r.volumeEvent(model.EventVolumeDeleted, v, "is gone"))
		}
	}
	r.add(tx)
}
