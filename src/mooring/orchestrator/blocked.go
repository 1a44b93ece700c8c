package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
)

// What is stuck on a cell though nobody rolls it: an instance that cannot start
// there, and volumes that the state knows nothing of.

// blockedFor is how long a cell may take to start what it is kept from starting.
// A port or a volume that another one is about to give up is free before that.
const blockedFor = takeUp

// maxNamed bounds how many volumes one alert names.
const maxNamed = 20

// watchBlocked adds an alert to found for each instance that its cell cannot
// start, unless it is disrupted.
func (d *decision) watchBlocked(found map[string]*model.Stuck) {
	for _, actual := range d.snap.BlockedInstances() {
		if d.snap.Present(actual.CellID) && d.blocked(actual) {
			alert := d.instanceBlocked(actual)
			found[alert.ID] = alert
		}
	}
}

// blocked reports whether an instance that nobody disrupts is to run where it
// cannot start, and has been kept from it for too long.
func (d *decision) blocked(actual *model.ActualInstance) bool {
	inst := d.snap.Instance(actual.AppGUID, actual.Index)
	if inst == nil || inst.CellID != actual.CellID || inst.Removing {
		return false
	}
	if d.snap.Ledger(actual.AppGUID).Permit(actual.Index) != nil {
		return false // who holds it says what is stuck, on the way out and back
	}
	if slices.ContainsFunc(d.snap.StuckItems(), func(s *model.Stuck) bool {
		return s.Kind == model.InstanceNotStopped && s.AppGUID == actual.AppGUID && s.Index == actual.Index
	}) {
		return false // it has not stopped yet, which is told
	}
	return d.lookAt(d.seen(actual.Since).Add(blockedFor))
}

func (d *decision) instanceBlocked(actual *model.ActualInstance) *model.Stuck {
	alert := d.about(model.InstanceBlocked, actual.AppGUID, actual.Index, actual.Since)
	name := d.nameOf(actual.AppGUID, actual.Index)
	alert.ID = fmt.Sprintf("instance.%s.%s", dotted(name), model.InstanceBlocked)
	alert.Owner, alert.CellID, alert.Error = model.CloudOps, actual.CellID, actual.Error
	alert.What = fmt.Sprintf("%s cannot start on cell %s: %s", name, actual.CellID, orElse(actual.Error, "its cell does not say why"))
	alert.Advice = "It is tried again and again, and starts by itself once what is in its way is gone. Look at the cell for what the error names."
	alert.Blocks = d.blockedBy("", actual.AppGUID)
	return alert
}

// watchUnknown adds an alert to found for each cell that holds volumes that the
// state does not know. Nobody deletes those but a person.
func (d *decision) watchUnknown(found map[string]*model.Stuck) {
	unknown := map[string][]string{}
	for _, actual := range d.snap.UnknownVolumes() {
		if d.snap.Volume(actual.GUID) == nil && d.snap.Present(actual.CellID) {
			unknown[actual.CellID] = append(unknown[actual.CellID], actual.GUID)
		}
	}
	for cellID, guids := range unknown {
		alert := d.volumesUnknown(cellID, guids)
		found[alert.ID] = alert
	}
}

func (d *decision) volumesUnknown(cellID string, unknown []string) *model.Stuck {
	named := strings.Join(unknown[:min(len(unknown), maxNamed)], ", ")
	if more := len(unknown) - maxNamed; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return &model.Stuck{
		ID: fmt.Sprintf("cell.%s.%s", cellID, model.VolumeUnknown), Kind: model.VolumeUnknown, CellID: cellID,
		Owner: model.CloudOps, Since: d.now,
		What: fmt.Sprintf("cell %s holds volumes that the state does not know, as after an older backup of it was restored: %s", cellID, named),
		Advice: "Nothing uses them and nothing deletes them. Each says in its meta.json on the cell whose it was: " +
			"copy what is needed into the volume that its app has now, then remove the directory.",
	}
}
