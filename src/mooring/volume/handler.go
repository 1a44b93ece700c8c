package volume

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"mooring/model"
)

// newHandler gives the routes of a manager.
func newHandler(m *manager, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	on(mux, logger, "GET "+routeClasses, func(context.Context, struct{}) (classList, error) {
		return classList{m.offers()}, nil
	})
	on(mux, logger, "GET "+routeVolumes, func(context.Context, struct{}) (volumeList, error) {
		volumes, err := m.list()
		return volumeList{volumes}, err
	})
	on(mux, logger, "POST "+routeEnsure, func(ctx context.Context, work model.VolumeWork) (struct{}, error) {
		return struct{}{}, m.ensure(ctx, work)
	})
	on(mux, logger, "POST "+routeAttach, func(ctx context.Context, work model.VolumeWork) (attached, error) {
		path, err := m.attach(ctx, work)
		return attached{path}, err
	})
	on(mux, logger, "POST "+routeDetach, func(ctx context.Context, of named) (struct{}, error) {
		return struct{}{}, m.detach(ctx, of.GUID)
	})
	on(mux, logger, "POST "+routeDelete, func(ctx context.Context, of named) (struct{}, error) {
		return struct{}{}, m.remove(ctx, of.GUID)
	})
	return mux
}

// on serves one route: JSON in, JSON out, errors as a problem.
func on[In, Out any](mux *http.ServeMux, logger *slog.Logger, route string, serve func(context.Context, In) (Out, error)) {
	mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
		if err != nil && !errors.Is(err, io.EOF) {
			fail(w, refuse(ErrInvalid, "reading the request: %v", err))
			return
		}
		out, err := serve(r.Context(), in)
		if err != nil {
			logger.WarnContext(r.Context(), "refused", "route", route, "request", in, "error", err)
			fail(w, err)
			return
		}
		if r.Method != http.MethodGet {
			logger.InfoContext(r.Context(), "done", "route", route, "request", in)
		}
		answer(w, http.StatusOK, out)
	})
}

func fail(w http.ResponseWriter, err error) {
	for _, known := range codes {
		if errors.Is(err, known.err) {
			answer(w, known.status, problem{Code: known.code, Error: err.Error(), Epoch: SeenEpoch(err)})
			return
		}
	}
	answer(w, http.StatusInternalServerError, problem{Code: "failed", Error: err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that went away cannot be told.
	_ = json.NewEncoder(w).Encode(body)
}
