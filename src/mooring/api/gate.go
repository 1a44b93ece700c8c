package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// gateActor signs the plans that the gate makes for cells that nobody planned
// to roll.
const gateActor = "gate"

type leaveInput struct {
	CellPath
	Body client.Leave
}

type openedInput struct {
	CellPath
	Body client.GateOpened
}

func (s *server) gateRoutes(routes huma.API) {
	on(routes, operation(http.MethodPut, "/v1/cells/{id}/leave", "ask-leave", "Ask for leave to act on a cell's host", "gate"),
		func(ctx context.Context, in *leaveInput) (*client.GateView, error) {
			var view *client.GateView
			_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
				var tx *state.Txn
				tx, view = decideLeave(snap, in.ID, in.Body, s.now())
				return tx, nil
			})
			return view, err
		})
	on(routes, operation(http.MethodGet, "/v1/cells/{id}/return", "ask-return", "Whether a cell's roll still waits for it to settle", "gate"),
		func(_ context.Context, in *CellPath) (*client.GateView, error) {
			return returning(s.store.Snapshot(), in.ID), nil
		})
	on(routes, operation(http.MethodPut, "/v1/cells/{id}/gate-opened", "gate-opened", "A person opened a cell's gate by hand", "gate"),
		func(ctx context.Context, in *openedInput) (*client.GateView, error) {
			in.Body.By = openedBy(ctx, in.Body.By)
			_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
				return decideOpened(snap, in.ID, in.Body, s.now()), nil
			})
			return &client.GateView{CellID: in.ID, Open: true}, err
		})
}

// decideLeave says whether a host may be acted on and, where that takes a roll
// and there is none, makes it. It is pure.
//
// The roll that opens the gate is any of the cell, whoever planned it, whose
// action destroys at least as much as the one asked for: what would be lost
// has then been handed over.
func decideLeave(snap *state.Snapshot, cellID string, leave client.Leave, now time.Time) (*state.Txn, *client.GateView) {
	action := leave.Action
	view := &client.GateView{CellID: cellID}
	cell := snap.Cell(cellID)
	if cell == nil || cell.Lost {
		view.Open = true
		view.Why = "the control plane has no such cell, so nothing of its runs there"
		return nil, view
	}
	plan, roll := rollOf(snap, cellID)
	if plan == nil {
		return gatePlan(snap, cell, action, now, view)
	}
	view.Plan, view.Phase = plan.Name, roll.Phase
	enough := roll.Action.Rank() >= action.Rank()
	gone := !snap.Present(cellID)
	switch phase := roll.Phase; {
	case enough && (phase == model.Acting && !roll.Acted || phase == model.Returning && gone):
		view.Open, view.Covers = true, true
	case enough && approachesHost(phase):
		view.Covers = plan.Intent != model.IntentAbort
	case plan.CreatedBy == gateActor && (approachesHost(phase) || roll.StuckID != ""):
		return replaceGatePlan(snap, plan, action, now, view)
	case !enough:
		view.Why = fmt.Sprintf("plan %s takes the cell through a %s, which does not cover a %s; it has to end first: finish it, or moor abort %s", plan.Name, roll.Action, action, plan.Name)
	default:
		view.Why = fmt.Sprintf("plan %s has acted on the host already and the cell has not settled since", plan.Name)
	}
	if !view.Covers || snap.Roll(plan.Name, cellID) == nil {
		return nil, view
	}
	if roll.Asking == leave.Asking && (roll.Refused != "" || !roll.AtGate.IsZero()) {
		view.Refused = roll.Refused
		return nil, view
	}
	arrived := *roll
	arrived.AtGate, arrived.Asking, arrived.Refused = now, leave.Asking, ""
	tx := snap.Txn()
	tx.Put(&arrived)
	tx.Event(model.Event{At: now, Kind: "gate.asked", Actor: gateActor, CellID: cellID, Plan: plan.Name,
		Text: fmt.Sprintf("cell %s: BOSH asks for leave to %s it", cellID, action)})
	return tx, view
}

// rollOf gives the unfinished roll of a cell and its plan, nil when it has
// none. A roll that the orchestrator has not written yet is queued.
func rollOf(snap *state.Snapshot, cellID string) (*model.Plan, *model.Roll) {
	for _, plan := range snap.Plans() {
		if plan.Finished() || !slices.Contains(plan.Order, cellID) {
			continue
		}
		roll := snap.Roll(plan.Name, cellID)
		if roll == nil {
			roll = &model.Roll{Plan: plan.Name, CellID: cellID, Action: plan.Action, Phase: model.Queued}
		}
		if !roll.Phase.Final() {
			return plan, roll
		}
	}
	return nil, nil
}

// approachesHost reports whether a roll in this phase has its host before it.
func approachesHost(phase model.Phase) bool {
	return slices.Index(model.Phases, phase) >= 0 && slices.Index(model.Phases, phase) < slices.Index(model.Phases, model.Acting)
}

