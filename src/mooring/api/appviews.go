package api

import (
	"cmp"
	"context"
	"slices"

	"mooring/access"
	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

func appViews(ctx context.Context, snap *state.Snapshot) []client.AppView {
	views := []client.AppView{}
	for _, app := range snap.Apps() {
		view := shown(ctx, appView(snap, app))
		view.Members = nil
		views = append(views, *view)
	}
	slices.SortFunc(views, func(a, b client.AppView) int { return cmp.Compare(a.Name.String(), b.Name.String()) })
	return views
}

func appView(snap *state.Snapshot, app *model.App) *client.AppView {
	crew := snap.Crew(app.GUID)
	view := &client.AppView{App: *app, Limits: lifecycle.LimitsOf(&app.Policy, app.Instances), Warnings: warningsOf(snap, app)}
	view.Serving, view.Disrupted, view.Down = crew.Count()
	for _, member := range crew.Members {
		view.Members = append(view.Members, instanceView(snap, app, &member))
	}
	return view
}

// shown is an app as somebody may see it. The values of its environment may be
// secrets.
func shown(ctx context.Context, view *client.AppView) *client.AppView {
	for i := range view.Members {
		hideOutput(ctx, view.Name, &view.Members[i])
	}
	if !reads(ctx)(view.Name) {
		hideCommands(&view.App)
	}
	if may(ctx, access.ReadEnv, access.App(view.Name)) == nil || len(view.Spec.Env) == 0 {
		return view
	}
	env := make(map[string]string, len(view.Spec.Env))
	for name := range view.Spec.Env {
		env[name] = model.Hidden
	}
	view.Spec.Env = env
	return view
}

// hideCommands takes what an app runs out of it.
func hideCommands(app *model.App) {
	app.Spec.Command, app.Spec.Health.Command = model.HiddenText(app.Spec.Command), model.HiddenText(app.Spec.Health.Command)
	app.Policy.Interrupt, app.Policy.Drain = app.Policy.Interrupt.Hidden(), app.Policy.Drain.Hidden()
}

// instanceView joins what is wanted of an index with what its cell says.
func instanceView(snap *state.Snapshot, app *model.App, member *lifecycle.Member) client.InstanceView {
	view := client.InstanceView{Index: member.Index, Standing: string(member.Standing), State: member.State, Permit: member.Permit}
	inst := snap.Instance(app.GUID, member.Index)
	if inst == nil {
		view.Unplaced = "the scheduler has not looked at it yet"
		return view
	}
	view.GUID, view.CellID, view.Removing = inst.GUID, inst.CellID, inst.Removing
	view.SpecVersion, view.Unplaced, view.GaveWay, view.Volumes = inst.SpecVersion, inst.Unplaced, inst.GaveWay, inst.Volumes
	view.Ports = portsOf(inst.Spec, inst.Placement)
	view.Present = snap.Present(inst.CellID)
	if cell := snap.Cell(inst.CellID); cell != nil {
		view.AZ, view.Address = cell.AZ, cell.Address
	}
	view.Actual = snap.ActualInstance(app.GUID, inst.Index, inst.CellID)
	return view
}

// portsOf names the ports of a placement.
func portsOf(spec model.RunSpec, place model.Placement) []client.Port {
	var ports []client.Port
	for i, name := range spec.PortNames() {
		if i < len(place.Ports) {
			ports = append(ports, client.Port{Name: name, Number: place.Ports[i]})
		}
	}
	return ports
}
