package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mooring/model"
	"mooring/state"
)

// maxStrays bounds what a cell may say it has though it was never placed there:
// no agent is left with so much that it has to stop.
const maxStrays = 1000

// checkReport refuses a report that no agent makes. What an agent may well
// report, and the state does not have there any more, is no reason: a cell whose
// reports are refused counts as gone. See believed.
func checkReport(snap *state.Snapshot, cell *model.Cell, report *model.Report) error {
	if err := report.Validate(); err != nil {
		return invalid("the report of cell "+cell.ID+" is refused", err)
	}
	strays := 0
	for i := range report.Instances {
		if actual := &report.Instances[i]; !placed(snap, cell.ID, actual) && snap.ActualInstance(actual.AppGUID, actual.Index, cell.ID) == nil {
			strays++
		}
	}
	if strays > maxStrays {
		return invalid("the report of cell "+cell.ID+" is refused",
			fault("instances", "%d of them were never placed on the cell, and it cannot have more than %d of those; restart its agent, which stops them", strays, maxStrays))
	}
	return nil
}

// placed reports whether an instance is to be on a cell, or its replacement.
func placed(snap *state.Snapshot, cellID string, actual *model.ActualInstance) bool {
	inst := snap.Instance(actual.AppGUID, actual.Index)
	return inst != nil && (inst.CellID == cellID || inst.Next != nil && inst.Next.CellID == cellID)
}

// believed is what is taken of what a cell reports of an instance. It is all of
// it where the instance is placed on the cell, or was when it was last heard
// of: what is being stopped there. Of anything else, left by an agent that had
// to start anew or by a state from before it, only that something runs.
func believed(snap *state.Snapshot, cellID string, actual model.ActualInstance) model.ActualInstance {
	actual.CellID, actual.Stray = cellID, false
	if placed(snap, cellID, &actual) || snap.ActualInstance(actual.AppGUID, actual.Index, cellID) != nil {
		return actual.Bounded()
	}
	return model.ActualInstance{
		AppGUID: actual.AppGUID, Index: actual.Index, CellID: cellID, GUID: actual.GUID, State: actual.State, PID: actual.PID, Stray: true,
	}
}

// absorb makes the transaction that brings the actual state of a cell to what
// it reports. It writes only what changed, and tells of what people want to
// know. It is pure.
func absorb(snap *state.Snapshot, cell *model.Cell, report *model.Report, now time.Time) *state.Txn {
	tx := snap.Txn()
	// Only the agent that is the cell may say what is so on it.
	tx.Require(cell.Key())
	reported, known := map[string]bool{}, map[string]*model.ActualInstance{}
	for _, actual := range snap.ActualInstancesOn(cell.ID) {
		known[actual.Key()] = actual
	}
	for i := range report.Instances {
		actual := believed(snap, cell.ID, report.Instances[i])
		reported[actual.Key()] = true
		before := known[actual.Key()]
		actual.Disruption = stopping(before, actual.Disruption, now)
		if before != nil && same(before, &actual) {
			continue
		}
		tx.Put(&actual)
		if actual.Stray {
			continue
		}
		for _, event := range tellings(snap, before, &actual) {
			event.At, event.Actor, event.CellID = now, "cell", cell.ID
			tx.Event(event)
		}
	}
	for _, actual := range known {
		if !reported[actual.Key()] {
			tx.Delete(actual)
		}
	}
	if cell.Refused != "" {
		heard := *cell
		heard.Refused = ""
		tx.Put(&heard)
	}
	unknown := 0
	for i := range report.Volumes {
		actual := report.Volumes[i].Bounded()
		actual.CellID = cell.ID
		reported[actual.Key()] = true
		before := find(snap.ActualVolumesOf(actual.GUID), func(v *model.ActualVolume) bool { return v.CellID == cell.ID })
		volume := snap.Volume(actual.GUID)
		if actual.Unknown = volume == nil; actual.Unknown {
			unknown++
		}
		switch {
		case before != nil:
		case volume == nil && unknown > maxUnknown:
			continue // enough of them are told of
		case volume != nil && volume.CellID != cell.ID:
			continue // it never was to be here: what lies about on a cell holds up nobody
		}
		if before == nil || !same(before, &actual) {
			tx.Put(&actual)
		}
	}
	for _, actual := range snap.ActualVolumesOn(cell.ID) {
		if !reported[actual.Key()] {
			tx.Delete(actual)
		}
	}
	return tx
}

// maxUnknown is how many volumes of a cell are kept that the state does not know:
// data of a state before a backup, to be told of. No honest cell has more for
// long, and one that makes them up does not fill the state.
const maxUnknown = 100