// gatePlan makes the plan of one cell that BOSH wants to stop and nobody
// planned to.
func gatePlan(snap *state.Snapshot, cell *model.Cell, action model.Action, now time.Time, view *client.GateView) (*state.Txn, *client.GateView) {
	plan := &model.Plan{
		PlanSpec: model.PlanSpec{
			Name: gatePlanName(snap, cell), Cells: model.Selector{IDs: []string{cell.ID}},
			Action: action, Via: model.Via{Wait: true}, OnStuck: model.StuckHold,
		},
		Intent: model.IntentRun, Reason: "bosh", Status: model.PlanRunning,
		CreatedAt: now, CreatedBy: gateActor, Order: []string{cell.ID},
	}
	view.Plan, view.Phase, view.Covers = plan.Name, model.Queued, true
	tx := snap.Txn()
	tx.Put(plan)
	tx.RequireUnder(model.TablePlans)
	tx.Event(model.Event{At: now, Kind: "plan.started", Actor: gateActor, Plan: plan.Name, CellID: cell.ID, Reason: plan.Reason,
		Text: fmt.Sprintf("plan %s: BOSH asks for leave to %s cell %s", plan.Name, action, cell.ID)})
	return tx, view
}

// replaceGatePlan ends a roll of the gate's own that is no use any more: BOSH
// now wants to destroy more than it covers, or acts on the cell once more
// because it did not come back well. The next asking makes another.
func replaceGatePlan(snap *state.Snapshot, plan *model.Plan, action model.Action, now time.Time, view *client.GateView) (*state.Txn, *client.GateView) {
	view.Why = fmt.Sprintf("plan %s makes way for one that covers a %s", plan.Name, action)
	if plan.Intent == model.IntentAbort {
		return nil, view
	}
	aborted := *plan
	aborted.Intent, aborted.Reason = model.IntentAbort, "BOSH asks for a "+string(action)+" now"
	tx := snap.Txn()
	tx.Put(&aborted)
	tx.Event(model.Event{At: now, Kind: "plan.aborted", Actor: gateActor, Plan: plan.Name, CellID: view.CellID, Reason: aborted.Reason,
		Text: fmt.Sprintf("plan %s is to be aborted", plan.Name)})
	return tx, view
}

// gatePlanName names a plan after the cell and its boot, and numbers those of
// one boot. The longest cell ID leaves room for all of it.
func gatePlanName(snap *state.Snapshot, cell *model.Cell) string {
	boot := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, cell.Boot)
	base := fmt.Sprintf("gate-%.40s-%.8s", cell.ID, boot+"0")
	name := base
	for n := 2; snap.Plan(name) != nil; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// returning says whether a cell that BOSH has started again is still waited
// for. A roll that has its host before it waits for nobody.
func returning(snap *state.Snapshot, cellID string) *client.GateView {
	view := &client.GateView{CellID: cellID, Open: true}
	if plan, roll := rollOf(snap, cellID); plan != nil && !approachesHost(roll.Phase) {
		view.Open, view.Covers, view.Plan, view.Phase = false, true, plan.Name, roll.Phase
	}
	return view
}

// openedBy names who opened a gate: the person whom the cell names, and who
// says so unless that is believed anyway. The person was on the cell, where no
// login was needed.
func openedBy(ctx context.Context, said string) string {
	if by := signed(ctx, said, ""); by != said {
		return fmt.Sprintf("%s (says %s)", person(said), by)
	}
	return said
}

// decideOpened keeps that a person opened a gate. A roll that the gate made,
// and that has not come to its host, is over: BOSH did not wait for it.
func decideOpened(snap *state.Snapshot, cellID string, opened client.GateOpened, now time.Time) *state.Txn {
	text := fmt.Sprintf("the gate of cell %s was opened by hand at %s", cellID, opened.At.UTC().Format(time.RFC3339))
	for _, event := range snap.RecentEvents(1000) {
		if event.Kind == "gate.opened" && event.CellID == cellID && strings.HasPrefix(event.Text, text) {
			return nil // told before
		}
	}
	if opened.Overridden != "" {
		text += "; it waited: " + opened.Overridden
	}
	tx := snap.Txn()
	event := model.Event{At: now, Kind: "gate.opened", Actor: person(opened.By), CellID: cellID, Reason: opened.Reason, Text: text}
	if plan, roll := rollOf(snap, cellID); plan != nil {
		event.Plan = plan.Name
		if plan.CreatedBy == gateActor && approachesHost(roll.Phase) && plan.Intent != model.IntentAbort {
			aborted := *plan
			aborted.Intent, aborted.Reason = model.IntentAbort, "the gate was opened by hand: "+opened.Reason
			tx.Put(&aborted)
		}
	}
	tx.Event(event)
	return tx
}
