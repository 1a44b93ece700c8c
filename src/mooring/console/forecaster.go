package console

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// forecaster keeps a forecast of each unfinished plan. Planning a large fleet
// takes a while, so it is done beside the board, one plan at a time.
type forecaster struct {
	foresee func(*state.Snapshot, *model.Plan, time.Time) *client.Forecast
	now     func() time.Time
	ready   chan struct{} // has one when there is something new

	mu    sync.Mutex
	known map[string]*client.Forecast
	// stages are how far each plan was when its forecast was made or begun.
	stages map[string]string
	busy   bool
}

func newForecaster(foresee func(*state.Snapshot, *model.Plan, time.Time) *client.Forecast, now func() time.Time) *forecaster {
	return &forecaster{
		foresee: foresee, now: now, ready: make(chan struct{}, 1),
		known: map[string]*client.Forecast{}, stages: map[string]string{},
	}
}

// look gives the forecasts there are, and begins one that is due.
func (f *forecaster) look(ctx context.Context, snap *state.Snapshot) map[string]*client.Forecast {
	f.mu.Lock()
	defer f.mu.Unlock()
	given := map[string]*client.Forecast{}
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			continue
		}
		given[plan.Name] = f.known[plan.Name]
		stage := stageOf(snap, plan)
		if f.foresee == nil || f.busy || stage == f.stages[plan.Name] {
			continue
		}
		f.stages[plan.Name], f.busy = stage, true
		go f.make(ctx, snap, plan)
	}
	maps.DeleteFunc(f.known, func(name string, _ *client.Forecast) bool { _, open := given[name]; return !open })
	maps.DeleteFunc(f.stages, func(name, _ string) bool { _, open := given[name]; return !open })
	return given
}

func (f *forecaster) make(ctx context.Context, snap *state.Snapshot, plan *model.Plan) {
	made := f.foresee(snap, plan, f.now())
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

// stageOf gives a text that changes whenever a plan's forecast should.
func stageOf(snap *state.Snapshot, plan *model.Plan) string {
	begun, over, stuck := 0, 0, 0
	for _, roll := range snap.Rolls(plan.Name) {
		switch {
		case roll.Phase.Final():
			over++
		case roll.StuckID != "":
			stuck++
		case roll.Phase != model.Queued:
			begun++
		}
	}
	return fmt.Sprintf("%s %d of %d, %d over, %d stuck", plan.Status, begun, len(plan.Order), over, stuck)
}
