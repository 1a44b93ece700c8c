package orchestrator

import (
	"fmt"
	"time"

	"mooring/model"
)

// watchCells keeps an alert open for each cell that does not answer although
// nothing is being done to its host.
func (d *decision) watchCells() {
	for _, cell := range d.snap.Cells() {
		id := cellAlert(cell.ID)
		open := d.snap.StuckItem(id)
		problem := d.goneCell(cell)
		if problem == nil && open == nil || open != nil && open.Answer != nil {
			continue
		}
		tx := d.snap.Txn()
		if problem == nil {
			d.recover(tx, open, "the cell answers, or nothing is left on it")
		} else {
			d.alarm(tx, problem)
		}
		d.add(tx)
	}
	for _, alert := range d.snap.StuckItems() {
		if alert.Kind == model.CellGone && d.snap.Cell(alert.CellID) == nil {
			tx := d.snap.Txn()
			d.closeAlert(tx, alert, "the cell no longer exists")
			d.add(tx)
		}
	}
}

// goneCell gives what is wrong with a cell that has gone without leave, nil
// when it has not.
func (d *decision) goneCell(cell *model.Cell) *model.Stuck {
	if cell.Lost || d.snap.Present(cell.ID) || d.forced(cell.ID) {
		return nil
	}
	// After an outage of the control plane, or of everything, every cell has to
	// make itself heard again first.
	if d.seen(cell.RegisteredAt).Before(d.began) && !d.lookAt(d.began.Add(soundOff)) && d.snap.StuckItem(cellAlert(cell.ID)) == nil {
		return nil
	}
	if roll := d.snap.RollOn(cell.ID); roll != nil && !approaching(roll.Phase) {
		return nil
	}
	instances := 0
	for _, inst := range d.snap.InstancesOn(cell.ID) {
		if inst.CellID == cell.ID && d.boundTo(inst) {
			instances++
		}
	}
	if instances == 0 && cell.Refused == "" {
		return nil
	}
	alert := &model.Stuck{
		ID: cellAlert(cell.ID), Kind: model.CellGone, CellID: cell.ID, Owner: model.CloudOps, Since: latest(cell.RegisteredAt, d.now.Add(-cell.LeaseTTL.D())),
		What:    fmt.Sprintf("cell %s does not answer; %d of its instances cannot run anywhere else", cell.ID, instances),
		Advice:  "Get the host or its agent back. Where BOSH waits in its pre-stop, open its gate. If it is gone for good, declare it lost: its instances are placed anew, without the data named here.",
		Data:    d.dataOn(cell.ID),
		Answers: []model.Verb{model.Lost},
	}
	if cell.Refused != "" {
		alert.What = fmt.Sprintf("cell %s counts as gone, since the control plane refuses what its agent reports; %d of its instances cannot run anywhere else", cell.ID, instances)
		alert.Error = cell.Refused
		alert.Advice = "Read the error: it names the field. Update or restart the agent of the cell, which goes on taking work and stops what it is told to. It is back with the first report that is taken."
	}
	if blocked := d.waitingFor(alert.ID); len(blocked) > 0 {
		alert.Blocks = blocked
		alert.Plan, alert.Phase = d.heldByCell(alert.ID, cell.ID)
		alert.Answers = []model.Verb{model.Force, model.Skip, model.Lost}
	}
	return alert
}

// soundOff is how long cells have, from the moment that somebody looks after
// them, before silence means that they are gone.
const soundOff = 15 * time.Second

// boundTo reports whether an instance waits for its cell to return; others are
// placed anew when it goes.
func (d *decision) boundTo(inst *model.Instance) bool {
	if len(d.fixedVolumes(inst)) > 0 {
		return true
	}
	room, _ := d.roomFor(&occupant{inst: inst})
	return !room
}

// forced reports whether a person answered already for a cell that does not:
// a roll acts on its host all the same.
func (d *decision) forced(cellID string) bool {
	for _, plan := range d.snap.Plans() {
		roll := d.snap.Roll(plan.Name, cellID)
		if roll != nil && roll.Force && roll.Phase.BeforeHost() && plan.Intent == model.IntentRun {
			return true
		}
	}
	return false
}

// approaching reports whether a roll in this phase still needs its cell to
// answer.
func approaching(phase model.Phase) bool {
	return phase.BeforeHost() && phase != model.Quiesced || phase == model.Settling
}

// heldByCell gives the plan of the roll of a cell that waits under the cell's
// own alert, and its phase; nothing when there is none.
func (d *decision) heldByCell(alertID, cellID string) (string, model.Phase) {
	for _, plan := range d.snap.Plans() {
		if roll := d.snap.Roll(plan.Name, cellID); !plan.Finished() && roll != nil && roll.StuckID == alertID {
			return plan.Name, roll.Phase
		}
	}
	return "", ""
}

// waitingFor lists the cells whose rolls wait for an alert to close.
func (d *decision) waitingFor(alertID string) []string {
	var cells []string
	for _, plan := range d.snap.Plans() {
		if plan.Finished() {
			continue
		}
		for _, roll := range d.snap.Rolls(plan.Name) {
			if roll.StuckID == alertID {
				cells = union(append(cells, roll.CellID), d.heldBack(plan, roll))
			}
		}
	}
	return cells
}
