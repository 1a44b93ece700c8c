package alerting

import (
	"fmt"
	"slices"

	"mooring/model"
	"mooring/notify"
	"mooring/state"
)

// scan bounds how many events are looked at at once.
const scan = 1000

// line is what waits to be told to one receiver. It is pure.
type line struct {
	receiver string
	routes   notify.Routes
	// position is the ID of the last event that was told or is no concern.
	position string
}

// next gives the first notices that wait, in order. done is the position from
// which there is nothing more to tell once all of them were told; more says
// that later events were not looked at.
func (l *line) next(snap *state.Snapshot) (notices []notify.Notice, done string, more bool) {
	events := snap.Events(l.position, scan)
	done = l.position
	for _, event := range events {
		done = event.ID
		change, concerns := changes[event.Kind]
		if !concerns || event.Stuck == nil || !l.routes.To(l.receiver, event.Stuck) {
			continue
		}
		notices = append(notices, notice(snap, event.ID, change, event.Stuck, event))
	}
	return notices, done, len(events) == scan
}

var changes = map[model.EventKind]notify.Change{
	model.EventStuckOpened:  notify.Opened,
	model.EventStuckChanged: notify.Changed,
	model.EventStuckClosed:  notify.Closed,
}

// open gives what is stuck now, as notices of a change.
func (l *line) open(snap *state.Snapshot, change notify.Change) []notify.Notice {
	var notices []notify.Notice
	for _, stuck := range snap.StuckItems() {
		if l.routes.To(l.receiver, stuck) {
			id := fmt.Sprintf("%s@%d", stuck.ID, stuck.FlaggedAt.UnixNano())
			notices = append(notices, notice(snap, id, change, stuck, nil))
		}
	}
	slices.SortStableFunc(notices, func(a, b notify.Notice) int { return a.At.Compare(b.At) })
	return notices
}

// notice is of an event or, without one, of what is stuck now.
func notice(snap *state.Snapshot, id string, change notify.Change, stuck *model.Stuck, event *model.Event) notify.Notice {
	told := stuck.Printable()
	n := notify.Notice{ID: id, Change: change, At: stuck.FlaggedAt, Text: told.What, Stuck: told}
	if event != nil {
		n.At, n.Text = event.At, model.Printable(event.Text)
	}
	if cell := snap.Cell(stuck.CellID); cell != nil {
		n.AZ = cell.AZ
	}
	return n
}

// newest gives the ID of the last event there is, or one before all others.
func newest(snap *state.Snapshot) string {
	if last := snap.RecentEvents(1); len(last) > 0 {
		return last[0].ID
	}
	return "0"
}
