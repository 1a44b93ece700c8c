package state

import "mooring/model"

// Leaving returns the cells that leave the fleet for good, each with the name of
// the plan that takes it: those whose retire is in line or under way, and all of
// a deployment that BOSH deletes, at their gates or not yet. Nothing new is
// placed on them, since it would have to go again. A cell of which the retire
// was done, skipped or aborted is not among them. plans are counted as if they
// had begun, for previews.
func (s *Snapshot) Leaving(plans ...*model.Plan) map[string]string {
	leaving, deleted := map[string]string{}, map[string]string{}
	for _, plan := range append(s.Plans(), plans...) {
		if plan.Finished() || plan.Action != model.Retire {
			continue
		}
		for _, id := range plan.Order {
			roll := s.Roll(plan.Name, id)
			if roll != nil && roll.Phase.Final() {
				continue
			}
			leaving[id] = plan.Name
			if roll != nil && roll.DeletesAll && roll.Deployment != "" && !roll.AtGate.IsZero() && roll.Refused == "" {
				deleted[roll.Deployment] = plan.Name
			}
		}
	}
	if len(deleted) == 0 {
		return leaving
	}
	for _, cell := range s.Cells() {
		if plan := deleted[cell.Deployment]; plan != "" && leaving[cell.ID] == "" {
			leaving[cell.ID] = plan
		}
	}
	return leaving
}
