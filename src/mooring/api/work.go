package api

import (
	"mooring/model"
	"mooring/state"
)

// WorkOf is everything that a cell should be doing by a snapshot. It is pure.
func WorkOf(snap *state.Snapshot, cellID string) *model.Work {
	work := &model.Work{Revision: snap.Revision(), Instances: []model.InstanceWork{}, Volumes: []model.VolumeWork{}}
	for _, inst := range snap.InstancesOn(cellID) {
		app := snap.App(inst.AppGUID)
		if app == nil {
			continue // the app is gone; what is not in the work is stopped
		}
		work.Instances = append(work.Instances, instanceWork(snap, app, inst, cellID))
	}
	for _, volume := range snap.VolumesOn(cellID) {
		item := model.VolumeWork{
			GUID: volume.GUID, Index: volume.Index, Class: volume.Class, Size: volume.Size,
			Epoch: volume.Epoch, Steal: volume.Steal, Delete: volume.Ending,
		}
		if set := snap.VolumeSet(volume.SetGUID); set != nil {
			item.Set = set.Name
		}
		work.Volumes = append(work.Volumes, item)
	}
	return work
}

func instanceWork(snap *state.Snapshot, app *model.App, inst *model.Instance, cellID string) model.InstanceWork {
	// An instance that is being replaced is on two cells: each is told of its
	// own placement.
	place := inst.Placement
	if inst.CellID != cellID {
		place = *inst.Next
	}
	permit := snap.Ledger(app.GUID).Permit(inst.Index)
	out := permit != nil && permit.CellID == cellID && permit.Want == model.WantOut
	work := model.InstanceWork{
		AppGUID: app.GUID, App: app.Name, Index: inst.Index, Instances: app.Instances,
		GUID: place.GUID, Spec: inst.Spec, SpecVersion: inst.SpecVersion, Ports: place.Ports,
		HealthyFor:   app.Policy.HealthyFor,
		StartedAfter: startedAfter(inst, permit, cellID),
		Run:          !inst.Removing && !app.Deleting && !out,
	}
	for i, mount := range inst.Spec.Mounts {
		if i < len(inst.Volumes) {
			work.Mounts = append(work.Mounts, model.MountedWork{VolumeGUID: inst.Volumes[i], Set: mount.VolumeSet, Path: mount.Path})
		}
	}
	if out && inst.CellID == cellID {
		work.Task = task(app, permit)
		work.Task.Peers = peers(snap, app, inst.Index)
	}
	return work
}

// startedAfter is why the process starts if it starts now.
func startedAfter(inst *model.Instance, permit *model.Permit, cellID string) model.StartedAfter {
	switch {
	case permit != nil && (permit.Want == model.WantBack || permit.CellID != cellID):
		if permit.Kind == model.Drain {
			return model.AfterDrain
		}
		return model.AfterInterrupt
	case inst.CellID != cellID:
		return model.AfterNew // a replacement, before the old one stops
	}
	return inst.StartedAfter
}

// task is the disruption that a permit asks of the cell.
func task(app *model.App, permit *model.Permit) *model.Task {
	t := &model.Task{
		PermitID: permit.ID, Kind: permit.Kind, Reason: permit.Reason, Action: permit.Action,
		Force: permit.Force, ExpectedBack: permit.ExpectedBack,
	}
	handler := app.Policy.Handler(permit.Kind)
	if handler == nil || permit.Force {
		return t
	}
	longer := *handler
	// A timeout of 0 is the cell's default; adding to it would shorten it.
	if longer.Timeout > 0 {
		longer.Timeout += permit.Extra
	}
	if longer.ProgressTimeout > 0 {
		longer.ProgressTimeout += permit.Extra
	}
	t.Handler = &longer
	return t
}

// peers are the app's other instances that have a place, by index.
func peers(snap *state.Snapshot, app *model.App, index int) []model.Peer {
	var found []model.Peer
	for _, inst := range snap.InstancesOf(app.GUID) {
		cell := snap.Cell(inst.CellID)
		if inst.Index == index || inst.Removing || cell == nil {
			continue
		}
		peer := model.Peer{Index: inst.Index, Address: cell.Address, CellID: cell.ID, Ports: map[string]int{}}
		for _, port := range portsOf(inst.Spec, inst.Placement) {
			peer.Ports[port.Name] = port.Number
		}
		if actual := snap.ActualInstance(app.GUID, inst.Index, inst.CellID); actual != nil {
			peer.State = actual.State
		}
		found = append(found, peer)
	}
	return found
}
