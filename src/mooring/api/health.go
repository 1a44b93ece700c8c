package api

import (
	"encoding/json"
	"net/http"
)

// healthz says whether this node can serve: its mirror follows the state.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{"status": "ok", "revision": s.store.Snapshot().Revision()}
	status := http.StatusOK
	if err := s.store.Err(); err != nil {
		status = http.StatusServiceUnavailable
		said = map[string]any{"status": "failed", "error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that went away cannot be told.
	_ = json.NewEncoder(w).Encode(said)
}
