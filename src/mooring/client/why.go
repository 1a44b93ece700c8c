package client

import (
	"context"
	"net/http"
	"time"

	"mooring/model"
)

// Why says why a cell or a plan does not move, or that it does.
type Why struct {
	// Subject is what was asked about, such as "cell c3" or "plan kernel".
	Subject string `json:"subject"`
	// Moving: at the end of the chain is work that goes on by itself, or
	// nothing at all.
	Moving bool `json:"moving"`
	// Chain leads from the subject to the cause: each link is why the one
	// before it waits. It has at least one.
	Chain []Link `json:"chain"`
	// Also names other things that are stuck, by ID, for plans.
	Also []string `json:"also,omitempty"`
}

// LinkKind is what a link of a chain is about.
type LinkKind string

// What links are about.
const (
	LinkPlan     LinkKind = "plan"
	LinkRoll     LinkKind = "roll"
	LinkCell     LinkKind = "cell"
	LinkHost     LinkKind = "host"   // what is done to a host
	LinkLock     LinkKind = "lock"   // a cell that somebody else has taken
	LinkWindow   LinkKind = "window" // a time that has not come
	LinkStuck    LinkKind = "stuck"
	LinkPolicy   LinkKind = "policy"
	LinkClaim    LinkKind = "claim" // a place in the line for permits
	LinkInstance LinkKind = "instance"
	LinkHandler  LinkKind = "handler"
	LinkPerson   LinkKind = "person" // somebody has to decide or act
)

// Link is one cause.
type Link struct {
	Kind LinkKind `json:"kind"`
	// Name of what it is about: a cell, a plan, org/space/name/index.
	Name string `json:"name,omitempty"`
	// Text is one sentence.
	Text  string    `json:"text"`
	Since time.Time `json:"since,omitzero"`
	// Task is the last that BOSH said of it.
	Task *model.HostTask `json:"task,omitempty"`
	// Owner says whom to call about it.
	Owner string `json:"owner,omitempty"`
}

// WhyCell explains why a cell does not move.
func (c *Client) WhyCell(ctx context.Context, id string) (*Why, error) {
	return one[Why](ctx, c, request{method: http.MethodGet, path: pathOf("why", "cells", id), again: true})
}

// WhyPlan explains why a plan does not move.
func (c *Client) WhyPlan(ctx context.Context, name string) (*Why, error) {
	return one[Why](ctx, c, request{method: http.MethodGet, path: pathOf("why", "plans", name), again: true})
}
