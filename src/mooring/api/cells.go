package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

func (s *server) cellRoutes(routes huma.API) {
	on(routes, operation(http.MethodGet, "/v1/cells", "list-cells", "List cells", "cells"),
		func(_ context.Context, _ *struct{}) ([]client.CellView, error) {
			snap := s.store.Snapshot()
			views := []client.CellView{}
			for _, cell := range snap.Cells() {
				view := cellView(snap, cell)
				view.Instances, view.Volumes = nil, nil
				views = append(views, *view)
			}
			return views, nil
		})
	on(routes, operation(http.MethodGet, "/v1/cells/{id}", "get-cell", "One cell with what is on it", "cells"),
		func(ctx context.Context, in *CellPath) (*client.CellView, error) {
			snap := s.store.Snapshot()
			cell := snap.Cell(in.ID)
			if cell == nil {
				return nil, notFound("there is no cell %s", in.ID)
			}
			view := cellView(snap, cell)
			for i := range view.Instances {
				app, _ := model.ParseName(view.Instances[i].App, model.Name{}) // it is one
				hideOutput(ctx, app, &view.Instances[i].InstanceView)
			}
			return view, nil
		})
}

// withoutKey is a cell as it may be shown.
func withoutKey(cell *model.Cell) model.Cell {
	shown := *cell
	shown.LogKey = ""
	return shown
}

func cellView(snap *state.Snapshot, cell *model.Cell) *client.CellView {
	view := &client.CellView{Cell: withoutKey(cell), Present: snap.Present(cell.ID), Cordon: snap.Cordon(cell.ID)}
	if roll := snap.RollOn(cell.ID); roll != nil {
		view.Plan, view.Phase = roll.Plan, roll.Phase
	}
	crews := map[string]*lifecycle.Crew{}
	for _, inst := range snap.InstancesOn(cell.ID) {
		view.InstanceCount++
		view.MemoryReserved += inst.Spec.Memory
		if _, taken := crews[inst.AppGUID]; !taken {
			crews[inst.AppGUID] = snap.Crew(inst.AppGUID)
		}
		if crew := crews[inst.AppGUID]; crew != nil {
			view.Instances = append(view.Instances, client.CellInstance{
				App: crew.App.Name.String(), InstanceView: instanceView(snap, crew.App, crew.Member(inst.Index)),
			})
		}
	}
	slices.SortFunc(view.Instances, func(a, b client.CellInstance) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Index, b.Index))
	})
	reserved := map[string]model.Size{}
	for _, volume := range snap.VolumesOn(cell.ID) {
		view.VolumeCount++
		reserved[volume.Class] += volume.Size
		view.Volumes = append(view.Volumes, volumeView(snap, volume))
	}
	sortVolumes(view.Volumes)
	for _, class := range cell.Classes {
		view.Disk = append(view.Disk, client.ClassView{Name: class.Name, Capacity: class.Capacity, Reserved: reserved[class.Name]})
	}
	return view
}
