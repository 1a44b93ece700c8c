package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

const (
	// maxReport bounds a report in bytes; a full cell's takes a fraction.
	maxReport = 4 << 20
	// maxWait bounds a long poll.
	maxWait = 2 * time.Minute
	// behindAtMost is how long a node may take to see what a cell has seen.
	behindAtMost = 2 * time.Second
)

// CellPath is where a cell is found. It and the other types that inputs embed
// are exported for huma alone, which passes over embedded types that are not.
type CellPath struct {
	ID string `path:"id" doc:"The cell"`
}

type registerInput struct {
	CellPath
	Body model.Registration
}

type reportInput struct {
	CellPath
	Body model.Report
}

type workInput struct {
	CellPath
	After int64  `query:"after" minimum:"0" doc:"The state revision of the work the cell has; 0 for none"`
	Wait  string `query:"wait" default:"30s" doc:"How long to wait for work that differs from it"`
}

type cellAppInput struct {
	CellPath
	NamePath
}

type workOutput struct {
	Status int
	Body   *model.Work
}

// agentRoutes are the protocol between cells and the API.
func (s *server) agentRoutes(routes huma.API) {
	op := operation(http.MethodPost, "/v1/cells/{id}/register", "register-cell", "A cell's agent has started", "cell protocol")
	op.Middlewares = huma.Middlewares{s.keepWhyRefused}
	on(routes, op, s.register)
	op = operation(http.MethodPost, "/v1/cells/{id}/report", "report-cell", "All that is so on a cell; renews its presence", "cell protocol")
	op.MaxBodyBytes = maxReport
	op.Middlewares = huma.Middlewares{s.receiveReport}
	on(routes, op, s.report)
	op = operation(http.MethodGet, "/v1/cells/{id}/work", "cell-work", "Wait for the cell's work to change; 204 when it did not", "cell protocol")
	huma.Register(routes, op, s.work)
	op = operation(http.MethodGet, "/v1/cells/{id}/apps/{org}/{space}/{name}", "cell-app", "An app with an instance on the cell, for that instance to know", "cell protocol")
	on(routes, op, s.cellApp)
	passOverUnknown[model.Registration](routes)
	passOverUnknown[model.Report](routes)
}

func (s *server) register(ctx context.Context, in *registerInput) (model.Lease, error) {
	var presence model.Presence
	in.Body.LeaseTTL = model.Duration(s.ttl)
	_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		tx, cell, err := admit(snap, in.ID, &in.Body, s.now())
		if err != nil {
			return nil, err
		}
		presence = model.Presence{CellID: cell.ID, Boot: cell.Boot, Start: cell.Start, Registration: cell.Registration}
		return tx, nil
	})
	if err != nil {
		return model.Lease{}, err
	}
	lease, err := s.keep(ctx, &presence)
	lease.Registration = presence.Registration
	return lease, err
}

// keep renews the presence of the agent that is the cell.
func (s *server) keep(ctx context.Context, presence *model.Presence) (model.Lease, error) {
	err := s.store.Keep(ctx, presence, s.ttl)
	switch {
	case errors.Is(err, state.ErrSuperseded):
		return model.Lease{}, superseded(presence.CellID, presence.Start)
	case errors.Is(err, state.ErrUnregistered):
		return model.Lease{}, unregistered(presence.CellID)
	case err != nil:
		return model.Lease{}, s.unavailable(err)
	}
	return model.Lease{TTL: model.Duration(s.ttl)}, nil
}

func superseded(cellID, start string) error {
	return conflict("a newer agent has registered for cell %s; the one started as %s must stop what it runs and exit", cellID, start)
}

// unregistered is the answer to an agent that the state does not know and that
// nobody is known to have replaced: it has to introduce itself again.
func unregistered(cellID string) error {
	return notFound("cell %s is not known to have this agent, as after a backup of the state was restored; the agent must register again", cellID)
}

