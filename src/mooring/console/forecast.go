package console

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// Planner says what a plan would do: the brain that executes plans.
type Planner func(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*client.Preview, error)

// forecaster keeps a forecast of each unfinished plan. Planning a large fleet
// takes a while, so it is done beside the board, one plan at a time.
type forecaster struct {
	planner Planner
	now     func() time.Time
	ready   chan struct{} // has one when there is something new

	mu    sync.Mutex
	known map[string]*Forecast
	// stages are how far each plan was when its forecast was made or begun.
	stages map[string]string
	busy   bool
}

func newForecaster(planner Planner, now func() time.Time) *forecaster {
	return &forecaster{
		planner: planner, now: now, ready: make(chan struct{}, 1),
		known: map[string]*Forecast{}, stages: map[string]string{},
	}
}

// look gives the forecasts there are, and begins one that is due.
func (f *forecaster) look(ctx context.Context, snap *state.Snapshot) map[string]*Forecast {
	f.mu.Lock()
	defer f.mu.Unlock()
	given := map[string]*Forecast{}
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			delete(f.known, plan.Name)
			delete(f.stages, plan.Name)
			continue
		}
		given[plan.Name] = f.known[plan.Name]
		left, stage := remaining(snap, plan)
		if f.planner == nil || f.busy || stage == f.stages[plan.Name] {
			continue
		}
		f.stages[plan.Name], f.busy = stage, true
		go f.make(ctx, snap, plan, left)
	}
	return given
}

func (f *forecaster) make(ctx context.Context, snap *state.Snapshot, plan *model.Plan, left []string) {
	made := foretell(f.planner, snap, plan, left, f.now())
	f.mu.Lock()
	f.busy = false
	f.known[plan.Name] = made
	f.mu.Unlock()
	if ctx.Err() == nil {
		select {
		case f.ready <- struct{}{}:
		default: // it has not been looked at since the last time
		}
	}
}

// remaining gives the cells that a plan has still to take through, and a text
// that changes whenever the forecast should.
func remaining(snap *state.Snapshot, plan *model.Plan) (left []string, stage string) {
	ended := map[string]bool{}
	stuck := 0
	for _, roll := range snap.Rolls(plan.Name) {
		ended[roll.CellID] = roll.Phase.Final()
		if roll.StuckID != "" {
			stuck++
		}
	}
	for _, id := range plan.Order {
		if !ended[id] {
			left = append(left, id)
		}
	}
	return left, fmt.Sprintf("%s %d %d", plan.Status, len(left), stuck)
}

// foretell plans what is left of a plan anew; nil when that cannot be done.
func foretell(planner Planner, snap *state.Snapshot, plan *model.Plan, left []string, now time.Time) *Forecast {
	if len(left) == 0 {
		return nil
	}
	spec := plan.PlanSpec
	spec.Cells = model.Selector{IDs: left}
	spec.MaxInFlight = model.Limit{Count: plan.MaxInFlight.Of(len(plan.Order))}
	if len(left) < len(plan.Order) {
		spec.Canaries = max(0, plan.Canaries-(len(plan.Order)-len(left)))
	}
	preview, err := planner(snap, spec, now)
	if err != nil {
		return nil
	}
	return &Forecast{
		Earliest: now.Add(preview.Shortest.D()), Likely: now.Add(preview.Expected.D()), Latest: now.Add(preview.Longest.D()),
		Bottleneck: preview.Bottleneck, Left: len(preview.Timeline), Open: len(left) - len(preview.Timeline),
	}
}
