package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// DefaultLeaseTTL is how long a cell may go without a report before it counts
// as gone.
const DefaultLeaseTTL = 10 * time.Second

// Planner says what a plan over these cells would do: in which order, and with
// what outcome. It is the brain that will execute the plan. cells are the ids
// that the plan's selector chose, at least one. Preview.Order may leave out
// cells that can never roll.
type Planner func(ctx context.Context, snap *state.Snapshot, spec model.PlanSpec, cells []string, now time.Time) (*client.Preview, error)

// Config is what the API needs. Store and Planner are required.
type Config struct {
	Store   *state.Store
	Planner Planner
	// CheckPlan, when it is set, refuses plans that the outside world cannot
	// carry out, such as through a BOSH group that is not there.
	CheckPlan func(ctx context.Context, spec model.PlanSpec) error
	// Forecast says when a plan under way is expected to end; nil where that is
	// not foretold.
	Forecast func(snap *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast
	// Probe finds out whether the state can be written; nil where nobody looks.
	Probe *state.Probe
	// Logger is silent when nil.
	Logger *slog.Logger
	// LeaseTTL is what cells are told; 0 means DefaultLeaseTTL. At least 1 s.
	LeaseTTL time.Duration
	// Version is shown in the OpenAPI document.
	Version string
}

// server serves the API. Its fields are set once.
type server struct {
	store    *state.Store
	planner  Planner
	forecast func(*state.Snapshot, *model.Plan, time.Time) *client.Forecast
	check    func(context.Context, model.PlanSpec) error
	// problems is what is wrong with the state; failure what of it keeps this
	// node from its work.
	problems func() []state.Problem
	failure  func() error
	logger   *slog.Logger
	ttl      time.Duration
	watch    *workWatch
	reports  reportQueues
	// logs fetches from cells' agents.
	logs    *http.Client
	newGUID func() string
	now     func() time.Time
}

// New gives the handler of the API. Who calls is found out by whoever wraps it
// (identity.Authenticator.Wrap); without that it refuses all but the open
// routes. Streams and long polls end with their request's context: to stop a
// server that serves it without waiting for them, end its
// http.Server.BaseContext.
func New(cfg Config) (http.Handler, error) {
	if cfg.Store == nil || cfg.Planner == nil {
		return nil, errors.New("the API needs a store and a planner")
	}
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = DefaultLeaseTTL
	}
	if cfg.LeaseTTL < time.Second {
		return nil, errors.New("a cell's lease must be at least 1s: etcd counts leases in seconds")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	s := &server{
		store: cfg.Store, planner: cfg.Planner, forecast: cfg.Forecast, check: cfg.CheckPlan, logger: cfg.Logger, ttl: cfg.LeaseTTL,
		watch: &workWatch{}, logs: logClient(),
		newGUID: uuid.NewString, now: func() time.Time { return time.Now().UTC() },
	}
	s.problems, s.failure = func() []state.Problem { return nil }, func() error { return nil }
	if cfg.Probe != nil {
		s.problems, s.failure = cfg.Probe.Problems, cfg.Probe.Failure
	}
	mux := newGuarded()
	metrics := newMetrics(cfg.Store, cfg.Probe)
	mux.Handle("GET /metrics", metrics.handler())
	mux.HandleFunc("GET /healthz", s.healthz)
	routes := humago.New(mux, openAPI(cfg.Version))
	routes.UseMiddleware(metrics.middleware, s.fresh(routes))
	s.volumeSetRoutes(routes)
	s.appRoutes(routes)
	s.logRoutes(routes)
	s.cellRoutes(routes)
	s.agentRoutes(routes)
	s.planRoutes(routes)
	s.gateRoutes(routes)
	s.stuckRoutes(routes)
	s.whyRoutes(routes)
	s.eventRoutes(routes)
	s.whoamiRoute(routes)
	return mux, mux.err
}

// answer is the body of an answer.
type answer[T any] struct {
	Body T
}

// on serves one operation whose answer is a body and nothing else.
func on[In, Out any](routes huma.API, op huma.Operation, serve func(context.Context, *In) (Out, error)) {
	huma.Register(routes, op, func(ctx context.Context, in *In) (*answer[Out], error) {
		out, err := serve(ctx, in)
		if err != nil {
			return nil, err
		}
		return &answer[Out]{out}, nil
	})
}

// operation names what a route does. The id is for generated clients.
func operation(method, path, id, summary, tag string) huma.Operation {
	return huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag}}
}
