package scheduler

import (
	"fmt"

	"github.com/google/uuid"

	"mooring/model"
)

const actor = "scheduler"

// event is one that is about no app.
func (r *round) event(kind model.EventKind, text, cellID string) model.Event {
	return model.Event{At: r.now, Kind: kind, Actor: actor, Text: text, CellID: cellID}
}

// tell appends an event about an instance of the app; text goes on after the
// instance's name.
func (d *draft) tell(kind model.EventKind, index int, cellID, format string, args ...any) {
	e := d.event(kind, model.InstanceName(d.app.Name, index)+" "+fmt.Sprintf(format, args...), cellID)
	e.App, e.AppGUID, e.Index = d.app.Name.String(), d.app.GUID, &index
	d.tx.Event(e)
}

// tellVolume appends an event about a volume; text goes on after its name.
func (d *draft) tellVolume(kind model.EventKind, v *model.Volume, format string, args ...any) {
	e := d.volumeEvent(kind, v, fmt.Sprintf(format, args...))
	e.App, e.AppGUID = d.app.Name.String(), d.app.GUID
	d.tx.Event(e)
}

// volumeEvent is an event about a volume; text goes on after its name.
func (r *round) volumeEvent(kind model.EventKind, v *model.Volume, text string) model.Event {
	name := v.SetGUID
	if set := r.snap.VolumeSet(v.SetGUID); set != nil {
		name = set.Name.String()
	}
	return r.event(kind, fmt.Sprintf("volume %s/%d %s", name, v.Index, text), v.CellID)
}

// names makes GUIDs that differ by what they name and by the revision at which
// it is named, so that a decision is the same each time it is taken.
var names = uuid.MustParse("8f2ad8f4-5d0c-4f39-9d7b-5f0e8a3b6c11")

func (r *round) guid(kind, of string, index int) string {
	return uuid.NewSHA1(names, fmt.Appendf(nil, "%d %s %s %d", r.snap.Revision(), kind, of, index)).String()
}
