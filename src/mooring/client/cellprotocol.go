package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mooring/model"
)

// workGrace is how much longer than its wait a long poll may take.
const workGrace = 10 * time.Second

// Register says that a cell's agent has started. From here on only this Start
// is the cell. HTTP 409 (Superseded) when the cell was declared lost and has
// not booted since.
func (c *Client) Register(ctx context.Context, registration model.Registration) (model.Lease, error) {
	var lease model.Lease
	err := c.do(ctx, request{method: http.MethodPost, path: pathOf("cells", registration.ID, "register"), body: registration, again: true}, &lease)
	return lease, err
}

// Work waits until the cell's work differs from what it was at state revision
// after, and gives it; nil when it was the same for the whole of wait. With
// after 0 it answers at once.
func (c *Client) Work(ctx context.Context, cellID string, after int64, wait time.Duration) (*model.Work, error) {
	// The API answers within wait; one that does not has gone away.
	ctx, cancel := context.WithTimeout(ctx, wait+workGrace)
	defer cancel()
	query := url.Values{"after": {strconv.FormatInt(after, 10)}, "wait": {wait.String()}}
	var work model.Work
	err := c.do(ctx, request{method: http.MethodGet, path: pathOf("cells", cellID, "work"), query: query, again: true}, &work)
	// A work's revision is never 0: that is an answer without one.
	if err != nil || work.Revision == 0 {
		return nil, err
	}
	return &work, nil
}

// AppOn gives an app with its instances, for those of them that are on a cell
// to know; the values of its environment are left out. NotFound when none is.
func (c *Client) AppOn(ctx context.Context, cellID string, app model.Name) (*AppView, error) {
	return one[AppView](ctx, c, request{method: http.MethodGet, path: pathOf("cells", cellID, "apps", app.Org, app.Space, app.Name), again: true})
}

// Report says all that is so on a cell, and renews its presence. NotFound when
// the cell is to register first; Superseded when this agent is no longer the
// cell.
func (c *Client) Report(ctx context.Context, cellID string, report model.Report) (model.Lease, error) {
	var lease model.Lease
	err := c.do(ctx, request{method: http.MethodPost, path: pathOf("cells", cellID, "report"), body: report, again: true}, &lease)
	return lease, err
}
