package api

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// decidePush decides about a push by somebody: of a new app, with this GUID,
// or of an update. It is pure.
func decidePush(snap *state.Snapshot, push *client.Push, guid, by string, now time.Time) (*state.Txn, *client.Pushed, error) {
	old := snap.AppNamed(push.Name)
	app := wantedApp(push, old, guid, now)
	if old != nil && old.Deleting {
		return nil, nil, conflict("app %s is being deleted; push it again when it is gone", push.Name)
	}
	if err := invalid(fmt.Sprintf("app %s is refused", push.Name), faultsOf(snap, app, old)...); err != nil {
		return nil, nil, err
	}
	pushed := &client.Pushed{App: *app, Created: old == nil, Warnings: warningsOf(snap, app)}
	pushed.Rolling = old != nil && app.SpecVersion > old.SpecVersion
	tx := snap.Txn()
	for _, set := range mountedSets(snap, app) {
		if set.AppGUID != app.GUID || set.Count != app.Instances {
			taken := *set
			taken.AppGUID, taken.Count = app.GUID, app.Instances
			tx.Put(&taken)
		} else {
			tx.Require(set.Key())
		}
	}
	if old == nil {
		// Nobody else may have taken the name.
		tx.RequireUnder(model.TableApps)
	}
	if old != nil && unchanged(old, app) {
		pushed.App = *old
		tx.Require(old.Key())
	} else {
		tx.Put(app)
		tx.Event(pushEvent(old, app, by, now))
	}
	return tx, pushed, nil
}

// wantedApp is the record that a push asks for.
func wantedApp(push *client.Push, old *model.App, guid string, now time.Time) *model.App {
	app := &model.App{
		GUID: guid, Name: push.Name, Owner: push.Owner, Instances: push.Instances,
		Spec: push.Spec.WithDefaults(), SpecVersion: 1, Policy: push.Policy.WithDefaults(),
		CreatedAt: now, UpdatedAt: now,
	}
	if old == nil {
		return app
	}
	app.GUID, app.CreatedAt, app.SpecVersion = old.GUID, old.CreatedAt, old.SpecVersion
	if !same(old.Spec, app.Spec) {
		app.SpecVersion++
	}
	return app
}

// unchanged reports whether a push says what is so already.
func unchanged(old, app *model.App) bool {
	again := *app
	again.UpdatedAt = old.UpdatedAt
	return same(old, &again)
}

// faultsOf is everything for which an app is refused.
func faultsOf(snap *state.Snapshot, app, old *model.App) []error {
	faults := []error{app.Validate(), app.CheckMounts(freeSets(snap, app))}
	if old != nil && !slices.Equal(setNames(old), setNames(app)) {
		faults = append(faults, fault("mounts", "an app keeps the volume sets it was pushed with (%s); delete the app and push it anew to change them", strings.Join(setNames(old), ", ")))
	}
	for i, set := range mountedSets(snap, app) {
		where := fmt.Sprintf("mounts[%d].volume", i)
		if model.Pooled(set.Pool) != model.Pooled(app.Spec.Pool) {
			faults = append(faults, fault(where, "volume set %s is in pool %s, the app in pool %s", set.Name, model.Pooled(set.Pool), model.Pooled(app.Spec.Pool)))
		}
		// A set that was left with data is not cut down in passing.
		if old == nil && set.Count > app.Instances {
			faults = append(faults, fault("instances", "volume set %s has %d volumes, more than the %d instances; push %d instances and scale down, which hands their data over", set.Name, set.Count, app.Instances, set.Count))
		}
		if set.Count < app.Instances {
			grown := *set
			grown.Count = app.Instances
			var problems model.Problems
			if errors.As(fit(snap, &grown), &problems) {
				faults = append(faults, fault("instances", "volume set %s cannot grow with the app: %s", set.Name, problems[0].What))
			}
		}
	}
	return faults
}

// freeSets lists the volume sets as they are for this app: one whose app is
// gone belongs to nobody.
func freeSets(snap *state.Snapshot, app *model.App) []*model.VolumeSet {
	var sets []*model.VolumeSet
	for _, set := range snap.VolumeSets() {
		if set.Org != app.Org || set.Space != app.Space {
			continue
		}
		if set.AppGUID != "" && mountedBy(snap, set) == nil {
			free := *set
			free.AppGUID = ""
			set = &free
		}
		sets = append(sets, set)
	}
	return sets
}

// mountedSets lists the sets that the app's spec names and that exist.
func mountedSets(snap *state.Snapshot, app *model.App) []*model.VolumeSet {
	var sets []*model.VolumeSet
	for _, name := range setNames(app) {
		if set := snap.VolumeSetNamed(model.Name{Org: app.Org, Space: app.Space, Name: name}); set != nil {
			sets = append(sets, set)
		}
	}
	return sets
}

func setNames(app *model.App) []string {
	var names []string
	for _, mount := range app.Spec.Mounts {
		names = append(names, mount.VolumeSet)
	}
	return names
}

// warningsOf is what is accepted about an app and deserves a second look.
func warningsOf(snap *state.Snapshot, app *model.App) []string {
	warnings := app.Warnings()
	if len(snap.Cells()) > 0 && !slices.ContainsFunc(snap.Cells(), func(cell *model.Cell) bool {
		return !cell.Lost && model.Pooled(cell.Pool) == model.Pooled(app.Spec.Pool) && cell.Memory >= app.Spec.Memory
	}) {
		warnings = append(warnings, fmt.Sprintf("no cell of pool %s has the memory for an instance (%s); instances will stay unplaced", model.Pooled(app.Spec.Pool), app.Spec.Memory))
	}
	return warnings
}

func pushEvent(old, app *model.App, by string, now time.Time) model.Event {
	event := model.Event{At: now, Kind: model.EventAppPushed, Actor: by, App: app.Name.String(), AppGUID: app.GUID}
	limits := lifecycle.LimitsOf(&app.Policy, app.Instances)
	switch {
	case old == nil:
		event.Text = fmt.Sprintf("app %s: %d instances, at most %d interrupted and %d draining at once", app.Name, app.Instances, limits.Interrupted, limits.Draining)
	case app.SpecVersion > old.SpecVersion:
		event.Kind = model.EventAppUpdated
		event.Text = fmt.Sprintf("app %s has version %d, which its instances follow under the policy", app.Name, app.SpecVersion)
	case app.Instances != old.Instances:
		event.Kind = model.EventAppScaled
		event.Text = fmt.Sprintf("app %s scales from %d to %d instances", app.Name, old.Instances, app.Instances)
	default:
		event.Kind = model.EventAppUpdated
		event.Text = fmt.Sprintf("app %s is changed; its instances go on as they are", app.Name)
		if !reflect.DeepEqual(old.Policy, app.Policy) {
			event.Text = fmt.Sprintf("app %s has a new policy: at most %d interrupted and %d draining at once", app.Name, limits.Interrupted, limits.Draining)
		}
	}
	return event
}
