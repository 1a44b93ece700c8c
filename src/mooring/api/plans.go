package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

type planInput struct{ Body client.PlanRequest }

// PlanPath is where a plan is found.
type PlanPath struct {
	Plan string `path:"plan" doc:"Name of the plan"`
}

type planQuery struct {
	PlanPath
	Forecast bool `query:"forecast" doc:"Say also when it is expected to end, which takes seconds for thousands of cells"`
}

type steerInput struct {
	PlanPath
	Body client.Steer
}

func (s *server) planRoutes(routes huma.API) {
	const one = "/v1/plans/{plan}"
	on(routes, operation(http.MethodPost, "/v1/preview", "preview-plan", "What a plan would do; nothing is changed", "plans"), s.preview)
	op := operation(http.MethodPost, "/v1/plans", "start-plan", "Start a plan", "plans")
	op.DefaultStatus = http.StatusCreated
	on(routes, op, s.startPlan)
	on(routes, operation(http.MethodGet, "/v1/plans", "list-plans", "List plans, the newest first", "plans"),
		func(ctx context.Context, _ *struct{}) ([]client.PlanView, error) {
			snap := s.store.Snapshot()
			views := []client.PlanView{}
			for _, plan := range snap.Plans() {
				views = append(views, *planView(ctx, snap, plan, s.now()))
			}
			slices.SortFunc(views, func(a, b client.PlanView) int {
				return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Name, b.Name))
			})
			return views, nil
		})
	on(routes, operation(http.MethodGet, one, "get-plan", "One plan with its rolls", "plans"),
		func(ctx context.Context, in *planQuery) (*client.PlanView, error) {
			snap := s.store.Snapshot()
			plan, err := planNamed(snap, in.Plan)
			if err != nil {
				return nil, err
			}
			view := planView(ctx, snap, plan, s.now())
			if in.Forecast && s.forecast != nil && !plan.Finished() {
				view.Forecast = s.forecast(snap, plan, s.now())
			}
			return view, nil
		})
	on(routes, operation(http.MethodPut, one+"/intent", "steer-plan", "Pause, resume or abort a plan", "plans"), s.steerPlan)
	stream(routes, operation(http.MethodGet, one+"/stream", "stream-plan", "A plan's progress as it happens", "plans"),
		map[string]any{"plan": client.PlanView{}}, s.streamPlan)
}

func planNamed(snap *state.Snapshot, name string) (*model.Plan, error) {
	plan := snap.Plan(name)
	if plan == nil {
		return nil, notFound("there is no plan %s", name)
	}
	return plan, nil
}

func (s *server) preview(ctx context.Context, in *planInput) (*client.Preview, error) {
	if err := s.checkPlan(ctx, in.Body.PlanSpec); err != nil {
		return nil, err
	}
	preview, _, err := s.foresee(ctx, s.store.Snapshot(), &in.Body.PlanSpec)
	return preview, err
}

// foresee checks a plan and asks the planner about it. It also gives the cells
// that the plan chooses.
func (s *server) foresee(ctx context.Context, snap *state.Snapshot, spec *model.PlanSpec) (*client.Preview, []string, error) {
	cells, fault := chosen(snap, &spec.Cells)
	if err := invalid(fmt.Sprintf("plan %s is refused", spec.Name), spec.Validate(), fault); err != nil {
		return nil, nil, err
	}
	preview, err := s.planner(ctx, snap, *spec, cells, s.now())
	if err != nil {
		return nil, nil, huma.NewError(http.StatusInternalServerError, fmt.Sprintf("planning %s: %v", spec.Name, err))
	}
	return preview, cells, nil
}

// checkPlan asks the outside world whether it could carry out a plan. What is
// wrong with the plan itself is found without it.
func (s *server) checkPlan(ctx context.Context, spec model.PlanSpec) error {
	if s.check == nil || spec.Validate() != nil {
		return nil
	}
	if err := s.check(ctx, spec); err != nil {
		return invalid(fmt.Sprintf("plan %s is refused", spec.Name), fault("via", "%v", err))
	}
	return nil
}

// chosen gives the ids of the cells that a selector chooses.
func chosen(snap *state.Snapshot, selector *model.Selector) ([]string, error) {
	if selector.Empty() {
		return nil, nil // the plan's validation says it better
	}
	cells, err := selector.Choose(snap.Cells())
	if err != nil {
		return nil, fault("cells", "%v", err)
	}
	ids := make([]string, len(cells))
	for i, cell := range cells {
		ids[i] = cell.ID
	}
	return ids, nil
}

