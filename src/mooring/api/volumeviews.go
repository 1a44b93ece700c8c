package api

import (
	"cmp"
	"slices"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

func setViews(snap *state.Snapshot) []client.VolumeSetView {
	views := []client.VolumeSetView{}
	for _, set := range snap.VolumeSets() {
		views = append(views, *setView(snap, set))
	}
	slices.SortFunc(views, func(a, b client.VolumeSetView) int { return cmp.Compare(a.Name.String(), b.Name.String()) })
	return views
}

func setView(snap *state.Snapshot, set *model.VolumeSet) *client.VolumeSetView {
	view := &client.VolumeSetView{VolumeSet: *set}
	if app := mountedBy(snap, set); app != nil {
		view.App = app.Name.String()
	}
	for _, volume := range snap.VolumesOf(set.GUID) {
		view.Volumes = append(view.Volumes, volumeView(snap, volume))
	}
	return view
}

func allVolumeViews(snap *state.Snapshot) []client.VolumeView {
	views := []client.VolumeView{}
	for _, volume := range snap.Volumes() {
		views = append(views, volumeView(snap, volume))
	}
	sortVolumes(views)
	return views
}

func sortVolumes(views []client.VolumeView) {
	slices.SortFunc(views, func(a, b client.VolumeView) int {
		return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Index, b.Index), cmp.Compare(a.GUID, b.GUID))
	})
}

// volumeView joins a volume with what cells say of it: the one that has it
// attached before the one where it is to be.
func volumeView(snap *state.Snapshot, volume *model.Volume) client.VolumeView {
	view := client.VolumeView{Volume: *volume}
	if set := snap.VolumeSet(volume.SetGUID); set != nil {
		view.Set = set.Name.String()
		if app := mountedBy(snap, set); app != nil {
			view.App = app.Name.String()
		}
	}
	for _, actual := range snap.ActualVolumesOf(volume.GUID) {
		attached := actual.State == model.VolumeAttached
		if attached {
			view.HeldBy = actual.CellID
		}
		if attached || view.HeldBy == "" && (view.State == "" || actual.CellID == volume.CellID) {
			view.State, view.Used, view.Error = actual.State, actual.Used, actual.Error
		}
	}
	return view
}
