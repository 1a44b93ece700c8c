package orchestrator

import (
	"context"
	"time"

	"mooring/model"
	"mooring/state"
)

// improveRounds are for how long a plan is bettered, 30 s in all. Each begins
// with the plan as it stands then, and what it found is in place before the
// next, which may look further for having more time.
var improveRounds = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}

// improvementOf names the search for a better order of a plan: one for each
// time that it begins or is resumed.
func improvementOf(plan *model.Plan) string { return "improve:" + plan.Name }

// improve betters the order of a plan beside the loop. a.mu is held.
func (a *actions) improve(ctx context.Context, plan *model.Plan) {
	a.drive(ctx, improvementOf(plan), func(ctx context.Context) {
		select {
		case a.improving <- struct{}{}:
			defer func() { <-a.improving }()
		case <-ctx.Done():
			return
		}
		for _, round := range improveRounds {
			if settled := a.improveFor(ctx, round, plan.Name); settled || ctx.Err() != nil {
				return
			}
		}
	})
}

// improveFor looks for a better order for as long as a round takes, and puts
// what it finds in place. It reports whether nothing is left to gain.
func (a *actions) improveFor(ctx context.Context, round time.Duration, name string) (settled bool) {
	snap := a.store.Snapshot()
	plan := snap.Plan(name)
	if plan == nil || !improvable(snap, plan) {
		return true
	}
	cut, end := false, time.Now().Add(round)
	found := seek(snap, plan, time.Now(), until(func() bool { return ctx.Err() == nil && time.Now().Before(end) }, &cut))
	logger := a.logger.With("plan", name, "round", round, "goes_on", cut)
	if found == nil {
		logger.Info("no better order was found")
		return !cut
	}
	logger.Info("a better order was found", "takes", found.after, "instead_of", found.before)
	a.write(ctx, func(snap *state.Snapshot) *state.Txn { return found.swap(snap, time.Now()) })
	return !cut
}
