package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// entrance is where requests come in. Until it is opened, each is answered with
// 503 and what this process waits for. Its zero value waits.
type entrance struct {
	handler atomic.Pointer[http.Handler]
	cause   atomic.Pointer[error]
}

// wait says what is waited for.
func (e *entrance) wait(cause error) { e.cause.Store(&cause) }

// open lets requests in.
func (e *entrance) open(handler http.Handler) { e.handler.Store(&handler) }

func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := e.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	detail := "this node is waiting for the state"
	if cause := e.cause.Load(); cause != nil {
		detail += ": " + (*cause).Error()
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	// A caller that went away cannot be told.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable, "detail": detail,
	})
}
