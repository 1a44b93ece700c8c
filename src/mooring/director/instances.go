package director

import (
	"context"
	"fmt"
)

// Instance is one instance as the Director's own records have it.
type Instance struct {
	ID      string `json:"id"`
	Group   string `json:"job"`
	Index   int    `json:"index"`
	AZ      string `json:"az"`
	AgentID string `json:"agent_id"` // "" without a VM
	VM      string `json:"cid"`
	// ExpectsVM is false for an instance that was stopped hard.
	ExpectsVM bool `json:"expects_vm"`
}

// Instances lists a deployment's instances from the Director's records, at
// once.
func (c *Client) Instances(ctx context.Context, deployment string) ([]Instance, error) {
	var all []Instance
	return all, c.get(ctx, path("deployments", deployment, "instances"), nil, &all)
}

// Group lists the instances of one group. A group that has none is not there.
func (c *Client) Group(ctx context.Context, deployment, group string) ([]Instance, error) {
	all, err := c.Instances(ctx, deployment)
	if NotFound(err) {
		return nil, fmt.Errorf("%w; see: bosh deployments", err)
	}
	if err != nil {
		return nil, err
	}
	var members []Instance
	for _, instance := range all {
		if instance.Group == group {
			members = append(members, instance)
		}
	}
	if len(members) == 0 {
		return nil, unfit{fmt.Errorf("deployment %s has no instance group %s; see: bosh -d %[1]s instances", deployment, group)}
	}
	return members, nil
}

// path joins segments, escaping none: names in BOSH need none, and the client
// escapes the whole.
func path(segments ...string) string {
	joined := ""
	for _, segment := range segments {
		joined += "/" + segment
	}
	return joined
}
