package demo

import (
	"encoding/json"
	"fmt"
	"os"
)

// Report is the figures of a run. Its JSON fields are a contract.
type Report struct {
	CellsTotal            int `json:"cells_total"`
	CellsRolled           int `json:"cells_rolled"`
	MaxInterruptedAllowed int `json:"max_interrupted_allowed"`
	// MaxInterruptedSeen is the most instances that did not serve at once, as
	// seen from outside.
	MaxInterruptedSeen int `json:"max_interrupted_seen"`
	// PolicyViolations counts how often an instance was taken down while the
	// budget was spent.
	PolicyViolations   int   `json:"policy_violations"`
	WritesAcknowledged int64 `json:"writes_acknowledged"`
	WritesLost         int64 `json:"writes_lost"`
	ReadsWrong         int64 `json:"reads_wrong"`
	RequestsFailed     int64 `json:"requests_failed"`
	// LongestUnavailableMS is the longest that any shard went without a
	// successful write, or read.
	LongestUnavailableMS int64 `json:"longest_unavailable_ms"`
	// StuckFlagged counts the hung handlers that were flagged; StuckFlagDelayS
	// is how long after its progress timeout the operator could see it.
	StuckFlagged         int     `json:"stuck_flagged"`
	StuckFlagDelayS      float64 `json:"stuck_flag_delay_s"`
	ControlPlaneRestarts int     `json:"control_plane_restarts"`
	Seconds              float64 `json:"seconds"`
}

// Missed lists the requirements that a run did not meet, as sentences; none
// when all were met.
func (r *Report) Missed() []string {
	missed := r.Broken()
	need := func(ok bool, format string, args ...any) {
		if !ok {
			missed = append(missed, fmt.Sprintf(format, args...))
		}
	}
	need(r.MaxInterruptedSeen <= r.MaxInterruptedAllowed, "%d instances did not serve at once, %d are allowed", r.MaxInterruptedSeen, r.MaxInterruptedAllowed)
	need(r.RequestsFailed == 0, "%d requests failed for good", r.RequestsFailed)
	need(r.StuckFlagged == 1, "%d hung handlers were flagged, not 1", r.StuckFlagged)
	need(r.StuckFlagDelayS <= mostFlagDelay.Seconds(), "the hung handler was flagged %.1fs after its progress timeout, %s are allowed", r.StuckFlagDelayS, mostFlagDelay)
	need(r.ControlPlaneRestarts >= 1, "the control plane was not restarted")
	need(r.Seconds <= mostSeconds, "it took %.0fs, %ds are allowed", r.Seconds, mostSeconds)
	return missed
}

// Broken lists the promises that no fault may break.
func (r *Report) Broken() []string {
	var broken []string
	promise := func(ok bool, format string, args ...any) {
		if !ok {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	promise(r.CellsRolled == r.CellsTotal, "%d of %d cells were rolled", r.CellsRolled, r.CellsTotal)
	promise(r.PolicyViolations == 0, "the policy was violated %d times", r.PolicyViolations)
	promise(r.MaxInterruptedSeen > 0, "no instance was seen down: nothing was watched")
	promise(r.WritesAcknowledged > 0, "no write was acknowledged")
	promise(r.WritesLost == 0, "%d acknowledged writes were lost", r.WritesLost)
	promise(r.ReadsWrong == 0, "%d reads were wrong", r.ReadsWrong)
	return broken
}

// Write writes the report as JSON to a file.
func (r *Report) Write(path string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
