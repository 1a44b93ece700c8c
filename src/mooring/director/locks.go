package director

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
)

// Lock is one lock that is held.
type Lock struct {
	Type     string      `json:"type"`     // "deployment"
	Resource []string    `json:"resource"` // its name
	TaskID   json.Number `json:"task_id"`
}

// Locks lists the locks that are held.
func (c *Client) Locks(ctx context.Context) ([]Lock, error) {
	var all []Lock
	return all, c.get(ctx, "/locks", nil, &all)
}

// checkFree refuses, with a *LockedError, a deployment that a task holds or
// waits for.
func (c *Client) checkFree(ctx context.Context, deployment string) error {
	locks, err := c.Locks(ctx)
	if err != nil {
		return err
	}
	for _, lock := range locks {
		if lock.Type != "deployment" || !slices.Contains(lock.Resource, deployment) {
			continue
		}
		holder := Task{}
		if holder.ID, err = strconv.Atoi(lock.TaskID.String()); err == nil {
			if known, err := c.Task(ctx, holder.ID); err == nil {
				holder = *known
			}
		}
		return &LockedError{Deployment: deployment, Holder: holder}
	}
	var under []Task
	query := url.Values{"deployment": {deployment}, "state": {"queued,processing,cancelling"}, "verbose": {"1"}}
	if err := c.get(ctx, "/tasks", query, &under); err != nil {
		return err
	}
	if len(under) > 0 {
		return &LockedError{Deployment: deployment, Holder: under[0]}
	}
	return nil
}
