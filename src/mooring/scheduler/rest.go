package scheduler

import (
	"mooring/model"
)

// atRest reports whether an app is where it should be, so that there is
// nothing to decide. It is the common case and looks at each instance once;
// whatever it is not sure of is left to the draft.
func (r *round) atRest(app *model.App, sets []*model.VolumeSet) bool {
	if app.Deleting || len(r.snap.Ledger(app.GUID).Permits) > 0 ||
		r.snap.Claim(model.ScaleHolder(app.GUID)) != nil || r.snap.Claim(model.UpdateHolder(app.GUID)) != nil {
		return false
	}
	instances := r.snap.InstancesOf(app.GUID)
	if len(instances) != app.Instances {
		return false
	}
	for i, inst := range instances {
		if inst.Index != i || inst.Removing || inst.Next != nil || inst.Unplaced != "" ||
			inst.SpecVersion != app.SpecVersion || !r.calm(inst.CellID) {
			return false
		}
	}
	for _, set := range sets {
		if !set.Floating {
			continue
		}
		for _, v := range r.snap.VolumesOf(set.GUID) {
			if v.Steal || r.outranked(v) {
				return false
			}
		}
	}
	return true
}

// calm reports whether a cell is present and nobody is to leave it.
func (r *round) calm(cellID string) bool {
	calm, known := r.calmCells[cellID]
	if !known {
		cordon := r.snap.Cordon(cellID)
		calm = r.snap.Present(cellID) && (cordon == nil || !cordon.Evacuate)
		r.calmCells[cellID] = calm
	}
	return calm
}
