package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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

func (f *forecaster) make(ctx context.Context, snap *state.Snapshot, plan *model.Plan, left remainder) {
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
func remaining(snap *state.Snapshot, plan *model.Plan) (left remainder, stage string) {
	rolls := map[string]*model.Roll{}
	stuck := 0
	for _, roll := range snap.Rolls(plan.Name) {
		rolls[roll.CellID] = roll
		if roll.StuckID != "" {
			stuck++
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
	return left, fmt.Sprintf("%s %d %d %d", plan.Status, len(left.queued), len(left.rolling), stuck)
}

// remainder is what a plan has still to take through.
type remainder struct{ queued, rolling []string }

func (r remainder) size() int { return len(r.queued) + len(r.rolling) }

// foretell plans what is left of a plan anew; nil when that cannot be done.
// How far the rolls under way are is not known to the planner, so the end is
// told as if they were over (the earliest), as if they began now (the latest),
// and half-way between.
func foretell(planner Planner, snap *state.Snapshot, plan *model.Plan, left remainder, now time.Time) *Forecast {
	snap = allBack(snap)
	whole, err := replan(planner, snap, plan, slices.Concat(left.rolling, left.queued), now)
	if err != nil || left.size() == 0 {
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
	return &Forecast{
		Earliest: now.Add(rest.Shortest.D()), Likely: now.Add((rest.Expected.D() + whole.Expected.D()) / 2), Latest: now.Add(whole.Longest.D()),
		Bottleneck: whole.Bottleneck, Left: len(whole.Timeline), Open: left.size() - len(whole.Timeline),
		Slots: nextSlots(rest, now),
	}
}

// slotLimit is the most cells whose expected turn is told.
const slotLimit = 100

// nextSlots gives the first slots of a preview that begins now.
func nextSlots(preview *client.Preview, now time.Time) []Slot {
	planned := slices.SortedStableFunc(slices.Values(preview.Timeline), func(a, b client.Slot) int { return cmp.Compare(a.From, b.From) })
	var slots []Slot
	for _, slot := range planned[:min(len(planned), slotLimit)] {
		slots = append(slots, Slot{CellID: slot.CellID, From: now.Add(slot.From.D()), To: now.Add(slot.To.D())})
	}
	return slots
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
