package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/explain"
)

type whyCellInput struct {
	ID string `path:"id" doc:"ID of the cell"`
}

func (s *server) whyRoutes(routes huma.API) {
	on(routes, operation(http.MethodGet, "/v1/why/cells/{id}", "why-cell", "Why a cell does not move", "why"),
		func(ctx context.Context, in *whyCellInput) (*client.Why, error) {
			if why := explain.Cell(s.store.Snapshot(), in.ID, s.now(), reads(ctx)); why != nil {
				return why, nil
			}
			return nil, notFound("there is no cell %s; see the cells with: moor cells", in.ID)
		})
	on(routes, operation(http.MethodGet, "/v1/why/plans/{plan}", "why-plan", "Why a plan does not move", "why"),
		func(ctx context.Context, in *PlanPath) (*client.Why, error) {
			if why := explain.Plan(s.store.Snapshot(), in.Plan, s.now(), reads(ctx)); why != nil {
				return why, nil
			}
			return nil, notFound("there is no plan %s; see the plans with: moor plans", in.Plan)
		})
}
