package orchestrator

import (
	"fmt"
	"time"

	"mooring/model"
)

// What is to stop may hang without any handler: its cell does not take the
// disruption up, the process does not end, a volume does not detach.

const (
	// takeUp is how long the agent of a cell that answers may take to take a
	// disruption up: it is told at once.
	takeUp = 30 * time.Second
	// stopWithin is how long an instance may take to stop once something went
	// wrong with it, flushWithin while nothing is known to: it may be writing
	// the data of a volume to disk. Both come on top of its grace.
	stopWithin  = 30 * time.Second
	flushWithin = 2 * time.Minute
)

// stopEvidence gives what is wrong with an instance that was asked to go and
// has not gone, though no handler keeps it; nil when nothing is.
func (d *decision) stopEvidence(app *model.App, permit *model.Permit, actual *model.ActualInstance) *model.Stuck {
	cell := d.snap.Cell(permit.CellID)
	if app == nil || cell == nil || stopped(permit) || permit.Want != model.WantOut || !d.snap.Present(permit.CellID) {
		return nil
	}
	name := model.InstanceName(app.Name, permit.Index)
	var task *model.ActualDisruption
	if actual != nil && actual.Disruption != nil && actual.Disruption.PermitID == permit.ID && actual.Disruption.State != model.TaskCancelled {
		task = actual.Disruption
	}
	var since time.Time
	var patience time.Duration
	problem, what := "", ""
	switch {
	case task == nil:
		// Counted from when there was an agent to take it up, and somebody to see it.
		since, patience = d.last(permit.Times[model.StepGranted], cell.RegisteredAt, d.began), takeUp
		what = fmt.Sprintf("the agent of cell %s answers, and does not take up the %s of %s", permit.CellID, permit.Kind, name)
	case task.State == model.TaskAsked:
		since, patience = d.last(permit.Times[model.StepGranted], permit.Times[model.StepAsked]), d.stopPatience(app, task)
		problem = orElse(task.Error, "its cell does not get to it")
	case task.State == model.TaskStopping && !task.StoppingAt.IsZero():
		since, patience = task.StoppingAt, d.stopPatience(app, task)
		problem = orElse(task.Error, unending)
	default:
		return nil
	}
	if !d.lookAt(d.seen(since).Add(patience + permit.Extra.D())) {
		return nil
	}
	alert := d.about(model.InstanceNotStopped, app.GUID, permit.Index, since)
	alert.Owner, alert.Error, alert.Step = model.CloudOps, problem, permit.Step
	alert.Agent = cell.Start
	alert.What = orElse(what, fmt.Sprintf("%s does not stop on cell %s: %s", name, permit.CellID, problem))
	alert.Advice = "No handler is in the way. Look at the agent, the process and the mounts on the cell; then retry, wait longer or skip the cell."
	alert.Answers = []model.Verb{model.Wait, model.Retry, model.Skip}
	return alert
}

func (d *decision) stopPatience(app *model.App, task *model.ActualDisruption) time.Duration {
	least := flushWithin
	if task.Error != "" {
		least = stopWithin
	}
	return d.durations().Stop(app, least) + task.Grace.D()
}

// unending is all that is known of a stop in which nothing has gone wrong yet.
const unending = "its process, or the flushing of its volumes, does not end"

// stillUnstopped reports whether what would not stop is still in the way of a
// roll that has taken its permits back. What was only slow is asked again once
// it has stopped and serves again. What failed would be taken down for nothing
// each time: that takes an answer, or another agent on the cell.
func (d *decision) stillUnstopped(alert *model.Stuck) bool {
	if cell := d.snap.Cell(alert.CellID); cell == nil || alert.Agent != "" && cell.Start != alert.Agent {
		return false
	}
	return alert.Error != unending || d.unplanned(alert.AppGUID, []int{alert.Index}) >= 0
}

// last returns the one of some times that was last, as they were seen.
func (d *decision) last(moments ...time.Time) time.Time {
	var last time.Time
	for _, moment := range moments {
		if last.IsZero() || d.seen(moment).After(d.seen(last)) {
			last = moment
		}
	}
	return last
}

func latest(moments ...time.Time) time.Time {
	var last time.Time
	for _, moment := range moments {
		if moment.After(last) {
			last = moment
		}
	}
	return last
}
