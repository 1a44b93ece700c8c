package api

import (
	"errors"
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
	check := &client.PolicyCheck{Warnings: warningsOf(snap, app)}
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
	check.Explanation = lifecycle.Explain(app, app.Instances, classes)
	if len(classes) < len(app.Spec.Mounts) {
		check.Actions = nil // what a missing set's volumes survive is not known
	}
	return check
}
