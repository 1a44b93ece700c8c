package console

import (
	"cmp"
	"slices"

	"mooring/client"
	"mooring/model"
)

// addPlans shows the plans, and in each square how far its newest plan is.
func (v *viewer) addPlans(forecasts map[string]*client.Forecast) {
	plans := slices.Clone(v.snap.Plans())
	slices.SortFunc(plans, func(a, b *model.Plan) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Name, b.Name))
	})
	finished := 0
	for _, plan := range plans {
		if plan.Finished() {
			if finished++; finished > finishedLimit {
				continue
			}
		}
		shown := v.planOf(plan)
		if !plan.Finished() {
			shown.Forecast = forecasts[plan.Name]
		}
		v.board.Plans = append(v.board.Plans, shown)
	}
}

func (v *viewer) planOf(plan *model.Plan) Plan {
	shown := Plan{
		Name: plan.Name, Action: plan.Action, Status: plan.Status, Intent: plan.Intent, Reason: plan.Reason,
		CreatedAt: plan.CreatedAt, CreatedBy: plan.CreatedBy, FinishedAt: plan.FinishedAt, Window: plan.Window,
		Cells: len(plan.Order), Phases: map[model.Phase]int{},
	}
	rolls := map[string]*model.Roll{}
	for _, roll := range v.snap.Rolls(plan.Name) {
		rolls[roll.CellID] = roll
	}
	shown.Course = courseOf(plan, rolls)
	for _, id := range plan.Order {
		roll := rolls[id]
		if roll == nil { // not written yet
			roll = &model.Roll{Plan: plan.Name, CellID: id, Phase: model.Queued}
			if plan.Status == model.PlanAborted {
				roll.Phase = model.RollAborted
			}
		}
		if roll.StuckID != "" {
			shown.Stuck++
		} else {
			shown.Phases[roll.Phase]++
		}
		v.mark(plan, roll)
	}
	return shown
}

// mark shows a roll in its square. An unfinished plan wins over a finished
// one, else the newer one: plans come newest first.
func (v *viewer) mark(plan *model.Plan, roll *model.Roll) {
	cell := v.cells[roll.CellID]
	if cell == nil || cell.Plan != "" && (plan.Finished() || v.unfinished(cell.Plan)) {
		return
	}
	cell.Plan, cell.Phase, cell.Stuck = plan.Name, roll.Phase, roll.StuckID
	cell.Since = plan.CreatedAt
	if n := len(roll.Timeline); n > 0 {
		cell.Since = roll.Timeline[n-1].At
	}
}

func (v *viewer) unfinished(plan string) bool {
	known := v.snap.Plan(plan)
	return known != nil && !known.Finished()
}
