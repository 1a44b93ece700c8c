package client

import (
	"context"

	"mooring/model"
)

// Stuck lists everything that is stuck, in the order in which it was flagged.
func (c *Client) Stuck(ctx context.Context) ([]model.Stuck, error) {
	var list []model.Stuck
	return list, c.get(ctx, pathOf("stuck"), nil, &list)
}

// Answer gives a person's answer to something stuck. It is refused when the
// answer is not open, contradicts one given before, or would lose data that
// Confirm does not name.
func (c *Client) Answer(ctx context.Context, stuckID string, answer model.Answer) (*model.Stuck, error) {
	stuck := &model.Stuck{}
	return stuck, c.put(ctx, pathOf("stuck", stuckID, "answer"), answer, stuck)
}
