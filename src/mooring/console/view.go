package console

import (
	"cmp"
	"slices"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

const (
	// chipLimit is the most instances that are shown one by one on the board.
	chipLimit = 4000
	// appLimit is the most apps that are all listed on the board.
	appLimit = 500
	// finishedLimit is how many finished plans the board keeps in sight.
	finishedLimit = 10
)

// View computes the board from a snapshot. It is pure; forecasts are by plan.
func View(snap *state.Snapshot, forecasts map[string]*client.Forecast) *Board {
	v := &viewer{snap: snap, cells: map[string]*Cell{}, volumes: map[string]*model.Volume{}}
	v.board.Revision = snap.Revision()
	v.addCells()
	v.addPlans(forecasts)
	v.addApps()
	v.addSpareVolumes()
	v.addStuck()
	return v.finish()
}

// viewer is a board in the making.
type viewer struct {
	snap  *state.Snapshot
	board Board
	order []*Cell
	cells map[string]*Cell
	// volumes are those that no instance was seen to use yet.
	volumes map[string]*model.Volume
	chips   int
}

func (v *viewer) addCells() {
	for _, cell := range v.snap.Cells() {
		shown := &Cell{ID: cell.ID, AZ: cell.AZ, Domain: cell.Domain, Cordoned: v.snap.Cordon(cell.ID) != nil}
		switch {
		case cell.Lost:
			shown.State = "lost"
		case !v.snap.Present(cell.ID):
			shown.State = "gone"
		}
		v.cells[cell.ID] = shown
		v.order = append(v.order, shown)
	}
	for _, volume := range v.snap.Volumes() {
		cell := v.cells[volume.CellID]
		if cell == nil {
			continue
		}
		v.volumes[volume.GUID] = volume
		if volume.Floating {
			cell.Floating++
		} else {
			cell.Fixed++
		}
	}
}

func (v *viewer) addApps() {
	apps := v.snap.Apps()
	v.board.AppCount = len(apps)
	for _, app := range apps {
		crew := v.snap.Crew(app.GUID)
		shown := App{Name: app.Name.String(), Owner: app.Owned(), Instances: app.Instances, Limits: crew.Limits(), Deleting: app.Deleting}
		shown.Serving, shown.Disrupted, shown.Down = crew.Count()
		if len(apps) <= appLimit || shown.Serving < shown.Instances {
			v.board.Apps = append(v.board.Apps, shown)
		}
		v.addInstances(app, crew)
	}
	slices.SortFunc(v.board.Apps, func(a, b App) int { return cmp.Compare(a.Name, b.Name) })
}

// addInstances puts an app's instances into their squares.
func (v *viewer) addInstances(app *model.App, crew *lifecycle.Crew) {
	name := app.Name.String()
	for _, inst := range v.snap.InstancesOf(app.GUID) {
		member := crew.Member(inst.Index)
		chip := Chip{App: name, Index: inst.Index, Standing: member.Standing, State: member.State, Volume: v.volumesOf(inst)}
		if permit := member.Permit; permit != nil {
			chip.Kind, chip.Step = permit.Kind, permit.Step
			chip.Progress = v.progress(inst, permit)
		}
		v.place(inst.CellID, chip)
		if inst.Next != nil {
			v.place(inst.Next.CellID, Chip{App: name, Index: inst.Index, Standing: Arriving, Volume: chip.Volume})
		}
	}
}

// volumesOf says what kind of volumes an instance has, and that they are used.
func (v *viewer) volumesOf(inst *model.Instance) string {
	fixed, floating := false, false
	for _, guid := range inst.Volumes {
		if volume := v.snap.Volume(guid); volume != nil {
			fixed, floating = fixed || !volume.Floating, floating || volume.Floating
			if volume.CellID == inst.CellID {
				delete(v.volumes, guid)
			}
		}
	}
	switch {
	case fixed && floating:
		return "both"
	case fixed:
		return "fixed"
	case floating:
		return "floating"
	}
	return ""
}

// progress is how far the handler of a permit has come, in percent; 0 when it
// did not say.
func (v *viewer) progress(inst *model.Instance, permit *model.Permit) int {
	actual := v.snap.ActualInstance(inst.AppGUID, inst.Index, permit.CellID)
	if actual == nil || actual.Disruption == nil || actual.Disruption.PermitID != permit.ID {
		return 0
	}
	return int(100 * min(1, max(0, actual.Disruption.Progress)))
}

func (v *viewer) place(cellID string, chip Chip) {
	cell := v.cells[cellID]
	if cell == nil {
		return
	}
	switch chip.Standing {
	case lifecycle.Serving:
		cell.Serving++
	case lifecycle.Disrupted:
		cell.Disrupted++
	default:
		cell.Down++
	}
	cell.Instances = append(cell.Instances, chip)
	v.chips++
}

func (v *viewer) addSpareVolumes() {
	for _, volume := range v.volumes {
		spare := SpareVolume{Set: volume.SetGUID, Index: volume.Index, Floating: volume.Floating, Ending: volume.Ending}
		if set := v.snap.VolumeSet(volume.SetGUID); set != nil {
			spare.Set = set.Name.String()
		}
		cell := v.cells[volume.CellID]
		cell.Spare = append(cell.Spare, spare)
	}
}

func (v *viewer) addStuck() {
	for _, stuck := range v.snap.StuckItems() {
		shown := Stuck{Stuck: *stuck, Severity: stuck.Kind.Severity(), ForcedAt: v.forcedAt(stuck)}
		if cell := v.cells[stuck.CellID]; cell != nil {
			shown.AZ = cell.AZ
			if stuck.Kind == model.CellGone && cell.Stuck == "" {
				cell.Stuck = stuck.ID
			}
		}
		v.board.Stuck = append(v.board.Stuck, shown)
	}
	slices.SortFunc(v.board.Stuck, func(a, b Stuck) int {
		return cmp.Or(a.FlaggedAt.Compare(b.FlaggedAt), cmp.Compare(a.ID, b.ID))
	})
}

// forcedAt is when a policy forces what is stuck without a person: a handler
// with which no data is lost.
func (v *viewer) forcedAt(stuck *model.Stuck) time.Time {
	app := v.snap.App(stuck.AppGUID)
	if app == nil || !stuck.Kind.OfHandler() || len(stuck.Data) > 0 || app.Policy.OnStuck.Answer != model.StuckForce {
		return time.Time{}
	}
	return stuck.FlaggedAt.Add(app.Policy.OnStuck.After.D())
}

// finish sorts what came in any order, and leaves out what is too much.
func (v *viewer) finish() *Board {
	for _, cell := range v.order {
		if v.chips+len(v.volumes) > chipLimit {
			cell.Instances, cell.Spare = nil, nil
		}
		slices.SortFunc(cell.Instances, func(a, b Chip) int {
			return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Index, b.Index))
		})
		slices.SortFunc(cell.Spare, func(a, b SpareVolume) int {
			return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Index, b.Index))
		})
		v.board.Cells = append(v.board.Cells, *cell)
	}
	return &v.board
}
