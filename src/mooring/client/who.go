package client

import (
	"context"
	"net/http"
)

// Who is a caller as the API knows it.
type Who struct {
	Name string `json:"name"`
	// How the name was proved: certificate, token, local, nobody, or the issuer
	// of a token.
	How   string   `json:"how"`
	Roles []string `json:"roles"`
}

// Whoami says how the API knows this client.
func (c *Client) Whoami(ctx context.Context) (*Who, error) {
	return one[Who](ctx, c, request{method: http.MethodGet, path: pathOf("whoami"), again: true})
}
