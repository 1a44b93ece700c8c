package client

import (
	"mooring/lifecycle"
	"mooring/model"
)

// Push is the desired state of an app as a developer writes it.
type Push struct {
	model.Name
	Owner     string        `json:"owner,omitempty" doc:"Whom to call about the app"`
	Instances int           `json:"instances" minimum:"0"`
	Spec      model.RunSpec `json:"spec"`
	Policy    model.Policy  `json:"lifecycle"`
}

// Pushed answers a push or a scale.
type Pushed struct {
	App model.App `json:"app"`
	// Created is false when an app of that name was updated.
	Created bool `json:"created"`
	// Rolling: the spec changed, and instances follow it under the policy.
	Rolling bool `json:"rolling"`
	// Warnings are what was accepted and deserves a second look.
	Warnings []string `json:"warnings,omitempty"`
}

// Scale asks for a number of instances.
type Scale struct {
	Instances int `json:"instances" minimum:"0"`
}

// AppView is an app with what is so.
type AppView struct {
	model.App
	// Effective limits for the desired number of instances.
	Limits lifecycle.Limits `json:"limits"`
	// Counts of the desired instances by standing.
	Serving   int `json:"serving"`
	Disrupted int `json:"disrupted"`
	Down      int `json:"down"`
	// Warnings as in Pushed.
	Warnings []string `json:"warnings,omitempty"`
	// Members is left out of lists.
	Members []InstanceView `json:"members,omitempty"`
}

// InstanceView is one instance: where it is to be and what it is there.
type InstanceView struct {
	Index    int    `json:"index"`
	GUID     string `json:"guid,omitempty"`
	CellID   string `json:"cell_id,omitempty"`
	AZ       string `json:"az,omitempty"`
	Present  bool   `json:"present" doc:"Its cell is there"`
	Address  string `json:"address,omitempty"`
	Ports    []Port `json:"ports,omitempty"`
	Removing bool   `json:"removing,omitempty"`
	// Standing is serving, disrupted or down.
	Standing    string              `json:"standing"`
	State       model.InstanceState `json:"state,omitempty" doc:"As its cell reported it; empty when it did not"`
	SpecVersion int                 `json:"spec_version"`
	Unplaced    string              `json:"unplaced,omitempty" doc:"Which constraint failed"`
	GaveWay     string              `json:"gave_way,omitempty" doc:"Which soft constraint its place does not keep"`
	Volumes     []string            `json:"volumes,omitempty" doc:"GUIDs"`
	// Actual is what the cell reported, Permit why it is disrupted.
	Actual *model.ActualInstance `json:"actual,omitempty"`
	Permit *model.Permit         `json:"permit,omitempty"`
}

// Port is a named port of an instance.
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// PolicyCheck explains a policy, and says what a push with it would meet.
type PolicyCheck struct {
	lifecycle.Explanation
	// Failures says what the app can stand: one instance, and, where its
	// instances are or would be placed, one cell and one AZ.
	Failures []lifecycle.Failure `json:"failures,omitempty"`
	// Cost is what the policy costs the fleet; nil where that is unknown.
	Cost *PolicyCost `json:"cost,omitempty"`
	// Unknown says what could not be found out, and why.
	Unknown []string `json:"unknown,omitempty"`
	// Warnings are accepted by a push, Faults refused.
	Warnings []string `json:"warnings,omitempty"`
	Faults   []string `json:"faults,omitempty"`
}

// PolicyCost is how long it takes to recreate every cell of an app's pool, one
// plan for all, with the app under its policy and without the app.
type PolicyCost struct {
	Action model.Action `json:"action"`
	Cells  int          `json:"cells"`
	// Supposed is how many of the app's instances do not run yet and were
	// counted where the scheduler would place them, Unplaced how many found no
	// place.
	Supposed int      `json:"supposed,omitempty"`
	Unplaced int      `json:"unplaced,omitempty"`
	With     PlanEnds `json:"with"`
	Without  PlanEnds `json:"without"`
	// Bottleneck: no limit of another app, of a cell or of the plan makes it
	// longer than the app's own; Raise is what one more would then buy.
	// Exclusive is set when the app imposes the bound together with others, as
	// one of those that keep cells from being in roll together.
	Bottleneck bool       `json:"bottleneck"`
	Raise      *Raise     `json:"raise,omitempty"`
	Exclusive  *Exclusive `json:"exclusive,omitempty"`
	// Never is how many cells could never roll because of the app.
	Never int `json:"never,omitempty"`
}

// PlanEnds is how long a plan takes: one time in two and nine times in ten at
// most, and in any order at least.
type PlanEnds struct {
	Expected model.Duration `json:"expected"`
	Longest  model.Duration `json:"longest"`
	Bound    model.Duration `json:"bound"`
}
