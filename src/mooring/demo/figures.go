package demo

import (
	"fmt"
	"io"
)

// Print prints the figures for people.
func (r *Report) Print(out io.Writer) {
	for _, line := range []struct {
		what  string
		value string
	}{
		{"cells rolled", fmt.Sprintf("%d of %d", r.CellsRolled, r.CellsTotal)},
		{"instances down at once", fmt.Sprintf("%d, allowed %d", r.MaxInterruptedSeen, r.MaxInterruptedAllowed)},
		{"policy violations", fmt.Sprint(r.PolicyViolations)},
		{"writes acknowledged", fmt.Sprint(r.WritesAcknowledged)},
		{"writes lost", fmt.Sprint(r.WritesLost)},
		{"reads wrong", fmt.Sprint(r.ReadsWrong)},
		{"requests failed", fmt.Sprint(r.RequestsFailed)},
		{"longest unavailable", fmt.Sprintf("%d ms", r.LongestUnavailableMS)},
		{"hung handlers flagged", fmt.Sprintf("%d, %.2f s after the progress timeout", r.StuckFlagged, r.StuckFlagDelayS)},
		{"control plane restarts", fmt.Sprint(r.ControlPlaneRestarts)},
		{"seconds", fmt.Sprintf("%.1f", r.Seconds)},
	} {
		fmt.Fprintf(out, "%-24s %s\n", line.what, line.value)
	}
}