// speaker finds the cell, and refuses an agent that is not the cell.
func speaker(snap *state.Snapshot, id string, report *model.Report) (*model.Cell, error) {
	cell := snap.Cell(id)
	switch {
	case cell == nil:
		return nil, notFound("there is no cell %s; it must register first", id)
	case cell.Supersedes(report.Start, report.Registration):
		return nil, superseded(id, report.Start)
	case !cell.IsAgent(report.Boot, report.Start):
		return nil, unregistered(id)
	case cell.Lost:
		return nil, conflict("cell %s was declared lost; its agent must stop what it runs, and may register after the host has booted", id)
	}
	return cell, nil
}

// report takes in what a cell says and renews its presence. Where the state can
// be read and not written for a reason that only people mend, what the cell says
// waits for one of its next reports, and the cell is kept: it is not at fault.
func (s *server) report(ctx context.Context, in *reportInput) (model.Lease, error) {
	take := func(snap *state.Snapshot) (*state.Txn, error) {
		cell, err := speaker(snap, in.ID, &in.Body)
		if err != nil {
			return nil, err
		}
		if err := checkReport(snap, cell, &in.Body); err != nil {
			return nil, err
		}
		return absorb(snap, cell, &in.Body, s.now()), nil
	}
	snap, err := s.tryChange(ctx, take)
	if err == nil && slices.ContainsFunc(snap.ActualInstancesOn(in.ID), func(a *model.ActualInstance) bool { return a.Stray }) {
		// This node may have seen less than the one that gave the work: what was
		// written now is behind that.
		_, err = s.tryChange(ctx, take)
	}
	unwritten, record := (*unwrittenError)(nil), (*state.RecordError)(nil)
	switch {
	case errors.Is(err, state.ErrQuota), errors.As(err, &record):
		s.logger.Error("what a cell reports waits until the state can be written", "cell", in.ID, "error", err)
	case errors.As(err, &unwritten):
		return model.Lease{}, s.unavailable(unwritten.error)
	case err != nil:
		return model.Lease{}, err
	}
	return s.keep(ctx, &model.Presence{CellID: in.ID, Boot: in.Body.Boot, Start: in.Body.Start, Registration: in.Body.Registration})
}

func (s *server) work(ctx context.Context, in *workInput) (*workOutput, error) {
	wait, err := time.ParseDuration(in.Wait)
	if err != nil || wait < 0 {
		return nil, invalid("the query cannot be read", fault("wait", "%q is not a time such as 30s", in.Wait))
	}
	if err := s.catchUp(ctx, in.After); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, min(wait, maxWait))
	defer cancel()
	looks := pace{least: workPace}
	for {
		if looks.wait(waiting) != nil {
			return &workOutput{Status: http.StatusNoContent}, nil
		}
		snap := s.store.Snapshot()
		if snap.Cell(in.ID) == nil {
			return nil, notFound("there is no cell %s; it must register first", in.ID)
		}
		work := WorkOf(snap, in.ID)
		sum := sumOf(work)
		if in.After == 0 || !s.watch.has(in.ID, in.After, sum) {
			s.watch.give(in.ID, work, sum)
			return &workOutput{Status: http.StatusOK, Body: work}, nil
		}
		if err := s.store.Wait(waiting, snap.Revision()); err != nil {
			if waiting.Err() != nil {
				return &workOutput{Status: http.StatusNoContent}, nil
			}
			return nil, s.unavailable(err)
		}
	}
}

// cellApp gives an app to a cell that has an instance of it; to any other the
// app might as well not be there.
func (s *server) cellApp(ctx context.Context, in *cellAppInput) (*client.AppView, error) {
	snap := s.store.Snapshot()
	for _, inst := range snap.InstancesOn(in.ID) {
		if app := snap.App(inst.AppGUID); app != nil && app.Name == in.name() {
			return shown(ctx, appView(snap, app)), nil
		}
	}
	return nil, notFound("no instance of app %s is to be on cell %s", in.name(), in.ID)
}

// catchUp waits until this node has seen what another one showed: a cell must
// never be given older work than it has, unless the state itself is older.
func (s *server) catchUp(ctx context.Context, revision int64) error {
	waiting, cancel := context.WithTimeout(ctx, behindAtMost)
	defer cancel()
	if err := s.store.Reach(waiting, revision); err != nil {
		return s.unavailable(err)
	}
	return nil
}
