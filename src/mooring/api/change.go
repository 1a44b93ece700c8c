package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
	"mooring/state"
)

// decideAtMost bounds how often a change is decided anew because the state
// moved on between the decision and the commit.
const decideAtMost = 20

// change decides on a snapshot and commits, until the state stood still in
// between. What decide refuses is returned as it is. It returns a snapshot
// that shows the change. A nil transaction changes nothing.
func (s *server) change(ctx context.Context, decide func(*state.Snapshot) (*state.Txn, error)) (*state.Snapshot, error) {
	snap, err := s.tryChange(ctx, decide)
	if unwritten := (*unwrittenError)(nil); errors.As(err, &unwritten) {
		return nil, s.unavailable(unwritten.error)
	}
	return snap, err
}

// unwrittenError is why a decision could not be committed.
type unwrittenError struct{ error }

// Unwrap implements errors.Unwrap.
func (e *unwrittenError) Unwrap() error { return e.error }

// tryChange is change that returns an *unwrittenError where the state is not
// available.
func (s *server) tryChange(ctx context.Context, decide func(*state.Snapshot) (*state.Txn, error)) (*state.Snapshot, error) {
	for range decideAtMost {
		snap := s.store.Snapshot()
		tx, err := decide(snap)
		if err != nil {
			return nil, err
		}
		if tx == nil || tx.Empty() {
			return snap, nil
		}
		_, err = s.store.Commit(ctx, tx)
		if err == nil {
			return s.store.Snapshot(), nil
		}
		if !errors.Is(err, state.ErrConflict) {
			return nil, &unwrittenError{err}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, &unwrittenError{errors.New("the state changes faster than this can be decided")}
}

// unavailable is the answer when the state cannot be written or read: another
// node may do better.
func (s *server) unavailable(err error) error {
	s.logger.Error("the state is not available", "error", err)
	return huma.NewError(http.StatusServiceUnavailable, "nothing is known to have changed; try again: "+err.Error())
}

// notFound, conflict and invalid are the refusals of this API.

func notFound(format string, args ...any) error {
	return huma.NewError(http.StatusNotFound, fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) error {
	return huma.NewError(http.StatusConflict, fmt.Sprintf(format, args...))
}

// invalid refuses a request for all the faults it has, nil when it has none.
// Problems keep their places; any other error is a fault of the whole.
func invalid(what string, faults ...error) error {
	var details []error
	for _, fault := range faults {
		var problems model.Problems
		switch {
		case fault == nil:
		case errors.As(fault, &problems):
			for _, p := range problems {
				details = append(details, &huma.ErrorDetail{Message: p.What, Location: p.Where})
			}
		default:
			details = append(details, &huma.ErrorDetail{Message: fault.Error()})
		}
	}
	if len(details) == 0 {
		return nil
	}
	return huma.NewError(http.StatusUnprocessableEntity, what, details...)
}

// checkSaid refuses what a person said, as a reason or as a name, when it cannot
// be kept.
func checkSaid(what, reason, by string) error {
	var faults []error
	if err := model.CheckLines(reason, model.MaxReason); err != nil {
		faults = append(faults, fault("reason", "%v", err))
	}
	if err := model.CheckText(by, model.MaxText); err != nil {
		faults = append(faults, fault("by", "%v", err))
	}
	return invalid(what, faults...)
}

// fault is one problem at a field.
func fault(where, format string, args ...any) error {
	return model.Problems{{Where: where, What: fmt.Sprintf(format, args...)}}
}
