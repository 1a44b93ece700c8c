package orchestrator

import (
	"fmt"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/sequence"
)

// bottleneck says what sets the lower bound.
func (d *decision) bottleneck(s *survey, bound sequence.Lower) string {
	switch bound.Why {
	case sequence.ByApp:
		app, name, limit := d.limitOf(s.budgets[bound.App])
		if app == nil {
			return ""
		}
		return fmt.Sprintf("%s (%s: %d of %d, %s)", app.Name, name, limit, app.Instances, app.Owned())
	case sequence.ByNothing:
		return ""
	}
	return string(bound.Why)
}

// limitOf gives the app of a budget and the limit that the budget is, by its
// name in the policy.
func (d *decision) limitOf(b budget) (app *model.App, name string, limit int) {
	if app = d.snap.App(b.appGUID); app == nil {
		return nil, "", 0
	}
	limits := lifecycle.LimitsOf(&app.Policy, app.Instances)
	switch b.kind {
	case model.Interrupt:
		return app, "max_interrupted", limits.Interrupted
	case model.Drain:
		return app, "max_draining", limits.Draining
	}
	return app, "max_disrupted", limits.Disrupted
}

// raise says what it would buy if the limit that sets the bound were one
// higher, and with it the limit on both kinds together, which an open one
// follows; nil when no app sets it.
func (d *decision) raise(s *survey, plan *sequence.Plan, bound sequence.Lower, f foresight) *client.Raise {
	if bound.Why != sequence.ByApp {
		return nil
	}
	b := s.budgets[bound.App]
	app, name, limit := d.limitOf(b)
	if app == nil {
		return nil
	}
	var raised []int
	both := budget{appGUID: b.appGUID}
	for a, other := range s.budgets {
		if other == b || other == both && s.problem.Apps[a].Limit <= limit {
			raised = append(raised, a)
		}
	}
	higher, certain := s.higher(&s.problem, raised, false), s.higher(f.certain, raised, true)
	// What is expected of each cell evens out what chance would have bought.
	before := sequence.Simulate(&s.problem, plan, nil).Makespan
	after := sequence.Simulate(higher, plan, nil).Makespan
	return &client.Raise{
		App: app.Name, Limit: name, From: limit, To: limit + 1,
		Saved: rounded(max(0, before-after)), Bound: rounded(sequence.Bound(certain, f.typical).Makespan),
	}
}
