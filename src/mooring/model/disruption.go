package model

import (
	"fmt"
	"time"
)

// Kind is the kind of a disruption.
type Kind string

// The kinds of disruption.
const (
	Interrupt Kind = "interrupt" // stop for a while, you will be back, your data stays
	Drain     Kind = "drain"     // you are going away and your data with you
)

// Reason is why somebody wants a disruption.
type Reason string

// The reasons for a disruption.
const (
	ReasonRoll   Reason = "roll"   // the host is being rolled
	ReasonUpdate Reason = "update" // a new version of the app
	ReasonScale  Reason = "scale"  // the app shrinks or is deleted
	ReasonMove   Reason = "move"   // rebalancing, or a person asked
)

// Step is how far a disruption has come.
type Step string

// The steps of a disruption, in order. A released permit leaves the ledger.
const (
	StepGranted  Step = "granted"
	StepAsked    Step = "asked"
	StepRunning  Step = "running"
	StepYielded  Step = "yielded" // process stopped, volume flushed and detached
	StepAway     Step = "away"    // its cell is being acted on, or it is being placed anew
	StepBack     Step = "back"    // a process runs again
	StepSoaking  Step = "soaking" // healthy, not yet for healthy_for
	StepReleased Step = "released"
)

// Steps lists the steps in order.
var Steps = []Step{StepGranted, StepAsked, StepRunning, StepYielded, StepAway, StepBack, StepSoaking, StepReleased}

// Want is what the holder of a permit wants of the instance now.
type Want string

// A permit is granted wanting out; its holder turns it to back when the
// instance may run again where it was (a cell that returned, an undo).
const (
	WantOut  Want = "out"
	WantBack Want = "back"
)

// Permit is the recorded right to one disruption of one instance, kept in the
// ledger of its app from the grant until it is given back.
type Permit struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
	Kind  Kind   `json:"kind"`
	// Move: the instance is to come back on another cell.
	Move   bool   `json:"move,omitempty"`
	Reason Reason `json:"reason"`
	Action Action `json:"action,omitempty"` // for ReasonRoll
	// Holder is who asked: RollHolder, UpdateHolder, ScaleHolder.
	Holder string `json:"holder"`
	// CellID is where the instance was when the permit was granted, "" when
	// it was placed nowhere.
	CellID string `json:"cell_id"`
	Step   Step   `json:"step"`
	Want   Want   `json:"want"`
	// Force skips the handler: the process is stopped at once.
	Force bool `json:"force,omitempty"`
	// Extra is added to the handler's timeouts; a person answered "wait".
	Extra Duration `json:"extra,omitempty"`
	// ExpectedBack is how long the holder expects the outage to last, counted
	// from the yield; 0 when unknown.
	ExpectedBack Duration           `json:"expected_back,omitempty"`
	Times        map[Step]time.Time `json:"times"`
}

// RollHolder names the holder of a roll's permits, cordon and claim.
func RollHolder(plan, cell string) string { return "roll:" + plan + "/" + cell }

// UpdateHolder names the holder of the permits of an app's update.
func UpdateHolder(appGUID string) string { return "update:" + appGUID }

// ScaleHolder names the holder of the permits of an app's scale-down.
func ScaleHolder(appGUID string) string { return "scale:" + appGUID }

// Ledger holds every permit of one app. It is the only place that says who is
// disrupted on purpose, and changes only by compare-and-swap.
type Ledger struct {
	AppGUID string   `json:"app_guid"`
	Permits []Permit `json:"permits"`
}

// Permit finds the permit of an index, nil when it has none. The pointer is
// into the ledger: snapshots are read-only, so copy before changing.
func (l *Ledger) Permit(index int) *Permit {
	if l == nil {
		return nil
	}
	for i := range l.Permits {
		if l.Permits[i].Index == index {
			return &l.Permits[i]
		}
	}
	return nil
}

// Demand is one disruption that a claim asks for.
type Demand struct {
	AppGUID string `json:"app_guid"`
	Index   int    `json:"index"`
	Kind    Kind   `json:"kind"`
	Move    bool   `json:"move,omitempty"`
	// Force: a person, or the policy, answered for this instance. It is stopped
	// without its handler, and may be drained while it is down.
	Force bool `json:"force,omitempty"`
}

// Claim is a place in the line for permits: everything in Demands is granted
// in one transaction, or nothing is. The line is ordered by Since.
type Claim struct {
	Holder  string   `json:"holder"`
	Reason  Reason   `json:"reason"`
	Action  Action   `json:"action,omitempty"`
	CellID  string   `json:"cell_id,omitempty"`
	Demands []Demand `json:"demands"`
	Extra   Duration `json:"extra,omitempty"`
	// ExpectedBack is copied to the permits.
	ExpectedBack Duration `json:"expected_back,omitempty"`
	// Since is the state revision at which the claim joined the line.
	Since int64     `json:"since"`
	At    time.Time `json:"at"`
	// Down is the instance that is down, though nobody planned it, and uses up
	// what an update, a scale-down or a move asks for; DownSince is since when it
	// waits for that, zero while it does not. Written by the orchestrator.
	Down      InstanceRef `json:"down,omitzero"`
	DownSince time.Time   `json:"down_since,omitzero"`
	// Aside: what the claim waits for is stuck, so later claims may pass it.
	// It keeps its place.
	Aside bool `json:"aside,omitempty"`
}

// InstanceName is how an instance is written everywhere: "org/space/name/3".
func InstanceName(app Name, index int) string { return fmt.Sprintf("%s/%d", app, index) }
