package director

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
)

// ConvergeGroup starts the one task that restarts or recreates a whole
// instance group, maxInFlight ("100%") of an AZ at a time, and gives its ID.
// once names the asking: the task that was started under it before is given
// again. A deployment that somebody else holds is a *LockedError.
func (c *Client) ConvergeGroup(ctx context.Context, deployment, group, state, maxInFlight, once string) (int, error) {
	return c.start(ctx, deployment, once, call{
		method: http.MethodPut, path: path("deployments", deployment, "jobs", group),
		query:  url.Values{"state": {state}, "max_in_flight": {maxInFlight}, "canaries": {"0"}},
		header: map[string]string{"Content-Type": "text/yaml"},
	})
}

// ActOnInstance starts the task that stops, starts, restarts or recreates one
// instance and touches no other, and gives its ID. silent has one that is
// recreated deleted also when its agent does not answer, without its scripts.
// once and errors are as with ConvergeGroup.
func (c *Client) ActOnInstance(ctx context.Context, deployment, group, id, action, once string, silent bool) (int, error) {
	query := url.Values{}
	if silent && action == "recreate" { // nothing else can do without it
		query.Set("ignore_unresponsive_agent", "true")
	}
	return c.start(ctx, deployment, once, call{
		method: http.MethodPost, path: path("deployments", deployment, "instance_groups", group, id, "actions", action),
		query:  query,
		header: map[string]string{"Content-Type": "application/json"},
	})
}

// start starts a task unless it was started before, and never behind a lock.
func (c *Client) start(ctx context.Context, deployment, once string, r call) (int, error) {
	contextID := nameOf(once)
	r.header["X-Bosh-Context-Id"] = contextID
	before, err := c.started(ctx, contextID)
	if err != nil {
		return 0, err
	}
	if before != nil {
		return before.ID, nil
	}
	if err := c.checkFree(ctx, deployment); err != nil {
		return 0, err
	}
	// Once it is sent it is seen through: a call that is cut off may arrive
	// all the same, behind the back of whoever looks for its task.
	sending, done := context.WithTimeout(context.WithoutCancel(ctx), answerPatience)
	defer done()
	a, err := c.do(sending, r)
	if err != nil && passing(err) {
		// It may have arrived all the same.
		if before, looked := c.started(sending, contextID); looked == nil && before != nil {
			return before.ID, nil
		}
	}
	if err != nil {
		return 0, err
	}
	return taskIn(a)
}

// nameOf makes a context ID, at most 64 bytes of what a header may hold.
func nameOf(once string) string { return fmt.Sprintf("mooring-%.20x", sha256.Sum256([]byte(once))) }
