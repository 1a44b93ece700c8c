package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// gateActor signs what the gate does by itself.
const gateActor = "gate"

type leaveInput struct {
	CellPath
	Body client.Leave
}

type leaveStreamInput struct {
	CellPath
	Action     model.Action `query:"action" enum:"restart,reboot,recreate,retire"`
	Asking     string       `query:"asking"`
	Deployment string       `query:"deployment"`
}

type returnInput struct {
	CellPath
	Body client.Return
}

type returnStreamInput struct {
	CellPath
	Asking string `query:"asking"`
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
	stream(routes, operation(http.MethodGet, "/v1/cells/{id}/leave/stream", "stream-leave", "How the gate stands for who asked for leave, as it changes", "gate"),
		map[string]any{"gate": client.GateView{}}, s.streamLeave)
	on(routes, operation(http.MethodPut, "/v1/cells/{id}/return", "tell-return", "BOSH waits for a cell to settle", "gate"),
		func(ctx context.Context, in *returnInput) (*client.GateView, error) {
			var view *client.GateView
			_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
				var tx *state.Txn
				tx, view = decideReturn(snap, in.ID, in.Body.Asking, s.now())
				return tx, nil
			})
			return view, err
		})
	// The cells of earlier releases ask, and do not tell.
	on(routes, operation(http.MethodGet, "/v1/cells/{id}/return", "ask-return", "Whether a cell's roll still waits for it to settle", "gate"),
		func(_ context.Context, in *CellPath) (*client.GateView, error) {
			return returning(s.store.Snapshot(), in.ID, ""), nil
		})
	stream(routes, operation(http.MethodGet, "/v1/cells/{id}/return/stream", "stream-return", "Whether a cell's roll still waits for it to settle, as it changes", "gate"),
		map[string]any{"gate": client.GateView{}}, s.streamReturn)
	on(routes, operation(http.MethodPut, "/v1/cells/{id}/gate-opened", "gate-opened", "A person opened a cell's gate by hand", "gate"),
		func(ctx context.Context, in *openedInput) (*client.GateView, error) {
			// It has happened, and a cell tells it until it is heard: no text in
			// it is a reason to refuse it.
			in.Body.Reason, in.Body.Overridden = model.BoundLine(in.Body.Reason), model.BoundLine(in.Body.Overridden)
			in.Body.By = openedBy(ctx, model.BoundLine(in.Body.By))
			_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
				return decideOpened(snap, in.ID, in.Body, s.now())
			})
			if err != nil {
				return nil, err
			}
			return &client.GateView{CellID: in.ID, Open: true}, nil
		})
}

func (s *server) streamLeave(ctx context.Context, in *leaveStreamInput) (func(*sender) error, error) {
	leave := client.Leave{Action: in.Action, Asking: in.Asking, Deployment: in.Deployment}
	return s.streamGate(ctx, in.ID, func(snap *state.Snapshot) *client.GateView {
		tx, view := decideLeave(snap, in.ID, leave, s.now())
		view.Ask = tx != nil
		return view
	}), nil
}

func (s *server) streamReturn(ctx context.Context, in *returnStreamInput) (func(*sender) error, error) {
	return s.streamGate(ctx, in.ID, func(snap *state.Snapshot) *client.GateView { return returning(snap, in.ID, in.Asking) }), nil
}

// gatePace is the least time between two looks for one cell: when a whole
// fleet stands at its gates, every step of each cell is a change for all.
const gatePace = 100 * time.Millisecond

// streamGate sends how the gate stands whenever that changes, until there is
// nothing more to wait for here.
func (s *server) streamGate(ctx context.Context, cellID string, stands func(*state.Snapshot) *client.GateView) func(*sender) error {
	return func(send *sender) error {
		var last string
		for {
			snap := s.store.Snapshot()
			view := stands(snap)
			if view.Why == "" && !view.Open && view.Refused == "" {
				view.Why = gateLine(snap, cellID, s.now())
			}
			content, err := json.Marshal(view)
			if err != nil {
				return err
			}
			if string(content) != last {
				if err := send.send("gate", "", content); err != nil {
					return err
				}
				last = string(content)
			}
			if view.Open || view.Ask || view.Refused != "" {
				return nil
			}
			if err := s.awaitChange(ctx, snap, send); err != nil {
				return err
			}
			select {
			case <-time.After(gatePace):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// returning says whether a cell that BOSH has started again is still waited
// for. A roll that has its host before it waits for nobody.
func returning(snap *state.Snapshot, cellID, asking string) *client.GateView {
	view := &client.GateView{CellID: cellID, Open: true}
	plan, roll := rollOf(snap, cellID)
	if plan == nil || roll.Phase.BeforeHost() {
		return view
	}
	view.Open, view.Covers, view.Plan, view.Phase = !roll.HoldsBack(asking), true, plan.Name, roll.Phase
	if view.Open {
		view.Why = fmt.Sprintf("plan %s begins the %s of the cell anew, so what came of it before is not waited for", plan.Name, roll.Action)
	}
	return view
}

// decideReturn answers BOSH, to which the host is back, and writes down since
// when it waits for the cell: when it waits in vain, that is told of.
func decideReturn(snap *state.Snapshot, cellID, asking string, now time.Time) (*state.Txn, *client.GateView) {
	view := returning(snap, cellID, asking)
	_, roll := rollOf(snap, cellID)
	waits := !view.Open && (roll.Phase == model.Acting || roll.Phase == model.Returning)
	if !waits || asking == "" || asking == roll.BackAsking {
		return nil, view
	}
	back := *roll
	back.BackAt, back.BackAsking = now, asking
	tx := snap.Txn()
	tx.Put(&back)
	tx.Event(model.Event{At: now, Kind: model.EventGateReturned, Actor: gateActor, CellID: cellID, Plan: roll.Plan,
		Text: fmt.Sprintf("cell %s: to BOSH the host is back; it waits until the cell has settled", cellID)})
	return tx, view
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
// and that has not come to its host, is over: BOSH did not wait for it. Of a
// cell that there is not nothing is kept.
func decideOpened(snap *state.Snapshot, cellID string, opened client.GateOpened, now time.Time) (*state.Txn, error) {
	cell := snap.Cell(cellID)
	if cell == nil {
		return nil, notFound("there is no cell %s, so it has no gate", cellID)
	}
	if cell.GateOpenedAt.Equal(opened.At) {
		return nil, nil // told before
	}
	text := fmt.Sprintf("the gate of cell %s was opened by hand at %s", cellID, opened.At.UTC().Format(time.RFC3339))
	tx := snap.Txn()
	told := *cell
	told.GateOpenedAt = opened.At
	tx.Put(&told)
	if opened.Overridden != "" {
		text += "; it waited: " + opened.Overridden
	}
	event := model.Event{At: now, Kind: model.EventGateOpened, Actor: person(opened.By), CellID: cellID, Reason: opened.Reason, Text: text}
	if plan, roll := rollOf(snap, cellID); plan != nil {
		event.Plan = plan.Name
		if plan.Gathers != nil && roll.Phase.BeforeHost() {
			tx.Put(withdrawn(roll, "the gate was opened by hand: "+opened.Reason))
		}
	}
	tx.Event(event)
	return tx, nil
}
