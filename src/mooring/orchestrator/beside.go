package orchestrator

import (
	"fmt"
	"slices"

	"mooring/model"
	"mooring/sequence"
)

// Plans share the budgets of apps. A foresight of one counts on what the rolls
// under way of the others will give back, when it is due; what they have in the
// queue is asked for when it is its turn, and who comes first then nobody knows
// beforehand.

// beside adds to a survey what is in roll under other plans and spends a budget,
// or keeps a cell, that it needs too. own names the plan surveyed, "" when it has
// not begun.
func (d *decision) beside(s *survey, own string) {
	shared, cells := len(s.budgets), len(s.rolls)
	kept := d.keptCells(s, own)
	for _, plan := range d.snap.Plans() {
		if plan.Name == own || plan.Finished() {
			continue
		}
		for _, roll := range d.snap.Rolls(plan.Name) {
			state := d.stateOf(roll)
			cell, keeps := kept[roll.Holder()]
			if !keeps && state != sequence.Running && state != sequence.Begun {
				continue
			}
			at, spells := len(s.problem.Cells), len(s.spells)
			d.addCell(s, roll)
			s.problem.Cells[at].Foreign = true
			spends := slices.ContainsFunc(s.problem.Cells[at].Uses, func(use sequence.Use) bool { return int(use.App) < shared })
			switch {
			case keeps:
				s.exclude(cell, at)
			case !spends:
				s.problem.Cells, s.sketches, s.spells = s.problem.Cells[:at], s.sketches[:at], s.spells[:spells]
				delete(s.claims, at)
			}
			s.rolls = s.rolls[:cells]
		}
	}
	for a := shared; a < len(s.budgets); a++ {
		s.problem.Apps[a].Down = d.downOf(s.budgets[a], nil)
	}
}

// keptCells gives the cells of a survey that wait because another plan has them,
// by the holder that has them.
func (d *decision) keptCells(s *survey, own string) map[string]int {
	kept := map[string]int{}
	for cell, roll := range s.rolls {
		if roll.Phase != model.Queued {
			continue
		}
		if other := d.snap.RollOn(roll.CellID); other != nil && other.Plan != own && (d.snap.Cordon(roll.CellID) != nil || settles(other)) {
			kept[other.Holder()] = cell
		}
	}
	return kept
}

// exclude keeps two cells of a survey, which are one, from being in roll
// together. One that is stuck keeps the other from it for as long as it is.
func (s *survey) exclude(cell, other int) {
	app := int32(len(s.problem.Apps))
	s.problem.Apps = append(s.problem.Apps, sequence.App{Name: s.problem.Cells[cell].ID, Limit: 1})
	s.budgets = append(s.budgets, budget{})
	for _, c := range []int{cell, other} {
		s.problem.Cells[c].Uses = append(s.problem.Cells[c].Uses, sequence.Use{App: app, N: 1})
	}
	if s.problem.Cells[other].State == sequence.Stuck {
		s.problem.Cells[other].State = sequence.StuckHolding
	}
}

// sharing names the plans that have cells left of an app whose budget a survey
// spends, each with the first of such apps.
func (d *decision) sharing(s *survey, own string) []string {
	spent := map[string]bool{}
	for _, b := range s.budgets {
		spent[b.appGUID] = true
	}
	var warnings []string
	for _, plan := range d.snap.Plans() {
		if plan.Name == own || plan.Finished() {
			continue
		}
		if app := d.firstShared(plan, spent); app != nil {
			warnings = append(warnings, fmt.Sprintf("shares budget with plan %s (of %s): what it has in roll gives that back unless it is stuck, and its next cells may come first", plan.Name, app.Name))
		}
	}
	return warnings
}

// stuckWith gives what a cell would have to wait for that a roll of some plan is
// stuck with: an instance, or the cell itself; "" when there is nothing.
func (d *decision) stuckWith(s *survey, cell int) string {
	for _, use := range s.problem.Cells[cell].Uses {
		app, b := s.problem.Apps[use.App], s.budgets[use.App]
		if b.appGUID == "" { // the cell itself
			return fmt.Sprintf("plan %s, which has it", d.snap.RollOn(app.Name).Plan)
		}
		if int(use.N) <= app.Limit-app.Down {
			continue
		}
		crew := d.crew(b.appGUID)
		for _, index := range crew.Spent(b.kind) {
			if permit := crew.Member(index).Permit; permit == nil {
				continue
			} else if roll := d.rollOf(permit.Holder); roll != nil && roll.StuckID != "" {
				return fmt.Sprintf("%s, with which plan %s is stuck on cell %s", d.nameOf(b.appGUID, index), roll.Plan, roll.CellID)
			}
		}
	}
	return ""
}

// firstShared gives an app among some of which a plan has instances to disrupt
// still, nil when there is none.
func (d *decision) firstShared(plan *model.Plan, among map[string]bool) *model.App {
	for _, roll := range d.snap.Rolls(plan.Name) {
		if roll.Phase.Final() {
			continue
		}
		for _, h := range d.held[roll.Holder()] {
			if among[h.appGUID] {
				return d.snap.App(h.appGUID)
			}
		}
		if !roll.Phase.BeforeHost() {
			continue
		}
		for _, inst := range d.snap.InstancesOn(roll.CellID) {
			if among[inst.AppGUID] {
				return d.snap.App(inst.AppGUID)
			}
		}
	}
	return nil
}
