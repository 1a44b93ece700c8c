package api

import (
	"context"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// planView is a plan with how far each of its cells is. A cell whose roll the
// orchestrator has not written yet is queued.
func planView(ctx context.Context, snap *state.Snapshot, plan *model.Plan, now time.Time) *client.PlanView {
	view := &client.PlanView{Plan: *plan, Rolls: []model.Roll{}}
	rolls := map[string]*model.Roll{}
	for _, roll := range snap.Rolls(plan.Name) {
		rolls[roll.CellID] = roll
	}
	for i, cellID := range plan.Order {
		roll := rolls[cellID]
		if roll == nil {
			roll = &model.Roll{Plan: plan.Name, CellID: cellID, Order: i, Action: plan.Action, Phase: model.Queued}
			if plan.Status == model.PlanAborted {
				roll.Phase = model.RollAborted
			}
		}
		view.Rolls = append(view.Rolls, *roll)
		switch {
		case roll.Phase == model.RollDone:
			view.Done++
		case roll.Phase.Final():
			view.Dropped++
		case roll.Phase == model.Queued:
			view.Queued++
		default:
			view.Rolling++
		}
	}
	for _, stuck := range snap.StuckItems() {
		if stuck.Plan == plan.Name && !stuck.Recovered() {
			view.Stuck = append(view.Stuck, *shownStuck(ctx, stuck))
		}
	}
	if !plan.Finished() {
		view.Waiting = waiting(snap, view.Rolls, now)
	}
	return view
}

// waiting says for the claims of rolls that are in line what stands in their way.
func waiting(snap *state.Snapshot, rolls []model.Roll, now time.Time) []client.Waiting {
	var list []client.Waiting
	for i := range rolls {
		claim := snap.Claim(rolls[i].Holder())
		if claim == nil {
			continue
		}
		_, verdict := snap.Grant(claim.Holder, now)
		item := client.Waiting{CellID: rolls[i].CellID, Since: claim.At}
		for _, blocker := range verdict.Blockers {
			item.Why = append(item.Why, blocker.Text)
		}
		list = append(list, item)
	}
	return list
}
