package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"mooring/access"
	"mooring/identity"
)

// guarded is a mux on which every route asks for the right that the table has
// for it. A route that the table does not know cannot be served.
type guarded struct {
	*http.ServeMux
	served map[string]bool
	turns  *turns
	err    error
}

func newGuarded() *guarded {
	return &guarded{ServeMux: http.NewServeMux(), served: map[string]bool{}, turns: newTurns()}
}

// ServeHTTP has every answer taken for what it says it is, and kept by nobody.
func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	g.ServeMux.ServeHTTP(w, r)
}

// HandleFunc serves a route to those who have its right.
func (g *guarded) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	g.Handle(pattern, http.HandlerFunc(handler))
}

// Handle serves a route to those who have its right.
func (g *guarded) Handle(pattern string, handler http.Handler) {
	needed, known := rights[pattern]
	if !known {
		g.err = errors.Join(g.err, fmt.Errorf("the route %s has no right; name it in the table of rights", pattern))
		return
	}
	g.served[pattern] = true
	if takesTurns(pattern, needed) {
		handler = g.turns.take(handler)
	}
	if needed.right != "" {
		handler = identity.Require(needed.right, needed.on, handler)
	}
	g.ServeMux.Handle(pattern, handler)
}

// may refuses who has no right on what only the request's body or the state
// names.
func may(ctx context.Context, right access.Right, on access.Object) error {
	actor, err := access.From(ctx)
	if err == nil {
		err = access.May(actor, right, on)
	}
	if err != nil {
		return identity.Refusal(err)
	}
	return nil
}

// signed is who signs what is done in a context. Who somebody says to be
// counts only where callers are believed, and otherwise stands for them when
// they say nothing.
func signed(ctx context.Context, declared, otherwise string) string {
	actor, err := access.From(ctx)
	switch {
	case err == nil && !actor.Declares:
		return actor.Name
	case declared == "":
		return otherwise
	case access.Reserved(declared):
		return declared + " (a person)"
	}
	return declared
}

// What people are called who did not say who they are, by what they do.
const (
	someOperator  = "operator"
	someDeveloper = "developer"
)
