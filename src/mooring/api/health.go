package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
)

// AgeHeader says, in whole seconds, for how long what is shown has not been
// known to be the newest state.
const AgeHeader = "Mooring-State-Age"

// healthz says whether this node can serve: its mirror follows the state, and
// the state can be written. What will keep it from that soon is a warning.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{"status": "ok", "revision": s.store.Snapshot().Revision(), "state_age": s.store.Age().Round(time.Second).String()}
	status := http.StatusOK
	var failure error
	var warnings []string
	for _, problem := range s.problems() {
		if problem.Kind.Severity() != model.Critical {
			warnings = append(warnings, problem.What)
		}
	}
	if len(warnings) > 0 {
		said["warnings"] = warnings
	}
	if failure = s.store.Err(); failure == nil {
		failure = s.failure()
	}
	if failure != nil {
		status = http.StatusServiceUnavailable
		said = map[string]any{"status": "failed", "error": failure.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that went away cannot be told.
	_ = json.NewEncoder(w).Encode(said)
}

// servedStopped are the operations that do not show the state: cells are kept
// present while the mirror has stopped.
var servedStopped = map[string]bool{"report-cell": true}

// fresh says how old what is shown is, and shows nothing while the mirror has
// stopped: another node may do better.
func (s *server) fresh(routes huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader(AgeHeader, strconv.Itoa(int(s.store.Age().Seconds())))
		if err := s.store.Err(); err != nil && !servedStopped[ctx.Operation().OperationID] {
			// A caller that went away cannot be told.
			_ = huma.WriteErr(routes, ctx, http.StatusServiceUnavailable, "this node does not follow the state; another may, or try again: "+err.Error())
			return
		}
		next(ctx)
	}
}
