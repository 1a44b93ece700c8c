package orchestrator

import (
	"fmt"
	"time"

	"mooring/model"
)

// schedule does what the scheduler does after disruptions: replace, move,
// place anew, scale down.
func (w *world) schedule() (busy bool, due time.Time) {
	for _, inst := range w.snap.Instances() {
		busy = w.scheduleOne(inst) || busy
	}
	for _, app := range w.snap.Apps() {
		busy = w.scaleDown(app) || busy
	}
	return busy, due
}

func (w *world) scheduleOne(inst *model.Instance) bool {
	permit := w.snap.Ledger(inst.AppGUID).Permit(inst.Index)
	yielded := permit != nil && stopped(permit) && permit.Want == model.WantOut && permit.CellID == inst.CellID
	cell := w.snap.Cell(inst.CellID)
	gone := cell == nil || cell.Lost
	volume := w.volumeOf(inst)
	switch {
	case volume == nil && inst.Next != nil:
		actual := w.snap.ActualInstance(inst.AppGUID, inst.Index, inst.Next.CellID)
		switch {
		case actual != nil && actual.State == model.Serving && actual.GUID == inst.Next.GUID:
			next := *inst
			next.Placement, next.Next = *inst.Next, nil
			w.put(&next)
			return true
		case !w.snap.Present(inst.Next.CellID):
			next := *inst
			next.Next = nil
			w.put(&next)
			return true
		}
	case volume == nil && (gone || !w.snap.Present(inst.CellID)):
		return w.place(inst, nil)
	case volume == nil && !yielded:
		if cordon := w.snap.Cordon(inst.CellID); cordon != nil && cordon.Evacuate {
			if target := w.target(inst, nil); target != "" {
				next := *inst
				next.Next = &model.Placement{GUID: w.newGUID(inst), CellID: target}
				w.put(&next)
				return true
			}
		}
	case volume == nil:
	case gone, yielded && permit.Kind == model.Drain, yielded && permit.Move:
		return w.place(inst, volume)
	case volume.Floating && !w.snap.Present(inst.CellID) && (permit == nil || permit.Move):
		return w.place(inst, volume) // its cell has fenced itself
	}
	return false
}

// place moves an instance, with its volume or to a new one, where there is
// room.
func (w *world) place(inst *model.Instance, volume *model.Volume) bool {
	target := w.target(inst, volume)
	if target == "" {
		return false
	}
	next := *inst
	next.Placement = model.Placement{GUID: w.newGUID(inst), CellID: target}
	tx := w.snap.Txn()
	if volume != nil {
		moved := *volume
		moved.CellID = target
		if volume.Floating {
			moved.Epoch++
		} else {
			tx.Delete(volume)
			moved.GUID = fmt.Sprintf("%s-vol-%d-%d", inst.AppGUID, inst.Index, w.snap.Revision())
			moved.AZ = w.snap.Cell(target).AZ
			next.Volumes = []string{moved.GUID}
			tx.Put(&model.ActualVolume{GUID: moved.GUID, CellID: target, State: model.VolumeReady})
			if inst.CellID == target || inst.CellID == "" {
				w.violations = append(w.violations, "a drained instance was placed where it was")
			}
			w.checkDataMoved(inst, volume)
		}
		tx.Put(&moved)
	}
	tx.Put(&next)
	w.write(tx)
	return true
}

func (w *world) volumeOf(inst *model.Instance) *model.Volume {
	if len(inst.Volumes) == 0 {
		return nil
	}
	return w.snap.Volume(inst.Volumes[0])
}

func (w *world) newGUID(inst *model.Instance) string {
	return fmt.Sprintf("%s-%d-%d", inst.AppGUID, inst.Index, w.snap.Revision())
}

// target gives the cell with the fewest instances that may take the instance.
func (w *world) target(inst *model.Instance, volume *model.Volume) string {
	if w.full {
		return ""
	}
	best, fewest, leaving := "", 0, w.snap.Leaving()
	for _, cell := range w.snap.Cells() {
		if cell.ID == inst.CellID || !w.snap.Present(cell.ID) || w.snap.Cordon(cell.ID) != nil || leaving[cell.ID] != "" {
			continue
		}
		if volume != nil && volume.Floating && volume.AZ != cell.AZ {
			continue
		}
		n := 0
		for _, other := range w.snap.InstancesOn(cell.ID) {
			if n++; other.AppGUID == inst.AppGUID {
				n += 100 // apart from its own kind while that is possible
			}
		}
		if best == "" || n < fewest {
			best, fewest = cell.ID, n
		}
	}
	return best
}
