package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// explainPolicy explains what an app's policy would mean. It is pure.
func explainPolicy(snap *state.Snapshot, push *client.Push) *client.PolicyCheck {
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
	check.Failures = lifecycle.Failures(&app.Policy, app.Instances, classes, nil)
	if len(classes) < len(app.Spec.Mounts) {
		check.Unknown = append(check.Unknown, "what an action on a host means and what the policy costs: a volume set does not exist yet")
	}
	return check
}

// checkPolicy explains a push's policy, and says what it would cost the fleet
// as it is.
func (s *server) checkPolicy(ctx context.Context, in *checkInput) (*client.PolicyCheck, error) {
	snap, push := s.store.Snapshot(), &in.Body
	check := explainPolicy(snap, push)
	switch {
	case len(check.Unknown) > 0:
	case len(check.Faults) > 0:
		check.Unknown = append(check.Unknown, "what the policy costs: the push would be refused")
	default:
		if err := s.weighPolicy(ctx, snap, push, check); err != nil {
			check.Unknown = append(check.Unknown, fmt.Sprintf("what the policy costs: %v", err))
		}
	}
	return check, nil
}
