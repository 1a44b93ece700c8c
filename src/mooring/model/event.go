package model

import (
	"slices"
	"strings"
)

// EventKind says what an event tells of: a family and, after a point, what
// happened, such as "permit.granted".
type EventKind string

// The kinds of events that tell the story of something stuck. Opened, changed
// and closed carry what was stuck, as it was then, in Event.Stuck.
const (
	EventStuckOpened     EventKind = "stuck.opened"
	EventStuckChanged    EventKind = "stuck.changed"
	EventStuckRecovered  EventKind = "stuck.recovered"
	EventStuckReturned   EventKind = "stuck.returned"
	EventStuckClosed     EventKind = "stuck.closed"
	EventStuckAnswered   EventKind = "stuck.answered"
	EventStuckSeconded   EventKind = "stuck.seconded"
	EventStuckRefused    EventKind = "stuck.refused"
	EventStuckCarriedOut EventKind = "stuck.carried-out"
)

// The kinds of events about plans. What a person wants of a plan and what comes
// of it are two moments, and two kinds; the latter are PlanStatus.Event too.
const (
	EventPlanStarted   EventKind = "plan.started"
	EventPlanBegun     EventKind = "plan.begun"
	EventPlanPausing   EventKind = "plan.pausing"
	EventPlanResumed   EventKind = "plan.resumed"
	EventPlanAborting  EventKind = "plan.aborting"
	EventPlanReordered EventKind = "plan.reordered"
	EventPlanConverged EventKind = "plan.converged"
	EventPlanFailed    EventKind = "plan.failed"
	EventPlanWithdrawn EventKind = "plan.withdrawn"
)

// The kinds of events about rolls that are no phase; see Phase.Event.
const (
	EventRollGranted EventKind = "roll.granted"
	EventRollWaits   EventKind = "roll.waits"
	EventRollWaited  EventKind = "roll.waited"
	EventRollNoted   EventKind = "roll.noted"
	EventRollActed   EventKind = "roll.acted"
	EventRollFailed  EventKind = "roll.failed"
	EventRollStuck   EventKind = "roll.stuck"
)

// The kinds of events about permits that others than Step.Event need by name.
// Released ends a disruption, and carries the permit in Event.Permit.
const (
	EventPermitReleased  EventKind = "permit.released"
	EventPermitCancelled EventKind = "permit.cancelled"
)

// The kinds of events about instances and their handlers.
const (
	EventInstancePlaced    EventKind = "instance.placed"
	EventInstanceUnplaced  EventKind = "instance.unplaced"
	EventInstanceHeld      EventKind = "instance.held"
	EventInstanceServing   EventKind = "instance.serving"
	EventInstanceCrashed   EventKind = "instance.crashed"
	EventInstanceBlocked   EventKind = "instance.blocked"
	EventInstanceYielded   EventKind = "instance.yielded"
	EventInstanceMoved     EventKind = "instance.moved"
	EventInstanceReplacing EventKind = "instance.replacing"
	EventInstanceKept      EventKind = "instance.kept"
	EventInstanceUpdated   EventKind = "instance.updated"
	EventInstanceRemoving  EventKind = "instance.removing"
	EventInstanceRemoved   EventKind = "instance.removed"
	EventHandlerRunning    EventKind = "handler.running"
	EventHandlerHung       EventKind = "handler.hung"
	EventHandlerOverdue    EventKind = "handler.overdue"
	EventHandlerFailed     EventKind = "handler.failed"
	EventHandlerTakenBack  EventKind = "handler.taken-back"
)

// The kinds of events about applications and volumes.
const (
	EventAppPushed         EventKind = "app.pushed"
	EventAppUpdated        EventKind = "app.updated"
	EventAppScaled         EventKind = "app.scaled"
	EventAppDeleting       EventKind = "app.deleting"
	EventAppDeleted        EventKind = "app.deleted"
	EventVolumeSetCreated  EventKind = "volume-set.created"
	EventVolumeSetDeleting EventKind = "volume-set.deleting"
	EventVolumeSetDeleted  EventKind = "volume-set.deleted"
	EventVolumePlaced      EventKind = "volume.placed"
	EventVolumeUnplaced    EventKind = "volume.unplaced"
	EventVolumeEnding      EventKind = "volume.ending"
	EventVolumeDeleted     EventKind = "volume.deleted"
	EventVolumeLost        EventKind = "volume.lost"
)

// The kinds of events about cells and their gates.
const (
	EventCellRegistered EventKind = "cell.registered"
	EventCellSeated     EventKind = "cell.seated"
	EventCellLost       EventKind = "cell.lost"
	EventGateAsked      EventKind = "gate.asked"
	EventGateRefused    EventKind = "gate.refused"
	EventGateReturned   EventKind = "gate.returned"
	EventGateOpened     EventKind = "gate.opened"
)

// Event gives the kind of the event that a roll enters the phase.
func (p Phase) Event() EventKind { return EventKind("roll." + p) }

// Event gives the kind of the event that a permit reaches the step.
func (s Step) Event() EventKind { return EventKind("permit." + s) }

// Event gives the kind of the event that a plan comes to stand so.
func (s PlanStatus) Event() EventKind { return EventKind("plan." + s) }

// Family gives what the kind begins with, such as "permit".
func (k EventKind) Family() string {
	family, _, _ := strings.Cut(string(k), ".")
	return family
}

// What gives what happened, the rest of the kind, such as "granted".
func (k EventKind) What() string {
	_, what, _ := strings.Cut(string(k), ".")
	return what
}

// Known reports whether the kind is in EventKinds.
func (k EventKind) Known() bool { _, known := eventKinds[k]; return known }

// eventKinds finds the kinds of EventKinds, and what each means.
var eventKinds = func() map[EventKind]string {
	all := make(map[EventKind]string, len(EventKinds))
	for _, row := range EventKinds {
		all[row.Kind] = row.Means
	}
	return all
}()

// EventFamilies lists the families of the kinds, in the order of EventKinds.
func EventFamilies() []string {
	var families []string
	for _, row := range EventKinds {
		if family := row.Kind.Family(); !slices.Contains(families, family) {
			families = append(families, family)
		}
	}
	return families
}

// EventsOf lists the kinds of a family, none where there is no such family.
func EventsOf(family string) []EventKind {
	var kinds []EventKind
	for _, row := range EventKinds {
		if row.Kind.Family() == family {
			kinds = append(kinds, row.Kind)
		}
	}
	return kinds
}
