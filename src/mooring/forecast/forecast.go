// Package forecast says when a plan under way is expected to end, by the brain
// that executes it. It does no I/O, and is told the time.
package forecast

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// Planner says what a plan would do: the brain that executes plans.
type Planner func(snap *state.Snapshot, spec model.PlanSpec, now time.Time) (*client.Preview, error)

// Of plans what is left of a plan anew; nil when nothing is, or that cannot be
// done. How far the rolls under way are is not known to the planner, so the end
// is told as if they were over (the earliest), as if they began now (the
// latest), and half-way between.
func Of(planner Planner, snap *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast {
	left := remaining(snap, plan)
	if left.size() == 0 {
		return nil
	}
	snap = allBack(snap)
	whole, err := replan(planner, snap, plan, slices.Concat(left.rolling, left.queued), now)
	if err != nil {
		return nil
	}
	rest := &client.Preview{}
	if len(left.queued) > 0 && len(left.rolling) > 0 {
		if rest, err = replan(planner, snap, plan, left.queued, now); err != nil {
			return nil
		}
	} else if len(left.queued) > 0 {
		rest = whole
	}
	return &client.Forecast{
		Earliest: now.Add(rest.Shortest.D()), Likely: now.Add((rest.Expected.D() + whole.Expected.D()) / 2), Latest: now.Add(whole.Longest.D()),
		Bottleneck: whole.Bottleneck, Left: len(whole.Timeline), Open: left.size() - len(whole.Timeline),
		Slots: nextTurns(rest, now),
	}
}

// remainder is what a plan has still to take through.
type remainder struct {
	queued, rolling []string
	stuck           int
}

func (r remainder) size() int { return len(r.queued) + len(r.rolling) }

func remaining(snap *state.Snapshot, plan *model.Plan) (left remainder) {
	rolls := map[string]*model.Roll{}
	for _, roll := range snap.Rolls(plan.Name) {
		rolls[roll.CellID] = roll
		if roll.StuckID != "" {
			left.stuck++
		}
	}
	for _, id := range plan.Order {
		switch roll := rolls[id]; {
		case roll == nil || roll.Phase == model.Queued:
			left.queued = append(left.queued, id)
		case !roll.Phase.Final():
			left.rolling = append(left.rolling, id)
		}
	}
	return left
}

// Stage gives a text that changes whenever a plan's forecast should.
func Stage(snap *state.Snapshot, plan *model.Plan) string {
	left := remaining(snap, plan)
	return fmt.Sprintf("%s %d %d %d", plan.Status, len(left.queued), len(left.rolling), left.stuck)
}

// turnLimit is the most cells whose expected turn is told.
const turnLimit = 100

// nextTurns gives the first turns of a preview that begins now.
func nextTurns(preview *client.Preview, now time.Time) []client.Turn {
	planned := slices.SortedStableFunc(slices.Values(preview.Timeline), func(a, b client.Slot) int { return cmp.Compare(a.From, b.From) })
	var turns []client.Turn
	for _, slot := range planned[:min(len(planned), turnLimit)] {
		turns = append(turns, client.Turn{CellID: slot.CellID, From: now.Add(slot.From.D()), To: now.Add(slot.To.D())})
	}
	return turns
}

// replan asks for a plan over some of its cells.
func replan(planner Planner, snap *state.Snapshot, plan *model.Plan, cells []string, now time.Time) (*client.Preview, error) {
	spec := plan.PlanSpec
	spec.Cells = model.Selector{IDs: cells}
	spec.MaxInFlight = model.Limit{Count: plan.MaxInFlight.Of(len(plan.Order))}
	spec.Canaries = max(0, plan.Canaries-(len(plan.Order)-len(cells)))
	return planner(snap, spec, now)
}

// allBack gives a snapshot as if everybody who is away on purpose served
// again, and their cells answered: a planner takes those who are away for
// failures, which nothing is planned around.
func allBack(snap *state.Snapshot) *state.Snapshot {
	tx := snap.Txn()
	answers := func(cellID string) {
		if cell := snap.Cell(cellID); cell != nil && !cell.Lost && snap.Presence(cellID) == nil {
			tx.Put(&model.Presence{CellID: cellID, Boot: cell.Boot, Start: cell.Start})
		}
	}
	for _, ledger := range snap.Ledgers() {
		if len(ledger.Permits) == 0 {
			continue
		}
		for i := range ledger.Permits {
			inst := snap.Instance(ledger.AppGUID, ledger.Permits[i].Index)
			if inst == nil || inst.CellID == "" {
				continue
			}
			answers(inst.CellID)
			tx.Put(&model.ActualInstance{AppGUID: inst.AppGUID, Index: inst.Index, CellID: inst.CellID, GUID: inst.GUID, SpecVersion: inst.SpecVersion, State: model.Serving})
		}
		tx.Put(&model.Ledger{AppGUID: ledger.AppGUID})
	}
	for _, plan := range snap.Plans() {
		for _, roll := range snap.Rolls(plan.Name) {
			if !roll.Phase.Final() && roll.Phase != model.Queued {
				answers(roll.CellID)
			}
		}
	}
	return snap.Apply(tx)
}
