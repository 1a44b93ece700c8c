package model

import "time"

// StuckKinds lists every kind of being stuck, in the order of the stuck table.
var StuckKinds = []StuckKind{
	HandlerHung, HandlerOverdue, HandlerFailed, DrainImpossible, WaitingForBudget, PolicyForbids,
	NotReturned, NotSettled, ActionFailed, CellGone, NotStopped, NoRoom, DirectorBlocks, InstanceNotStopped,
	InstanceBlocked, VolumeUnknown,
}

// What can be wrong with the state itself. Alerts of these kinds are not in the
// state: each control node tells of them by itself.
const (
	// StateStopped: a record that decides cannot be read.
	StateStopped StuckKind = "state-stopped"
	// StateUnwritable: nothing can be written; the quota or a disk is full, or
	// etcd has no majority.
	StateUnwritable StuckKind = "state-unwritable"
	// StateFilling: the quota or a disk will be full soon.
	StateFilling StuckKind = "state-filling"
	// RecordUnreadable: a record that decides nothing is passed over.
	RecordUnreadable StuckKind = "record-unreadable"
)

// StateKinds lists them, the worst first.
var StateKinds = []StuckKind{StateStopped, StateUnwritable, StateFilling, RecordUnreadable}

// Severity is how much something stuck matters.
type Severity string

// Severities, the worst first.
const (
	Critical Severity = "critical" // data or a host is at risk
	Warning  Severity = "warning"  // maintenance is held up, or an instance is down
	Info     Severity = "info"     // somebody should know before it matters
)

// Severities lists them, the worst first.
var Severities = []Severity{Critical, Warning, Info}

// Severity gives how much something stuck of this kind matters. It depends on
// nothing else, so that an alert keeps its severity as long as it is open.
func (k StuckKind) Severity() Severity {
	switch k {
	case DrainImpossible, CellGone, NotReturned, ActionFailed, StateStopped, StateUnwritable:
		return Critical
	case PolicyForbids:
		return Info
	}
	return Warning
}

// Runbook gives the page about this kind, as a path in the repository.
func (k StuckKind) Runbook() string { return "docs/runbooks/" + string(k) + ".md" }

// OfHandler reports whether it is a handler that is stuck.
func (k StuckKind) OfHandler() bool {
	return k == HandlerHung || k == HandlerOverdue || k == HandlerFailed
}

// OfDisruption reports whether it is a disruption that does not get as far as a
// stopped instance, so that it has to be asked for anew.
func (k StuckKind) OfDisruption() bool { return k.OfHandler() || k == InstanceNotStopped }

// Delivery is how far one receiver of alerts has been told. Written by the
// leader that tells them.
type Delivery struct {
	Receiver string `json:"receiver"`
	// After is the ID of the last event that the receiver was told of, or that
	// did not concern it.
	After string    `json:"after"`
	At    time.Time `json:"at"`
	// FailingSince and Error are set while the receiver cannot be reached.
	FailingSince time.Time `json:"failing_since,omitzero"`
	Error        string    `json:"error,omitempty"`
}

// TableDeliveries is the table of Delivery records.
const TableDeliveries = "deliveries"

// DeliveryKey is the key of a receiver's record.
func DeliveryKey(receiver string) string { return TableDeliveries + "/" + receiver }

// Key implements Record.
func (d *Delivery) Key() string { return DeliveryKey(d.Receiver) }
