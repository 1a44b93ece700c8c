package identity

import (
	"encoding/json"
	"errors"
	"net/http"

	"mooring/access"
)

// Wrap finds out who makes each request and hands it on with that; what needs
// an actor refuses those without one. Pages of other sites that a browser shows
// beside ours are kept from changing anything with its cookie or certificate.
func (a *Authenticator) Wrap(next http.Handler) http.Handler {
	known := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := a.Identify(r)
		ctx := access.WithUnknown(r.Context(), err)
		if err == nil {
			ctx = access.With(r.Context(), actor)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
	sites := http.NewCrossOriginProtection()
	sites.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		(&Problem{Title: "Forbidden", Status: http.StatusForbidden, Detail: "a page of another site may not change anything here"}).Answer(w)
	}))
	return sites.Handler(known)
}

// Require lets through who has a right on what a request is about, and refuses
// others with a problem.
func Require(right access.Right, on func(*http.Request) access.Object, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := access.From(r.Context())
		if err == nil {
			err = access.May(actor, right, on(r))
		}
		if err != nil {
			Refusal(err).Answer(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Problem is a refusal as RFC 9457 has it (application/problem+json).
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is one sentence that says all of it.
	Detail string `json:"detail"`
	// Actor, Right and Object are who may not do what on what, for programs.
	Actor  string       `json:"actor,omitempty"`
	Right  access.Right `json:"right,omitempty"`
	Object string       `json:"object,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Refusal makes a Problem of an error of access.May (403), or of what keeps a
// caller from being known: 401, and 503 while that cannot be found out.
func Refusal(err error) *Problem {
	var denied *access.Denied
	problem := &Problem{Status: http.StatusUnauthorized, Detail: "who calls is not known: " + err.Error() + "; log in with a token or a client certificate"}
	switch {
	case errors.As(err, &denied):
		problem = &Problem{Status: http.StatusForbidden, Detail: err.Error(), Actor: denied.Actor, Right: denied.Right, Object: denied.Object}
	case errors.Is(err, errUnavailable):
		problem = &Problem{Status: http.StatusServiceUnavailable, Detail: err.Error()}
	}
	problem.Title = http.StatusText(problem.Status)
	return problem
}

// Answer refuses a request with the problem.
func (p *Problem) Answer(w http.ResponseWriter) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	// A caller that went away cannot be told.
	_ = json.NewEncoder(w).Encode(p)
}
