package model

import "time"

// InstanceRef points to an instance of an app.
type InstanceRef struct {
	AppGUID string `json:"app_guid"`
	Index   int    `json:"index"`
}

// Instance is what the scheduler wants of one member: where it runs, which
// version of the spec, with which volumes. Written by the scheduler alone.
type Instance struct {
	AppGUID string `json:"app_guid"`
	Index   int    `json:"index"`
	Placement
	Spec        RunSpec `json:"spec"`
	SpecVersion int     `json:"spec_version"`
	// Volumes holds one volume GUID for each mount of Spec, in its order.
	Volumes []string `json:"volumes,omitempty"`
	// Next is the replacement of an instance without volumes that is moving:
	// both run until the replacement serves.
	Next *Placement `json:"next,omitempty"`
	// Removing is set when the instance is to stop for good.
	Removing bool `json:"removing,omitempty"`
	// Unplaced says which constraint failed while CellID is empty.
	Unplaced string `json:"unplaced,omitempty"`
	// StartedAfter is what the process is told in MOORING_STARTED_AFTER when
	// the scheduler put it here; later starts are told by the cell.
	StartedAfter StartedAfter `json:"started_after"`
}

// Placement is a cell and the ports an instance has there, one for each of
// its spec's port names. GUID is CF_INSTANCE_GUID; it changes with the cell.
type Placement struct {
	GUID   string `json:"guid,omitempty"`
	CellID string `json:"cell_id,omitempty"`
	Ports  []int  `json:"ports,omitempty"`
	// GaveWay says which soft constraint the place does not keep, since no other
	// cell could when it was chosen.
	GaveWay string `json:"gave_way,omitempty"`
}

// StartedAfter tells a process why it starts.
type StartedAfter string

// The reasons for a start.
const (
	AfterNew       StartedAfter = "new"
	AfterInterrupt StartedAfter = "interrupt"
	AfterDrain     StartedAfter = "drain"
	AfterCrash     StartedAfter = "crash"
)

// InstanceState is what a cell says of an instance it was given.
type InstanceState string

// States of an instance on one cell. Only Serving counts as serving.
const (
	Starting InstanceState = "starting" // process started, not yet healthy
	Soaking  InstanceState = "soaking"  // healthy, for less than healthy_for
	Serving  InstanceState = "serving"  // healthy for healthy_for
	Failing  InstanceState = "failing"  // was healthy; its check fails, the process runs
	Crashed  InstanceState = "crashed"  // the process ended by itself; a restart is due or under way
	Stopped  InstanceState = "stopped"  // the cell stopped it, as it was told to
	Blocked  InstanceState = "blocked"  // cannot start here; see Error (port taken, volume held)
)

// ActualInstance is what one cell reports of one instance. In a partition two
// cells may report the same index; only the desired placement decides.
type ActualInstance struct {
	AppGUID     string        `json:"app_guid"`
	Index       int           `json:"index"`
	CellID      string        `json:"cell_id"`
	GUID        string        `json:"guid"`
	SpecVersion int           `json:"spec_version"`
	State       InstanceState `json:"state"`
	PID         int           `json:"pid,omitempty"`
	Restarts    int           `json:"restarts,omitempty"`
	// Since is when State was entered, by the cell's clock; for people only.
	Since        time.Time    `json:"since"`
	StartedAfter StartedAfter `json:"started_after,omitempty"`
	// LastExit says how the last process ended: "exit status 3", "signal: killed".
	LastExit string `json:"last_exit,omitempty"`
	Error    string `json:"error,omitempty"`
	// Stray: the cell says that it has the instance, which is not placed there
	// and was not when it was last heard of: an orphan that is about to be
	// stopped, or an untruth. It counts as something that runs on the cell, and
	// nothing else is believed of it.
	Stray bool `json:"stray,omitempty"`
	// Output is the tail of the log after a crash, at most 20 lines.
	Output     []string          `json:"output,omitempty"`
	Disruption *ActualDisruption `json:"disruption,omitempty"`
}

// DisruptionState is how far the cell has come with a disruption task.
type DisruptionState string

// States of a disruption on a cell. The cell judges hung and overdue itself:
// they are decided by one monotonic clock.
const (
	TaskAsked     DisruptionState = "asked"     // accepted, handler not yet started
	TaskRunning   DisruptionState = "running"   // handler at work
	TaskHung      DisruptionState = "hung"      // progress has not grown for progress_timeout
	TaskOverdue   DisruptionState = "overdue"   // the deadline has passed
	TaskFailed    DisruptionState = "failed"    // every retry failed
	TaskStopping  DisruptionState = "stopping"  // handler done; TERM sent
	TaskYielded   DisruptionState = "yielded"   // process stopped, volumes flushed and detached
	TaskCancelled DisruptionState = "cancelled" // told to stop; the instance goes on
)

// CancelState is how far the command has come that takes back what a handler
// has done.
type CancelState string

// States of a cancel command.
const (
	CancelRunning CancelState = "running"
	CancelDone    CancelState = "done"
	CancelFailed  CancelState = "failed" // it is not tried again
)

// ActualDisruption is the cell's report on the permit it was shown.
type ActualDisruption struct {
	PermitID string          `json:"permit_id"`
	State    DisruptionState `json:"state"`
	Attempt  int             `json:"attempt,omitempty"`
	// Progress is between 0 and 1; -1 before the handler printed any.
	Progress float64 `json:"progress"`
	Message  string  `json:"message,omitempty"`
	// StartedAt and ProgressAt are by the cell's clock; for people only.
	StartedAt  time.Time `json:"started_at,omitzero"`
	ProgressAt time.Time `json:"progress_at,omitzero"`
	// FlaggedAt is when the cell judged the handler hung, overdue or failed.
	FlaggedAt time.Time `json:"flagged_at,omitzero"`
	Output    []string  `json:"output,omitempty" doc:"Last lines of the handler's output, at most 20"`
	Error     string    `json:"error,omitempty"`
	// Cancel is how far the handler's cancel command has come, "" while it is
	// not due, CancelError how it failed.
	Cancel      CancelState `json:"cancel,omitempty"`
	CancelError string      `json:"cancel_error,omitempty"`
	// StoppingAt is since when the process is being stopped and its volumes
	// given up, by the clock of the control plane, which decides by it. Grace is
	// what the process has between TERM and KILL.
	StoppingAt time.Time `json:"stopping_at,omitzero"`
	Grace      Duration  `json:"grace,omitempty"`
}
