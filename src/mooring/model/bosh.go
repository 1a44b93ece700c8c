package model

import (
	"fmt"
	"time"
)

// BoshVia names the BOSH instance group whose instances are the plan's cells:
// a cell's ID is its instance's.
type BoshVia struct {
	Deployment    string `json:"deployment" example:"mooring"`
	InstanceGroup string `json:"instance_group" example:"cell"`
}

// HostTask is the last that is known of the task in which BOSH acts on a host.
type HostTask struct {
	ID int `json:"id"`
	// Last is what its log said last of the host, "" while it has said nothing.
	Last string    `json:"last,omitempty" example:"Updating instance: cell/7f3a (0), executing pre-stop"`
	At   time.Time `json:"at,omitzero"`
	// Failed: that was that it failed.
	Failed bool `json:"failed,omitempty"`
}

// Said gives it in one line with its age; "" of nil.
func (t *HostTask) Said(now time.Time) string {
	switch {
	case t == nil:
		return ""
	case t.Last == "":
		return fmt.Sprintf("BOSH task %d", t.ID)
	}
	return fmt.Sprintf("BOSH task %d, last: %s %s ago", t.ID, t.Last, Duration(max(0, now.Sub(t.At)).Round(time.Second)))
}

// Same reports whether two say the same, whenever they say it.
func (t *HostTask) Same(as *HostTask) bool {
	if t == nil || as == nil {
		return t == as
	}
	return t.ID == as.ID && t.Last == as.Last && t.Failed == as.Failed
}

// Converging is the one task by which BOSH takes a whole instance group
// through a plan, or the last one where there were several.
type Converging struct {
	// Attempt counts the tasks of the plan that ended before they had come to
	// every cell.
	Attempt int `json:"attempt,omitempty"`
	// Passes lists the cells that the task passes over, since they were done,
	// skipped, or never let go by a policy, or had failed, when it was asked for.
	Passes []string `json:"passes,omitempty"`
	// Ignored lists those of them that BOSH has been told to ignore for that, or
	// is about to be, and not yet told to ignore no longer.
	Ignored []string `json:"ignored,omitempty"`
	// StillIgnored says why BOSH has not been told so, once it should have been.
	StillIgnored string `json:"still_ignored,omitempty"`
	// Begun is set once BOSH has settled what the task does.
	Begun bool `json:"begun,omitempty"`
	// Waits says what it waits for before it can start, such as who holds the
	// deployment.
	Waits string `json:"waits,omitempty"`
	// Unheard says why nobody hears of it while it is under way, "" while it is
	// followed.
	Unheard string `json:"unheard,omitempty"`
	// Failed lists the cells that BOSH has failed on: it comes to no more of
	// them, and ends with those in flight.
	Failed []string `json:"failed,omitempty"`
	// Breaks says what it failed on where that was no cell in its hands.
	Breaks string `json:"breaks,omitempty"`
	// Skipped lists the cells that it failed on since they had been skipped
	// before it came to them.
	Skipped []string `json:"skipped,omitempty"`
	// Cancelled is set once somebody has cancelled it.
	Cancelled bool `json:"cancelled,omitempty"`
	// Answered is set once somebody has said what is to become of a cell that
	// it failed on: it is to end then, and the plan goes on without it.
	Answered bool `json:"answered,omitempty"`
	// Task is the last that is known of it, nil while it has not started. What
	// it says of single hosts their rolls have.
	Task *HostTask `json:"task,omitempty"`
	// QuietFor is for how long, since QuietAt, nobody is to be told that it is in
	// somebody's way, because a person said so.
	QuietAt  time.Time `json:"quiet_at,omitzero"`
	QuietFor Duration  `json:"quiet_for,omitempty"`
	// Ended says how it ended, "" while it has not: "done" when it came to
	// every cell that it was not to pass over, otherwise what went wrong.
	Ended string `json:"ended,omitempty"`
	// Again is set with that where the cells that are left are taken by another
	// task, as soon as the plan goes on.
	Again bool `json:"again,omitempty"`
}

// ConvergingDone is how a converging task ends that came to every cell.
const ConvergingDone = "done"

// DirectorBlocks is the kind of an alert about a plan that BOSH does not carry
// out: somebody else holds the deployment, or its task ended early.
const DirectorBlocks StuckKind = "director"

// WholeGroup reports whether BOSH takes the plan's cells through it in one
// converging task: those are the cells of the group, and no choice of some.
func (p *PlanSpec) WholeGroup() bool {
	return p.Via.Bosh != nil && len(p.Cells.IDs) == 0 && len(p.Cells.AZ) == 0
}

// AboutToConverge reports whether such a task is about to be asked for: nothing
// that BOSH does to a cell is its doing yet.
func (p *Plan) AboutToConverge() bool {
	c := p.Converging
	return p.Converges() && (c == nil || c.Task == nil && c.Waits == "" && (c.Attempt > 0 || len(c.Passes) > 0))
}

// Converges reports whether that task is still to come or under way. After it
// ended, what it left is taken one cell at a time, unless by another one.
func (p *Plan) Converges() bool {
	return p.WholeGroup() && (p.Converging == nil || p.Converging.Ended == "")
}

func (p *PlanSpec) checkBosh(c check) {
	if p.Via.Bosh == nil {
		return
	}
	for _, field := range []struct{ name, text string }{{"deployment", p.Via.Bosh.Deployment}, {"instance_group", p.Via.Bosh.InstanceGroup}} {
		if field.text == "" {
			c.field("via").field("bosh").field(field.name).wrong("is missing; name it as in the deployment's manifest")
		}
		c.field("via").field("bosh").field(field.name).text(field.text)
	}
	switch p.Action {
	case Reboot:
		c.field("action").wrong("is reboot, which BOSH does not do to a group; use restart or recreate")
	case Retire:
		c.field("action").wrong("is retire, which BOSH does by a deploy with fewer instances: deploy that, and its gates make the plan")
	}
}

// count says how many ways are given.
func (v Via) count() int {
	n := 0
	for _, given := range []bool{v.Command != "", v.Wait, v.Bosh != nil} {
		if given {
			n++
		}
	}
	return n
}
