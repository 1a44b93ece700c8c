package orchestrator

import (
	"slices"

	"mooring/model"
)

// scaleDown does what the scheduler does with an app that has more instances
// than it should: the highest index asks for leave to be drained, and is
// removed once it has yielded.
func (w *world) scaleDown(app *model.App) bool {
	holder := model.ScaleHolder(app.GUID)
	instances := w.snap.InstancesOf(app.GUID)
	inst := instances[len(instances)-1]
	if inst.Index < app.Instances {
		return false
	}
	ledger := w.snap.Ledger(app.GUID)
	if permit := ledger.Permit(inst.Index); permit != nil {
		if permit.Holder != holder || !stopped(permit) {
			return false
		}
		left := *ledger
		left.Permits = slices.DeleteFunc(slices.Clone(left.Permits), func(p model.Permit) bool { return p.Index == inst.Index })
		tx := w.snap.Txn()
		tx.Put(&left)
		if volume := w.volumeOf(inst); volume != nil {
			tx.Delete(volume)
		}
		tx.Delete(inst)
		tx.Event(model.Event{Kind: "instance.removed", Text: model.InstanceName(app.Name, inst.Index) + " is removed"})
		w.write(tx)
		return true
	}
	if w.snap.Claim(holder) == nil {
		w.put(&model.Claim{Holder: holder, Reason: model.ReasonScale, CellID: inst.CellID, Since: w.snap.Revision(), At: w.now,
			Demands: []model.Demand{{AppGUID: app.GUID, Index: inst.Index, Kind: model.Drain}}})
		return true
	}
	granted, _ := w.snap.Grant(holder, w.now)
	if granted == nil {
		return false
	}
	w.write(granted)
	return true
}
