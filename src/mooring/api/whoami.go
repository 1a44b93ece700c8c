package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mooring/access"
	"mooring/client"
	"mooring/identity"
)

// whoamiRoute says to a caller how it is known here.
func (s *server) whoamiRoute(routes huma.API) {
	on(routes, operation(http.MethodGet, "/v1/whoami", "whoami", "Who calls, and with which roles", "access"),
		func(ctx context.Context, _ *struct{}) (*client.Who, error) {
			actor, err := access.From(ctx)
			if err != nil {
				return nil, identity.Refusal(err)
			}
			who := &client.Who{Name: actor.Name, How: actor.How, Roles: []string{}}
			for _, role := range actor.Roles {
				who.Roles = append(who.Roles, role.String())
			}
			return who, nil
		})
}
