package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/sequence"
)

// fewNamed are as many cells, or apps, as a bottleneck is told with.
const fewNamed = 8

// bottleneck says what sets the lower bound.
func (d *decision) bottleneck(s *survey, bound sequence.Lower) string {
	switch bound.Why {
	case sequence.ByApp:
		return d.limitText(s.budgets[bound.App])
	case sequence.ByCells:
		var cells, limits []string
		for _, cell := range bound.Cells {
			cells = append(cells, s.problem.Cells[cell].ID)
		}
		for _, b := range s.perApp(bound.Apps) {
			limits = append(limits, d.limitText(b))
		}
		return fmt.Sprintf("%s: %s, through %s", bound.Why, few(cells), few(limits))
	case sequence.ByNothing:
		return ""
	}
	return string(bound.Why)
}

// few lists names, the first of them when there are many.
func few(names []string) string {
	if more := len(names) - fewNamed; more > 0 {
		return fmt.Sprintf("%s, %d more", strings.Join(names[:fewNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// limitText tells a budget by its app, its limit and its owner.
func (d *decision) limitText(b budget) string {
	app, name, limit := d.limitOf(b)
	if app == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s: %d of %d, %s)", app.Name, name, limit, app.Instances, app.Owned())
}

// perApp gives the budgets at these positions, of each app the first.
func (s *survey) perApp(positions []int) []budget {
	var budgets []budget
	known := map[string]bool{}
	for _, a := range positions {
		if b := s.budgets[a]; !known[b.appGUID] {
			known[b.appGUID] = true
			budgets = append(budgets, b)
		}
	}
	return budgets
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

// exclusive names the cells that set a bound because they exclude each other,
// and the apps through which; nil when something else sets it.
func (d *decision) exclusive(s *survey, bound sequence.Lower) *client.Exclusive {
	if bound.Why != sequence.ByCells {
		return nil
	}
	var e client.Exclusive
	for _, cell := range bound.Cells {
		e.Cells = append(e.Cells, s.problem.Cells[cell].ID)
	}
	for _, b := range s.perApp(bound.Apps) {
		if app := d.snap.App(b.appGUID); app != nil {
			e.Apps = append(e.Apps, app.Name)
		}
	}
	return &e
}

// mostRaised is how many limits are tried at most, and raisedUses bounds the
// uses of budgets that are planned anew in all, which takes about a second.
const (
	mostRaised = 32
	raisedUses = 1_000_000
)

// raises says what it would buy if one of the limits that set the bound were
// one higher, for each of them (of very many in a large fleet, for those that
// matter most), the best first. A plan made for the higher limit may have
// another order.
func (d *decision) raises(s *survey, plan *sequence.Plan, bound sequence.Lower, f foresight) []client.Raise {
	var budgets []budget
	switch bound.Why {
	case sequence.ByApp:
		budgets = s.perApp([]int{bound.App})
	case sequence.ByCells:
		budgets = s.perApp(bound.Apps)
	default:
		return nil
	}
	budgets = budgets[:min(len(budgets), mostRaised, max(1, raisedUses/max(1, s.uses())))]
	// What is expected of each cell evens out what chance would have bought.
	before := sequence.Simulate(&s.problem, plan, nil).Makespan
	var raises []client.Raise
	for _, b := range budgets {
		app, name, limit := d.limitOf(b)
		if app == nil {
			continue
		}
		raised := s.raised(b, limit)
		higher, certain := s.higher(&s.problem, raised, false), s.higher(f.certain, raised, true)
		after := min(sequence.Simulate(higher, plan, nil).Makespan, sequence.Simulate(higher, sequence.Order(higher), nil).Makespan)
		raises = append(raises, client.Raise{
			App: app.Name, Limit: name, From: limit, To: limit + 1,
			Saved: rounded(max(0, before-after)), Bound: rounded(sequence.Bound(certain, f.typical).Makespan),
		})
	}
	slices.SortStableFunc(raises, func(a, b client.Raise) int {
		return cmp.Or(cmp.Compare(b.Saved, a.Saved), cmp.Compare(a.Bound, b.Bound))
	})
	return raises
}

// raised gives the budgets that rise with a limit: its own, and that on both
// kinds together, which an open one follows.
func (s *survey) raised(b budget, limit int) []int {
	var raised []int
	both := budget{appGUID: b.appGUID}
	for a, other := range s.budgets {
		if other == b || other == both && s.problem.Apps[a].Limit <= limit {
			raised = append(raised, a)
		}
	}
	return raised
}
