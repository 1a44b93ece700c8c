package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

var (
	aloneFlag = &cli.BoolFlag{Name: "alone", Usage: "ask no API: judge the policy by itself"}
	classFlag = &cli.StringFlag{Name: "class", Usage: "with --alone, the `CLASS` of the volumes: persistent, ephemeral or shared"}
)

// usualClasses are the classes that a fleet has unless its operators say
// otherwise.
var usualClasses = map[string]model.Class{
	model.ClassPersistent: {Name: model.ClassPersistent, Survives: model.Recreate},
	model.ClassEphemeral:  {Name: model.ClassEphemeral, Survives: model.Reboot},
	model.ClassShared:     {Name: model.ClassShared, Floating: true, Survives: model.Retire},
}

// checkPolicyOf explains the policy of an app, with the API's help or alone.
func (s *session) checkPolicyOf(app *model.App) (*client.PolicyCheck, error) {
	if s.Bool(aloneFlag.Name) {
		return s.checkAlone(app)
	}
	if s.IsSet(classFlag.Name) {
		return nil, usage(s.Context, "--class goes with --alone: the API knows the volumes")
	}
	check, err := s.api.CheckPolicy(s.ctx(), pushOf(*app))
	var answer *client.Error
	switch {
	case err == nil:
		return check, nil
	case errors.As(err, &answer) || s.ctx().Err() != nil:
		return nil, fmt.Errorf("check the policy of %s: %w", app.Name, err)
	}
	return nil, fmt.Errorf("check the policy of %s: %w; --alone asks no API", app.Name, err)
}

// checkAlone explains a policy by what the manifest says.
func (s *session) checkAlone(app *model.App) (*client.PolicyCheck, error) {
	check := &client.PolicyCheck{Warnings: app.Warnings()}
	var problems model.Problems
	if err := app.Validate(); errors.As(err, &problems) {
		for _, problem := range problems {
			check.Faults = append(check.Faults, problem.Error())
		}
	}
	var classes []model.Class
	class, known := usualClasses[s.String(classFlag.Name)]
	if s.IsSet(classFlag.Name) && !known {
		return nil, usage(s.Context, "--class %q is none of persistent, ephemeral and shared", s.String(classFlag.Name))
	}
	if known {
		for range app.Spec.Mounts {
			classes = append(classes, class)
		}
	}
	check.Explanation = lifecycle.Explain(app, app.Instances, classes)
	check.Failures = lifecycle.Failures(&app.Policy, app.Instances, classes, nil)
	if len(app.Spec.Mounts) > 0 && !known {
		check.Unknown = append(check.Unknown, "what an action on a host means: the manifest does not say what class its volumes are of; --class does")
	}
	check.Unknown = append(check.Unknown,
		"what becomes of it when a cell or a zone fails: where its instances would be is the fleet's to say",
		"what it costs the fleet: that takes the fleet; leave out --alone")
	return check, nil
}
