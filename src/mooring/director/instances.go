package director

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Deployment is one deployment of a Director.
type Deployment struct {
	Name   string `json:"name"`
	Locked bool   `json:"locked"`
}

// Deployments lists the deployments that the caller may see.
func (c *Client) Deployments(ctx context.Context) ([]Deployment, error) {
	var all []Deployment
	query := url.Values{"exclude_configs": {"true"}, "exclude_releases": {"true"}, "exclude_stemcells": {"true"}}
	return all, c.get(ctx, "/deployments", query, &all)
}

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
		return nil, fmt.Errorf("deployment %s has no instance group %s; see: bosh -d %s instances", deployment, group, deployment)
	}
	return members, nil
}

// FullInstance is what the agent of an instance says.
type FullInstance struct {
	ID           string `json:"id"`
	Group        string `json:"job_name"`
	Index        int    `json:"index"`
	AZ           string `json:"az"`
	State        string `json:"job_state"` // "running", "stopped", "failing", "unresponsive agent"
	Ignore       bool   `json:"ignore"`
	Bootstrap    bool   `json:"bootstrap"`
	Resurrection bool   `json:"resurrection_paused"`
}

// FullInstances asks every agent of a deployment. It is a task of the
// Director and waits behind its workers.
func (c *Client) FullInstances(ctx context.Context, deployment string) ([]FullInstance, error) {
	a, err := c.patiently(ctx, call{method: http.MethodGet, path: path("deployments", deployment, "instances"), query: url.Values{"format": {"full"}}})
	if err != nil {
		return nil, err
	}
	id, err := taskIn(a)
	if err != nil {
		return nil, err
	}
	if _, err := c.Follow(ctx, id, nil); err != nil {
		return nil, err
	}
	a, err = c.patiently(ctx, call{method: http.MethodGet, path: path("tasks", fmt.Sprint(id), "output"), query: url.Values{"type": {"result"}}})
	if err != nil {
		return nil, err
	}
	var all []FullInstance
	lines := bufio.NewScanner(bytes.NewReader(a.body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var instance FullInstance
		if err := json.Unmarshal(lines.Bytes(), &instance); err != nil {
			return nil, fmt.Errorf("reading the instances of %s: %w", deployment, err)
		}
		all = append(all, instance)
	}
	return all, lines.Err()
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
