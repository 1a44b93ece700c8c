package handler

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"mooring/model"
)

// Notice is what an instance is told of a disruption: the JSON body of an
// http handler, the environment of a command.
type Notice struct {
	Kind   model.Kind   `json:"kind"`
	Reason model.Reason `json:"reason"`
	Action model.Action `json:"action,omitempty"`
	Permit string       `json:"permit"`
	// Deadline is when the handler is overdue.
	Deadline time.Time `json:"deadline"`
	// TimeoutSeconds is the time until Deadline as the handler began.
	TimeoutSeconds float64 `json:"timeout_s"`
	// ExpectedBackSeconds is how long the outage is expected to last; 0 when
	// nobody knows.
	ExpectedBackSeconds float64      `json:"expected_back_s"`
	Peers               []model.Peer `json:"peers"`
}

// NewNotice says what a task means to its instance, as of now.
func NewNotice(task model.Task, limits Limits, now time.Time) Notice {
	return Notice{
		Kind: task.Kind, Reason: task.Reason, Action: task.Action, Permit: task.PermitID,
		Deadline:            now.Add(limits.Timeout),
		TimeoutSeconds:      limits.Timeout.Seconds(),
		ExpectedBackSeconds: task.ExpectedBack.D().Seconds(),
		Peers:               append([]model.Peer{}, task.Peers...),
	}
}

// Env gives the notice as variables, KEY=VALUE. Durations are in seconds, the
// deadline in RFC 3339, the peers a JSON list.
func (n Notice) Env() ([]string, error) {
	peers, err := json.Marshal(n.Peers)
	if err != nil {
		return nil, fmt.Errorf("writing the peers for a handler: %w", err)
	}
	seconds := func(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) }
	return []string{
		"MOORING_KIND=" + string(n.Kind),
		"MOORING_REASON=" + string(n.Reason),
		"MOORING_ACTION=" + string(n.Action),
		"MOORING_PERMIT=" + n.Permit,
		"MOORING_DEADLINE=" + n.Deadline.Format(time.RFC3339),
		"MOORING_TIMEOUT_S=" + seconds(n.TimeoutSeconds),
		"MOORING_EXPECTED_BACK_S=" + seconds(n.ExpectedBackSeconds),
		"MOORING_PEERS=" + string(peers),
	}, nil
}