// stopping notes, in what a cell reports of a disruption, since when the instance
// is being stopped: the control plane decides by its own clock.
func stopping(before *model.ActualInstance, task *model.ActualDisruption, now time.Time) *model.ActualDisruption {
	if task == nil {
		return nil
	}
	noted := *task
	noted.StoppingAt = time.Time{}
	if task.State == model.TaskStopping {
		noted.StoppingAt = now
		if before != nil && before.Disruption != nil && before.Disruption.PermitID == task.PermitID && before.Disruption.State == model.TaskStopping {
			noted.StoppingAt = before.Disruption.StoppingAt
		}
	}
	return &noted
}

// tellings are the events of one instance's change.
func tellings(snap *state.Snapshot, before, after *model.ActualInstance) []model.Event {
	app := snap.App(after.AppGUID)
	if app == nil {
		return nil
	}
	name := model.InstanceName(app.Name, after.Index)
	var events []model.Event
	tell := func(kind model.EventKind, format string, args ...any) {
		index := after.Index
		events = append(events, model.Event{
			Kind: kind, App: app.Name.String(), AppGUID: app.GUID, Index: &index,
			Text: name + " " + fmt.Sprintf(format, args...),
		})
	}
	if before == nil || before.State != after.State {
		switch after.State {
		case model.Serving:
			tell(model.EventInstanceServing, "serves on %s", after.CellID)
		case model.Crashed:
			tell(model.EventInstanceCrashed, "crashed on %s%s", after.CellID, because(after.Error))
		case model.Blocked:
			tell(model.EventInstanceBlocked, "cannot start on %s%s", after.CellID, because(after.Error))
		}
	}
	task := after.Disruption
	switch canceled(snap, before, after) {
	case model.CancelDone:
		tell(model.EventHandlerTakenBack, "goes on on %s, and its cancel command has taken back what its handler had done", after.CellID)
	case model.CancelFailed:
		tell(model.EventHandlerTakenBack, "goes on on %s, but its cancel command failed, so what its handler had done was not taken back%s", after.CellID, because(task.CancelError))
	}
	if task == nil || before != nil && before.Disruption != nil && before.Disruption.PermitID == task.PermitID && before.Disruption.State == task.State {
		return events
	}
	if saidBefore(snap, before, after) {
		return events
	}
	switch task.State {
	case model.TaskRunning:
		tell(model.EventHandlerRunning, "runs its handler on %s", after.CellID)
	case model.TaskHung:
		tell(model.EventHandlerHung, "has a hung handler on %s: no progress beyond %.0f%%", after.CellID, max(0, task.Progress)*100)
	case model.TaskOverdue:
		tell(model.EventHandlerOverdue, "has a handler on %s that ran out of time", after.CellID)
	case model.TaskFailed:
		tell(model.EventHandlerFailed, "has a handler on %s that failed%s", after.CellID, because(task.Error))
	case model.TaskYielded:
		tell(model.EventInstanceYielded, "stopped on %s, its volumes are detached", after.CellID)
	}
	return events
}

// canceled returns how a cancel command ended that had not when its cell last
// reported, "" for none. What an agent that has registered anew says of a permit
// that is over is no news.
func canceled(snap *state.Snapshot, before, after *model.ActualInstance) model.CancelState {
	task := after.Disruption
	if task == nil || task.Cancel == model.CancelRunning {
		return ""
	}
	if permit := snap.Ledger(after.AppGUID).Permit(after.Index); before == nil && (permit == nil || permit.ID != task.PermitID) {
		return ""
	}
	if before != nil && before.Disruption != nil && before.Disruption.PermitID == task.PermitID && before.Disruption.Cancel == task.Cancel {
		return ""
	}
	return task.Cancel
}

// saidBefore reports whether what a cell says of a disruption is no news though
// nothing is known of an earlier report: its agent, which has registered anew,
// says all that it knows.
func saidBefore(snap *state.Snapshot, before, after *model.ActualInstance) bool {
	if before != nil {
		return false
	}
	permit := snap.Ledger(after.AppGUID).Permit(after.Index)
	if permit == nil || permit.ID != after.Disruption.PermitID {
		return true // it is over
	}
	reached := map[model.DisruptionState]model.Step{model.TaskRunning: model.StepRunning, model.TaskYielded: model.StepYielded}[after.Disruption.State]
	return reached != "" && slices.Index(model.Steps, permit.Step) >= slices.Index(model.Steps, reached)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// same compares what two records say. Times that a round trip through JSON
// leaves equal are equal.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func find[T any](list []*T, match func(*T) bool) *T {
	for _, item := range list {
		if match(item) {
			return item
		}
	}
	return nil
}
