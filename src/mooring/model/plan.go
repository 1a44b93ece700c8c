package model

import (
	"slices"
	"time"
)

// PlanSpec is what an operator asks for: take these cells through this action.
type PlanSpec struct {
	Name  string   `json:"name" example:"stemcell-1.915"`
	Cells Selector `json:"cells"`
	// Action is what is done to each host.
	Action Action `json:"action" enum:"restart,reboot,recreate,retire"`
	Via    Via    `json:"via,omitzero"`
	// MaxInFlight is the operator's own ceiling on cells in roll at once; the
	// zero value is no ceiling.
	MaxInFlight Limit `json:"max_in_flight,omitempty"`
	// Canaries is how many cells are rolled, one at a time, before the rest.
	Canaries int `json:"canaries,omitempty" minimum:"0"`
	// Window bounds when a roll may start, as "Sat 02:00-06:00 Europe/London"
	// or "02:00-06:00 UTC" for every day.
	Window  string      `json:"window,omitempty"`
	OnStuck StuckChoice `json:"on_stuck,omitempty" enum:"hold,skip"`
}

// Selector chooses cells: all, or those that every field given agrees to. The
// empty selector is refused, since it more often means a mistake than all.
type Selector struct {
	All  bool     `json:"all,omitempty"`
	IDs  []string `json:"ids,omitempty"`
	Pool string   `json:"pool,omitempty"`
	AZ   []string `json:"az,omitempty"`
}

// Empty reports whether the selector says nothing at all.
func (s Selector) Empty() bool {
	return !s.All && len(s.IDs) == 0 && s.Pool == "" && len(s.AZ) == 0
}

// Via is how the host is acted on. At most one way is given; none means the
// control plane's default.
type Via struct {
	// Command is run by sh -c on the control plane with MOORING_ACTION,
	// MOORING_CELL, MOORING_PLAN and MOORING_ROLL (unique per attempt) set. It
	// must be idempotent in MOORING_ROLL: after a crash it is run again.
	Command string `json:"command,omitempty"`
	// Wait: somebody else acts on the host once it is quiesced.
	Wait bool `json:"wait,omitempty"`
	// Bosh: the Director acts on the hosts.
	Bosh *BoshVia `json:"bosh,omitempty"`
	// Within is how long the host may take, from when it stands quiet until it
	// is back, before people are told; 0 means as long as such hosts were
	// measured to take, where that says anything.
	Within Duration `json:"within,omitempty"`
}

// PlanStatus is where a plan stands.
type PlanStatus string

// States of a plan. Done and Aborted are final.
const (
	PlanRunning PlanStatus = "running"
	PlanPaused  PlanStatus = "paused"
	PlanAborted PlanStatus = "aborted"
	PlanDone    PlanStatus = "done"
)

// Intent is what an operator last said about a plan.
type Intent string

// What can be said about a running plan.
const (
	IntentRun   Intent = "run"
	IntentPause Intent = "pause"
	IntentAbort Intent = "abort"
)

// Plan is the ordered set of rolls of one PlanSpec.
type Plan struct {
	PlanSpec
	// Intent, its reason, who said it and when are written by the API, Status by
	// the orchestrator. Nobody has said anything yet where IntentBy is "".
	Intent     Intent     `json:"intent"`
	Reason     string     `json:"reason,omitempty"`
	IntentBy   string     `json:"intent_by,omitempty"`
	IntentAt   time.Time  `json:"intent_at,omitzero"`
	Status     PlanStatus `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by,omitempty"`
	FinishedAt time.Time  `json:"finished_at,omitzero"`
	// Converging is how BOSH's one task for the whole plan stands; nil before
	// it was asked for, and where there is none.
	Converging *Converging `json:"converging,omitempty"`
	// Gathers is set for plans that the gate made; nil for those of people.
	Gathers *Gathering `json:"gathers,omitempty"`
	// Order lists the cells as it was chosen when the plan was made, or when
	// cells last came to it.
	Order []string `json:"order"`
	// Greedy lets a cell pass those ahead of it whenever it fits; otherwise it
	// passes one only where it takes nothing that one waits for. It was chosen
	// with the order.
	Greedy bool `json:"greedy,omitempty"`
	// Foreseen is how long the plan was expected to take then.
	Foreseen Foreseen `json:"foreseen,omitzero"`
}

// Finished reports whether nothing more will happen under the plan.
func (p *Plan) Finished() bool { return p.Status == PlanDone || p.Status == PlanAborted }

// Phase is how far a roll has come.
type Phase string

// The phases of a roll in order, then its other ends. A roll that is stuck
// keeps its phase and has Roll.StuckID.
const (
	Queued       Phase = "queued"
	Cordoned     Phase = "cordoned"     // no new work comes here
	Draining     Phase = "draining"     // drains run
	Moving       Phase = "moving"       // stateless replaced, floating moved
	Interrupting Phase = "interrupting" // all-or-nothing permits; handlers run together
	Quiesced     Phase = "quiesced"     // nothing is left running here
	Acting       Phase = "acting"       // the host is being acted on
	Returning    Phase = "returning"    // waiting for a new boot with the same volumes
	Settling     Phase = "settling"     // waiting until every instance serves
	RollDone     Phase = "done"
	RollSkipped  Phase = "skipped"
	RollAborted  Phase = "aborted"
)

// Phases lists the phases of a roll in order, without the other ends.
var Phases = []Phase{Queued, Cordoned, Draining, Moving, Interrupting, Quiesced, Acting, Returning, Settling, RollDone}

// Final reports whether a roll in this phase has ended.
func (p Phase) Final() bool { return p == RollDone || p == RollSkipped || p == RollAborted }

