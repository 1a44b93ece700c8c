package orchestrator

import (
	"slices"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/sequence"
	"mooring/state"
)

// turnLimit is the most cells whose expected turn is told.
const turnLimit = 100

// Foresee says when a plan under way is expected to end, and when its next cells
// have their turn: by the same order, the same dispatch and the same judge as in
// execution, from where its rolls stand now. What is stuck stays stuck and keeps
// what it holds. A plan that is paused is told as if it went on now. nil when
// nothing is left to do.
func Foresee(snap *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast {
	d := newForesight(snap, now)
	d.since = plan.CreatedAt
	rolls, open := d.goingOn(plan)
	s := d.surveyOf(plan, rolls)
	d.beside(s, plan.Name)
	turns := s.turns()
	f := s.foresee(turns)
	line := s.picture(turns, f.ends.Half)
	onlyStarted(f.typical, line)
	forecast := &client.Forecast{
		Earliest: now.Add(f.ends.Short), Likely: now.Add(f.ends.Half), Latest: now.Add(f.ends.Most),
		Bottleneck: d.bottleneck(s, sequence.Bound(f.certain, f.typical)), Open: open,
	}
	for i, roll := range rolls {
		switch state := s.problem.Cells[i].State; {
		case state == sequence.Rolled:
		case state != sequence.Running && line.Start[i] < 0:
			forecast.Open++
		default:
			forecast.Left++
			if roll.Phase == model.Queued {
				forecast.Slots = append(forecast.Slots, client.Turn{CellID: roll.CellID, From: now.Add(line.Start[i]), To: now.Add(line.End[i])})
			}
		}
	}
	if forecast.Left+forecast.Open == 0 {
		return nil
	}
	slices.SortStableFunc(forecast.Slots, func(a, b client.Turn) int { return a.From.Compare(b.From) })
	forecast.Slots = forecast.Slots[:min(len(forecast.Slots), turnLimit)]
	return forecast
}

// goingOn gives the rolls of a plan in its order, as they are or will be made,
// without those that do not start as things are; open counts these.
func (d *decision) goingOn(plan *model.Plan) (rolls []*model.Roll, open int) {
	for _, planned := range plannedRolls(plan) {
		roll := d.snap.Roll(plan.Name, planned.CellID)
		switch {
		case roll == nil:
			roll = planned
		case roll.Phase != model.Queued:
			rolls = append(rolls, roll)
			continue
		}
		switch {
		case plan.Intent == model.IntentAbort: // nothing starts any more
		case d.neverRolls(plan, roll) != nil, d.away(roll):
			open++
		default:
			rolls = append(rolls, roll)
		}
	}
	return rolls, open
}

// away reports whether a queued roll cannot start because its cell does not
// answer, and is not known to be about to.
func (d *decision) away(roll *model.Roll) bool {
	return !d.snap.Present(roll.CellID) && !d.returns(roll.CellID) && !roll.Force && len(d.occupants(roll)) > 0
}

// standsInLine reports whether a roll under way waits for all that it needs: it
// holds nothing.
func (d *decision) standsInLine(roll *model.Roll) bool {
	return d.snap.Claim(roll.Holder()) != nil && len(d.held[roll.Holder()]) == 0
}

// spent gives how long a roll under way has been at what it does in its phase,
// without the time it stood in line.
func (d *decision) spent(roll *model.Roll) time.Duration {
	if d.snap.Claim(roll.Holder()) != nil {
		return 0
	}
	away := func(phase model.Phase) bool { return phase == model.Acting || phase == model.Returning }
	began := d.now
	for _, entry := range slices.Backward(roll.Timeline) {
		if same := entry.Phase == roll.Phase || away(entry.Phase) && away(roll.Phase); !same {
			break
		}
		if began = entry.At; entry.Note == grantedNote {
			break
		}
	}
	return max(0, d.now.Sub(d.seen(began)))
}