func (s *server) startPlan(ctx context.Context, in *planInput) (*client.PlanView, error) {
	if err := checkSaid("the plan is refused", in.Body.Reason, in.Body.By); err != nil {
		return nil, err
	}
	if err := s.checkPlan(ctx, in.Body.PlanSpec); err != nil {
		return nil, err
	}
	in.Body.By = signed(ctx, in.Body.By, "")
	snap, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		return s.decidePlan(ctx, snap, &in.Body)
	})
	if err != nil {
		return nil, err
	}
	return planView(ctx, snap, snap.Plan(in.Body.Name), s.now()), nil
}

func (s *server) decidePlan(ctx context.Context, snap *state.Snapshot, wanted *client.PlanRequest) (*state.Txn, error) {
	preview, cells, err := s.foresee(ctx, snap, &wanted.PlanSpec)
	if err != nil {
		return nil, err
	}
	if old := snap.Plan(wanted.Name); old != nil {
		return nil, conflict("plan %s exists (%s); plans are kept for a while after they end, so choose another name", wanted.Name, old.Status)
	}
	for _, other := range snap.Plans() {
		if other.Finished() || other.Gathers != nil {
			continue // what BOSH does unplanned is waited for
		}
		if both := common(cells, other.Order); len(both) > 0 {
			return nil, conflict("plan %s is not finished and has the same cells: %s; wait for it or abort it", other.Name, strings.Join(both, ", "))
		}
	}
	plan := &model.Plan{
		PlanSpec: wanted.PlanSpec, Intent: model.IntentRun, Reason: wanted.Reason, Status: model.PlanRunning,
		CreatedAt: s.now(), CreatedBy: wanted.By, Order: complete(preview.Order, cells), Greedy: preview.Greedy,
		Foreseen: model.Foreseen{Half: preview.Expected, Most: preview.Longest},
	}
	if plan.OnStuck == "" {
		plan.OnStuck = model.StuckHold
	}
	tx := snap.Txn()
	tx.Put(plan)
	// Nobody else may have started a plan meanwhile.
	tx.RequireUnder(model.TablePlans)
	tx.Event(model.Event{At: plan.CreatedAt, Kind: model.EventPlanStarted, Actor: person(wanted.By), Plan: plan.Name, Reason: wanted.Reason,
		Text: fmt.Sprintf("plan %s: %s %d cells", plan.Name, plan.Action, len(cells))})
	return tx, nil
}

// common gives what is in both lists, sorted.
func common(a, b []string) []string {
	inB := make(map[string]bool, len(b))
	for _, item := range b {
		inB[item] = true
	}
	var both []string
	for _, item := range a {
		if inB[item] {
			both = append(both, item)
		}
	}
	slices.Sort(both)
	return both
}

// complete gives the order with the cells that it leaves out at its end: those
// can never roll, and the plan has to say so for each.
func complete(order, cells []string) []string {
	full := slices.Clone(order)
	known := map[string]bool{}
	for _, cell := range order {
		known[cell] = true
	}
	for _, cell := range cells {
		if !known[cell] {
			full = append(full, cell)
		}
	}
	return full
}

// person names who acted when nobody said.
func person(by string) string { return cmp.Or(by, someOperator) }

// steering names what somebody wants of a plan.
func steering(intent model.Intent) (kind model.EventKind, said string) {
	switch intent {
	case model.IntentPause:
		return model.EventPlanPausing, "paused"
	case model.IntentAbort:
		return model.EventPlanAborting, "aborted"
	}
	return model.EventPlanResumed, "resumed"
}

func (s *server) steerPlan(ctx context.Context, in *steerInput) (*client.PlanView, error) {
	if err := checkSaid(fmt.Sprintf("plan %s goes on as it is", in.Plan), in.Body.Reason, in.Body.By); err != nil {
		return nil, err
	}
	by := signed(ctx, in.Body.By, someOperator)
	snap, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		plan, err := planNamed(snap, in.Plan)
		if err != nil {
			return nil, err
		}
		switch {
		case plan.Intent == in.Body.Intent:
			return nil, nil
		case plan.Finished():
			return nil, conflict("plan %s is %s; nothing more can be done about it", plan.Name, plan.Status)
		case plan.Intent == model.IntentAbort:
			return nil, conflict("plan %s is being aborted; start another for the cells that are left", plan.Name)
		}
		steered := *plan
		steered.Intent, steered.Reason, steered.IntentBy, steered.IntentAt = in.Body.Intent, in.Body.Reason, by, s.now()
		kind, said := steering(in.Body.Intent)
		tx := snap.Txn()
		tx.Put(&steered)
		tx.Event(model.Event{At: s.now(), Kind: kind, Actor: by, Plan: plan.Name, Reason: in.Body.Reason,
			Text: fmt.Sprintf("plan %s is to be %s", plan.Name, said)})
		return tx, nil
	})
	if err != nil {
		return nil, err
	}
	plan, err := planNamed(snap, in.Plan)
	if err != nil {
		return nil, err
	}
	return planView(ctx, snap, plan, s.now()), nil
}