// BeforeHost reports whether a roll in this phase has not touched its host, so
// that all of it can be undone.
func (p Phase) BeforeHost() bool {
	at := slices.Index(Phases, p)
	return at >= 0 && at < slices.Index(Phases, Acting)
}

// Roll is one cell's way through maintenance.
type Roll struct {
	Plan   string `json:"plan"`
	CellID string `json:"cell_id"`
	// Order is the cell's place in the plan, from 0, or NoOrder.
	Order  int    `json:"order"`
	Action Action `json:"action"`
	Phase  Phase  `json:"phase"`
	// ID is new for each attempt at the host action; it is MOORING_ROLL.
	ID string `json:"id,omitempty"`
	// Began is when the attempt at the host action began.
	Began time.Time `json:"began,omitzero"`
	// Boot and Start are those of the cell when the action began; the cell is
	// back when it shows others.
	Boot  string `json:"boot,omitempty"`
	Start string `json:"start,omitempty"`
	// Gone is set when the cell was, or may have been, gone when the action
	// began: that it does not answer says nothing of the action then.
	Gone bool `json:"gone,omitempty"`
	// Alone is set when the host is acted on by itself, once BOSH's task for the
	// whole plan, which failed on it, has ended.
	Alone bool `json:"alone,omitempty"`
	// AtGate is when BOSH first asked at the cell's gate for leave to stop it
	// under this roll; zero while it has not.
	AtGate time.Time `json:"at_gate,omitzero"`
	// Asking names who stands at the gate, and Refused says why that one is
	// turned away: BOSH waits for its answer, and is to have one. Deployment is
	// whose task of BOSH waits, "" where the cell did not say.
	Asking     string `json:"asking,omitempty"`
	Refused    string `json:"refused,omitempty"`
	Deployment string `json:"deployment,omitempty"`
	// DeletesAll is set when that task deletes the whole deployment: all of its
	// cells go, also those that it has not come to.
	DeletesAll bool `json:"deletes_all,omitempty"`
	// BackAt is when BOSH, for which the host is back, began to wait at the
	// cell's gate until the cell has settled; zero while it has not since the
	// attempt at the host action began. BackAsking names who waits there, or did
	// during an attempt before.
	BackAt     time.Time `json:"back_at,omitzero"`
	BackAsking string    `json:"back_asking,omitempty"`
	// Acted is set once the driver said that the host action is complete.
	Acted bool `json:"acted,omitempty"`
	// Waits says what the host action waits for before it can begin, such as
	// who holds the deployment; "" when it waits for nothing.
	Waits string `json:"waits,omitempty"`
	// Task is the last that BOSH said of the host, nil where it says nothing.
	Task *HostTask `json:"task,omitempty"`
	// Error is the last failure of the host action.
	Error string `json:"error,omitempty"`
	// Force, Forced and Extra carry a person's answer into the next claim: Force
	// answers for the whole cell, Forced for single instances on it.
	Force  bool          `json:"force,omitempty"`
	Forced []InstanceRef `json:"forced,omitempty"`
	Extra  Duration      `json:"extra,omitempty"`
	// StuckID is the open alert of the roll, "" while it moves.
	StuckID string `json:"stuck_id,omitempty"`
	// Foreseen is how long the roll was expected to take when it last started,
	// without the time it stands in line.
	Foreseen Foreseen `json:"foreseen,omitzero"`
	Timeline []Entry  `json:"timeline"`
}

// Entry is one line of a roll's timeline: the audit, the source of estimates,
// and where a new leader picks up. It is written before the phase is acted on.
type Entry struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"`
}

// Forces reports whether somebody answered for an instance: it is stopped
// without its handler.
func (r *Roll) Forces(appGUID string, index int) bool {
	return r.Force || slices.Contains(r.Forced, InstanceRef{AppGUID: appGUID, Index: index})
}

// SameBoot reports whether a new agent answers in the boot that was to end: the
// host was restarted, and the roll's action asks for more.
func (r *Roll) SameBoot(presence *Presence) bool {
	return presence != nil && presence.Start != r.Start && presence.Boot == r.Boot && r.Action != Restart
}

// HoldsBack reports whether who waits at the cell's gate until the cell has
// settled has to wait on. What came of an attempt at the host action is not
// waited for once another one has begun.
func (r *Roll) HoldsBack(asking string) bool {
	letGo := asking != "" && asking == r.BackAsking && r.BackAt.IsZero()
	return !letGo && !r.Phase.BeforeHost() && !r.Phase.Final()
}

// Holder names the roll as a holder of permits, cordon and claim.
func (r *Roll) Holder() string { return RollHolder(r.Plan, r.CellID) }

// Since gives when the roll came into the phase it is in.
func (r *Roll) Since() time.Time {
	at, _ := r.Entered(r.Phase)
	return at
}

// Entered gives when the roll last came into a phase from another one. What was
// noted in the phase since then, another attempt at the host action included,
// does not count.
func (r *Roll) Entered(phase Phase) (at time.Time, ever bool) {
	for i := len(r.Timeline) - 1; i >= 0 && (!ever || r.Timeline[i].Phase == phase); i-- {
		if r.Timeline[i].Phase == phase {
			at, ever = r.Timeline[i].At, true
		}
	}
	return at, ever
}

// LastNote gives what was last written of the roll, for those who ask why it
// ended.
func (r *Roll) LastNote() string {
	if n := len(r.Timeline); n > 0 && r.Timeline[n-1].Note != "" {
		return r.Timeline[n-1].Note
	}
	return "nobody said why"
}
