package orchestrator

import (
	"fmt"
	"slices"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// Preview says what a plan would do to the state as it is: the same order, the
// same dispatch and the same judge as in execution, on expected durations.
// They are measured ones where rolls of the action have finished, otherwise
// documented guesses, and the preview says which. It refuses a spec that
// chooses no cells, names one that does not exist, or has a window that cannot
// be read.
func Preview(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*client.Preview, error) {
	return PreviewWithin(snap, spec, now, nil)
}

// PreviewWithin is Preview with an order that is bettered for as long as more
// says, which it asks between steps; nil for not at all.
func PreviewWithin(snap *state.Snapshot, spec model.PlanSpec, now time.Time, more func() bool) (*client.Preview, error) {
	window, err := model.ParseWindow(spec.Window)
	if err != nil {
		return nil, err
	}
	cut := false
	plan, err := newPlanWithin(snap, spec, now, until(more, &cut))
	if err != nil {
		return nil, err
	}
	d := newForesight(snap, now)
	d.leaving = snap.Leaving(plan)
	p := &client.Preview{Order: plan.Order, Greedy: plan.Greedy, Improvable: cut && orderDecides(plan)}
	var rolls []*model.Roll
	for _, roll := range plannedRolls(plan) {
		if never := d.neverRolls(plan, roll); never != nil {
			p.Never = append(p.Never, *never)
		} else if d.away(roll) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("cell %s does not answer; it is left out until it does", roll.CellID))
		} else {
			rolls = append(rolls, roll)
		}
		for _, o := range d.occupants(roll) {
			p.DataAtRisk = append(p.DataAtRisk, d.dataOf(o)...)
		}
	}
	if open, next := window.Open(d.now); !open {
		p.Opens = &next
		p.Warnings = append(p.Warnings, "the window is closed until "+next.Format(time.RFC1123))
	}
	s := d.surveyOf(plan, rolls)
	p.Warnings = append(p.Warnings, d.sharing(s, "")...)
	d.beside(s, "")
	d.foretell(p, plan, s)
	p.Warnings = append(p.Warnings, d.warnings(plan)...)
	return p, nil
}

// neverRolls says why a cell can never be rolled, nil when it can.
func (d *decision) neverRolls(plan *model.Plan, roll *model.Roll) *client.Forbidden {
	c := d.draft(plan, roll)
	occupants := d.occupants(roll)
	limit := ""
	var why *model.Stuck
	if blocker := c.forever(occupants); blocker != nil {
		why = c.forbidden(*blocker)
		if blocker.LimitName != "" {
			limit = fmt.Sprintf("%s: %d", blocker.LimitName, blocker.Limit)
		}
	} else if o := stranded(occupants); o != nil {
		why = c.nowhereToGo(o)
	} else {
		return nil
	}
	return &client.Forbidden{
		CellID: roll.CellID, Instance: d.nameOf(why.AppGUID, why.Index), Limit: limit, Owner: why.Owner, Text: why.What,
	}
}

// foretell fills in when each cell rolls and what bounds the whole, counted
// from when the window opens.
func (d *decision) foretell(p *client.Preview, plan *model.Plan, s *survey) {
	turns := s.turns()
	f := s.foresee(turns)
	timeline := s.picture(turns, f.ends.Half)
	var closed time.Duration
	if p.Opens != nil {
		closed = p.Opens.Sub(d.now)
	}
	at := func(moment time.Duration) model.Duration { return rounded(max(0, moment-closed)) }
	p.Expected, p.Shortest, p.Longest = at(f.ends.Half), at(f.ends.Short), at(f.ends.Most)
	for i := range s.rolls {
		if timeline.Start[i] < 0 {
			p.Warnings = append(p.Warnings, d.neverStarts(s, i))
			continue
		}
		slot := client.Slot{CellID: s.problem.Cells[i].ID, From: at(timeline.Start[i]), To: at(timeline.End[i])}
		if cell := d.snap.Cell(slot.CellID); cell != nil {
			slot.AZ, slot.Domain = cell.AZ, cell.Domain
		}
		p.Timeline = append(p.Timeline, slot)
	}
	slices.SortStableFunc(p.Timeline, func(a, b client.Slot) int { return int(a.From - b.From) })
	p.AtOnce = mostAtOnce(p.Timeline)
	if unfit := d.unfit(plan, s, timeline); unfit != "" {
		p.Warnings = append(p.Warnings, unfit)
	}
	onlyStarted(f.typical, timeline)
	bound := sequence.Bound(f.certain, f.typical)
	p.Bound, p.Bottleneck = rounded(bound.Makespan), d.bottleneck(s, bound)
	p.Exclusive, p.Raises = d.exclusive(s, bound), d.raises(s, turns, bound, f)
	if len(p.Raises) > 0 {
		p.Raise = &p.Raises[0]
	}
	if known := d.snap.Durations(model.Hosts); known != nil && known.Rolls != (model.Tally{}) {
		p.Foresight = &client.Foresight{Rolls: known.Rolls, Plans: known.Plans}
	}
}

// rounded gives a duration as precisely as it can be foreseen.
func rounded(d time.Duration) model.Duration {
	if d < 10*time.Second {
		return model.Duration(d.Round(100 * time.Millisecond))
	}
	return model.Duration(d.Round(time.Second))
}

// mostAtOnce counts the most slots that overlap at any moment. One that ends as
// another begins does not overlap with it.
func mostAtOnce(slots []client.Slot) int {
	begin, end := make([]model.Duration, len(slots)), make([]model.Duration, len(slots))
	for i, slot := range slots {
		begin[i], end[i] = slot.From, slot.To
	}
	slices.Sort(begin)
	slices.Sort(end)
	most, ended := 0, 0
	for i, at := range begin {
		for end[ended] <= at {
			ended++
		}
		most = max(most, i+1-ended)
	}
	return most
}

// neverStarts says why a cell does not get its turn as things are.
func (d *decision) neverStarts(s *survey, cell int) string {
	id := s.problem.Cells[cell].ID
	if appGUID, index := d.shortOf(s, cell); index >= 0 {
		return fmt.Sprintf("cell %s waits until %s serves", id, d.nameOf(appGUID, index))
	}
	if what := d.stuckWith(s, cell); what != "" {
		return fmt.Sprintf("cell %s waits for %s", id, what)
	}
	return fmt.Sprintf("cell %s does not get its turn as things are", id)
}

// warnings are what an operator should know before starting the plan.
func (d *decision) warnings(plan *model.Plan) []string {
	var warnings []string
	if !d.durations().Measured(plan.Action) {
		warnings = append(warnings, fmt.Sprintf("no %s was measured yet; the durations are guesses", plan.Action))
	}
	for _, app := range d.snap.Apps() {
		if limits := lifecycle.LimitsOf(&app.Policy, app.Instances); limits.Disrupted == 0 && app.Instances > 0 && !app.Deleting {
			warnings = append(warnings, fmt.Sprintf("the policy of %s allows no disruption at all; %s would have to change it", app.Name, app.Owned()))
		}
	}
	return warnings
}
