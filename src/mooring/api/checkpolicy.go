package api

import (
	"errors"
	"fmt"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// checkPolicy explains what an app's policy would mean. It is pure.
func checkPolicy(snap *state.Snapshot, push *client.Push) *client.PolicyCheck {
	old := snap.AppNamed(push.Name)
	app := wantedApp(push, old, "", time.Time{})
	check := &client.PolicyCheck{Limits: limitsOf(app), Actions: []client.ActionMeaning{}, Warnings: warningsOf(snap, app)}
	for _, fault := range faultsOf(snap, app, old) {
		var problems model.Problems
		if errors.As(fault, &problems) {
			for _, problem := range problems {
				check.Faults = append(check.Faults, problem.Error())
			}
		}
	}
	var classes []model.Class
	for _, set := range mountedSets(snap, app) {
		classes = append(classes, set.AsClass())
	}
	if len(classes) < len(app.Spec.Mounts) {
		return check // what a missing set's volumes survive is not known
	}
	for _, action := range []model.Action{model.Restart, model.Reboot, model.Recreate, model.Retire} {
		check.Actions = append(check.Actions, explain(app, action, lifecycle.Means(action, classes, &app.Policy), check.Limits))
	}
	return check
}

// explain says what an action means for the instances of an app.
func explain(app *model.App, action model.Action, means lifecycle.Meaning, limits client.Limits) client.ActionMeaning {
	row := client.ActionMeaning{Action: action, Kind: means.Kind, Move: means.Move, Replace: means.Replace, Limit: -1}
	if means.Replace {
		row.Kind = ""
		row.Text = fmt.Sprintf("%s: a new instance serves elsewhere before the old one stops; no budget is spent", action)
		return row
	}
	how := "interrupted, and comes back on the same cell with its data"
	row.Limit = min(limits.Interrupted, limits.Disrupted)
	switch {
	case means.Kind == model.Drain:
		how = "drained: it hands its data over and comes back empty on another cell"
		row.Limit = min(limits.Draining, limits.Disrupted)
		if app.Policy.DataDisposable {
			how = "drained: its data is disposable, and it comes back empty on another cell"
		}
	case means.Move:
		how = "interrupted, and comes back on another cell of its AZ with its data"
	}
	if row.Limit == 0 {
		row.Text = fmt.Sprintf("%s: an instance would be %s; the policy never allows it", action, how)
	} else {
		row.Text = fmt.Sprintf("%s: an instance is %s; at most %d of %d at once", action, how, row.Limit, app.Instances)
	}
	return row
}
