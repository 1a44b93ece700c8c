package client

import (
	"context"
	"net/http"
	"time"

	"mooring/model"
)

// Leave is what BOSH asks at a cell's gate before it stops the cell.
type Leave struct {
	Action model.Action `json:"action" enum:"restart,reboot,recreate,retire" doc:"What BOSH is about to do to the host"`
	// Asking names this asking apart from later ones.
	Asking string `json:"asking,omitempty"`
}

// GateView is how a cell's gate stands.
type GateView struct {
	CellID string `json:"cell_id"`
	// Open: the host may be acted on (to leave), or nothing of the cell's last
	// absence is left to wait for (to return).
	Open bool `json:"open"`
	// Plan and Phase are those of the roll that decides, "" when none does.
	Plan  string      `json:"plan,omitempty"`
	Phase model.Phase `json:"phase,omitempty"`
	// Covers: the roll is the one that will open the gate. Otherwise it has to
	// end first, and the gate is to be asked again.
	Covers bool `json:"covers,omitempty"`
	// Refused says why the host must not be acted on, "" while it may yet be.
	Refused string `json:"refused,omitempty"`
	// Why is one sentence where the rest does not say it all.
	Why string `json:"why,omitempty"`
}

// GateOpened tells that a person opened a cell's gate by hand.
type GateOpened struct {
	Reason string       `json:"reason" minLength:"1"`
	By     string       `json:"by,omitempty"`
	At     time.Time    `json:"at"`
	Action model.Action `json:"action,omitempty" doc:"What BOSH was about to do; empty when the cell was returning"`
	// Overridden says what the gate waited for.
	Overridden string `json:"overridden,omitempty"`
}

// AskLeave asks for leave to act on a cell's host. When no roll of the cell is
// under way or in line, one is made for it. Asking again changes nothing more.
func (c *Client) AskLeave(ctx context.Context, cellID string, leave Leave) (*GateView, error) {
	return one[GateView](ctx, c, request{method: http.MethodPut, path: pathOf("cells", cellID, "leave"), body: leave, again: true})
}

// Returning says whether a cell's roll is still waiting for it to settle.
func (c *Client) Returning(ctx context.Context, cellID string) (*GateView, error) {
	return one[GateView](ctx, c, request{method: http.MethodGet, path: pathOf("cells", cellID, "return"), again: true})
}

// GateOpened tells that a cell's gate was opened by hand. Telling it again
// changes nothing more.
func (c *Client) GateOpened(ctx context.Context, cellID string, opened GateOpened) error {
	return c.do(ctx, request{method: http.MethodPut, path: pathOf("cells", cellID, "gate-opened"), body: opened, again: true}, nil)
}
