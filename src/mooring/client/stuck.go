package client

import (
	"context"
	"net/http"

	"mooring/model"
)

// Stuck lists everything that is stuck, in the order in which it was flagged.
func (c *Client) Stuck(ctx context.Context) ([]model.Stuck, error) {
	return list[model.Stuck](ctx, c, pathOf("stuck"), nil)
}

// Answer gives a person's answer to something stuck. It is refused when the
// answer is not open, contradicts one given before, or would lose data that
// Confirm does not name.
func (c *Client) Answer(ctx context.Context, stuckID string, answer model.Answer) (*model.Stuck, error) {
	return one[model.Stuck](ctx, c, request{method: http.MethodPut, path: pathOf("stuck", stuckID, "answer"), body: answer, again: true})
}
