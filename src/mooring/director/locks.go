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

// holder gives the task that holds a deployment, nil when none does. Only its
// ID is known of one that the caller may not see.
func (c *Client) holder(ctx context.Context, deployment string) (*Task, error) {
	locks, err := c.Locks(ctx)
	if err != nil {
		return nil, err
	}
	for _, lock := range locks {
		if lock.Type != "deployment" || !slices.Contains(lock.Resource, deployment) {
			continue
		}
		id, err := strconv.Atoi(lock.TaskID.String())
		if err != nil {
			return &Task{}, nil
		}
		if known, err := c.Task(ctx, id); err == nil {
			return known, nil
		}
		return &Task{ID: id}, nil
	}
	return nil, nil
}

// checkFree refuses, with a *LockedError, a deployment that a task holds or
// waits for.
func (c *Client) checkFree(ctx context.Context, deployment string) error {
	holder, err := c.holder(ctx, deployment)
	if err != nil {
		return err
	}
	if holder != nil {
		return &LockedError{Deployment: deployment, Holder: *holder}
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
