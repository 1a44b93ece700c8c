package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"mooring/model"
)

// Leave is what BOSH asks at a cell's gate before it stops the cell.
type Leave struct {
	Action model.Action `json:"action" enum:"restart,reboot,recreate,retire" doc:"What BOSH is about to do to the host"`
	// Asking names this asking apart from later ones.
	Asking string `json:"asking,omitempty"`
	// Deployment is BOSH's name of the deployment whose task waits.
	Deployment string `json:"deployment,omitempty" maxLength:"200"`
	// DeletesAll: that task deletes the whole deployment, and so all of its cells.
	DeletesAll bool `json:"deletes_all,omitempty"`
}

// Return is what BOSH says at a cell's gate after it has started the cell again.
type Return struct {
	// Asking names this waiting apart from later ones.
	Asking string `json:"asking" minLength:"1"`
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
	// Why says in one line what is waited for and who can help. It changes when
	// something happened, not when time passed.
	Why string `json:"why,omitempty"`
	// Ask: the rest is to be asked for once more, since asking changes
	// something now.
	Ask bool `json:"ask,omitempty"`
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

// Returning tells that BOSH has started a cell again and waits for it, and says
// whether the cell's roll is still waiting for it to settle. Telling it again
// changes nothing more.
func (c *Client) Returning(ctx context.Context, cellID string, back Return) (*GateView, error) {
	return one[GateView](ctx, c, request{method: http.MethodPut, path: pathOf("cells", cellID, "return"), body: back, again: true})
}

// WatchLeave calls each with how the gate stands for who asked for leave, now
// and whenever that changes, until it is open, refused, or to be asked again.
func (c *Client) WatchLeave(ctx context.Context, cellID string, leave Leave, each func(GateView)) error {
	query := url.Values{"action": {string(leave.Action)}, "asking": {leave.Asking}, "deployment": {leave.Deployment}}
	return c.watchGate(ctx, pathOf("cells", cellID, "leave", "stream"), query, each)
}

// WatchReturn is WatchLeave for a cell that BOSH has started again.
func (c *Client) WatchReturn(ctx context.Context, cellID string, back Return, each func(GateView)) error {
	return c.watchGate(ctx, pathOf("cells", cellID, "return", "stream"), url.Values{"asking": {back.Asking}}, each)
}

func (c *Client) watchGate(ctx context.Context, path string, query url.Values, each func(GateView)) error {
	err := c.stream(ctx, path, query, func(message sseMessage) error {
		var view GateView
		if err := message.decode(&view); err != nil {
			return err
		}
		each(view)
		if view.Open || view.Ask || view.Refused != "" {
			return errFinished
		}
		return nil
	})
	if errors.Is(err, errFinished) {
		return nil
	}
	return err
}

// GateOpened tells that a cell's gate was opened by hand. Telling it again
// changes nothing more.
func (c *Client) GateOpened(ctx context.Context, cellID string, opened GateOpened) error {
	return c.do(ctx, request{method: http.MethodPut, path: pathOf("cells", cellID, "gate-opened"), body: opened, again: true}, nil)
}
