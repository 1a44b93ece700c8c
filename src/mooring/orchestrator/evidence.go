package orchestrator

import (
	"fmt"
	"strings"
	"time"

	"mooring/lifecycle"
	"mooring/model"
)

// The words of every alert: what is stuck in one sentence, what to do about
// it, who has to, which answers are open, what data they would cost.

// about begins an alert about one instance.
func (d *decision) about(kind model.StuckKind, appGUID string, index int, since time.Time) *model.Stuck {
	alert := &model.Stuck{Kind: kind, AppGUID: appGUID, Index: index, Since: since, Owner: model.CloudOps}
	if app := d.snap.App(appGUID); app != nil {
		name := app.Name
		alert.App, alert.Owner = &name, app.Owned()
	}
	return alert
}

// handlerEvidence gives what a cell reports of a handler that does not do its
// work, nil while it does. The cell is the judge: it has the clock.
func (d *decision) handlerEvidence(app *model.App, permit *model.Permit, actual *model.ActualInstance) *model.Stuck {
	if app == nil || actual == nil || actual.Disruption == nil || actual.Disruption.PermitID != permit.ID {
		return nil
	}
	task := actual.Disruption
	kinds := map[model.DisruptionState]model.StuckKind{
		model.TaskHung: model.HandlerHung, model.TaskOverdue: model.HandlerOverdue, model.TaskFailed: model.HandlerFailed,
	}
	kind, bad := kinds[task.State]
	if !bad {
		return nil
	}
	since := task.ProgressAt
	if since.IsZero() {
		since = task.StartedAt
	}
	if since.IsZero() {
		since = permit.Times[model.StepGranted]
	}
	alert := d.about(kind, app.GUID, permit.Index, since)
	alert.Step = permit.Step
	alert.Progress, alert.Message, alert.Output, alert.Error = task.Progress, task.Message, task.Output, task.Error
	alert.Handler, alert.SpecVersion = app.Policy.Handler(permit.Kind), actual.SpecVersion
	alert.What = fmt.Sprintf("the %s handler of %s on cell %s %s", permit.Kind, model.InstanceName(app.Name, permit.Index), permit.CellID, handlerTrouble(task))
	alert.Advice = "The instance goes on serving. Read the handler's last output, then retry it, wait longer, or force the stop"
	if permit.Kind == model.Drain {
		alert.Advice += ", which loses the data named here"
	}
	alert.Advice += "."
	alert.Answers = []model.Verb{model.Wait, model.Retry, model.Force, model.Skip}
	return alert
}

// handlerTrouble says what is wrong with a handler, without what it wrote: the
// alert has that in its message and output, which are not for everybody.
func handlerTrouble(task *model.ActualDisruption) string {
	progress := "having reported none"
	if task.Progress >= 0 {
		progress = fmt.Sprintf("at %.0f%%", task.Progress*100)
	}
	switch task.State {
	case model.TaskHung:
		return "makes no progress, " + progress
	case model.TaskOverdue:
		return "passed its deadline, " + progress
	}
	return "failed: " + orElse(task.Error, "it said nothing")
}

// noRoom is what has to leave and finds no place: why is what the scheduler says.
func (c *draft) noRoom(o *occupant, why string) *model.Stuck {
	alert := c.d.about(model.NoRoom, o.inst.AppGUID, o.inst.Index, c.roll.Since())
	alert.Owner = model.CloudOps
	alert.Error = why
	alert.What = fmt.Sprintf("%s has to leave cell %s, and %s", o.name(), c.roll.CellID, why)
	alert.Advice = "Add a cell or make room on another one of its pool; force lets it stop with its cell."
	alert.Answers = []model.Verb{model.Wait, model.Retry, model.Force, model.Skip}
	alert.Data = c.d.dataOf(o)
	return alert
}

// nowhereToGo is what has to leave while no cell could ever take it. The roll
// holds before anything of it is asked to go.
func (c *draft) nowhereToGo(o *occupant) *model.Stuck {
	alert := c.noRoom(o, "")
	none, gone := "no other cell could take it", c.roll.Action == model.Retire
	if c.d.othersLeave(o) {
		none, gone = "every other cell that could take it is leaving for good too", true
	}
	owner := alert.Owner
	if o.app != nil {
		owner = o.app.Owned()
	}
	details := "owner: " + owner
	if len(alert.Data) > 0 {
		details = fmt.Sprintf("volume %s, %s", strings.Join(alert.Data, ", "), details)
	}
	remedy, asked := "add a cell", "Add a cell"
	if gone {
		remedy = "delete the application, or " + remedy
		asked = fmt.Sprintf("Ask %s to delete the application, or add a cell", owner)
	}
	alert.What = fmt.Sprintf("%s (%s) has to leave cell %s, and %s: %s", o.name(), details, c.roll.CellID, none, remedy)
	alert.Advice = fmt.Sprintf("%s to pool %s; the roll goes on by itself then, and the instance serves where it is until then. Force lets it stop with its cell.",
		asked, model.Pooled(o.inst.Spec.Pool))
	return alert
}

// forbidden is a claim that can never be granted by itself.
func (c *draft) forbidden(blocker lifecycle.Blocker) *model.Stuck {
	index := 0
	if len(blocker.Holders) > 0 {
		index = blocker.Holders[0]
	}
	if blocker.LimitName == "" {
		return c.drainImpossible(blocker.AppGUID, index, blocker.Text)
	}
	for _, o := range c.d.occupants(c.roll) {
		if o.inst.AppGUID == blocker.AppGUID && o.permit == nil {
			index = o.inst.Index
			break
		}
	}
	alert := c.d.about(model.PolicyForbids, blocker.AppGUID, index, c.d.now)
	alert.What = fmt.Sprintf("cell %s can never be rolled: %s", c.roll.CellID, blocker.Text)
	alert.Advice = fmt.Sprintf("Ask %s to raise %s, or skip the cell. It takes its turn by itself once the policy allows it.", alert.Owner, blocker.LimitName)
	alert.Answers = []model.Verb{model.Skip}
	return alert
}

func (c *draft) drainImpossible(appGUID string, index int, why string) *model.Stuck {
	alert := c.d.about(model.DrainImpossible, appGUID, index, c.d.now)
	alert.Owner = model.CloudOps
	alert.What = why
	alert.Advice = "It may be the last copy of its data. Get the instance to serve again; force gives the data named here up."
	alert.Answers = []model.Verb{model.Retry, model.Force, model.Skip}
	if inst := c.d.snap.Instance(appGUID, index); inst != nil {
		o := c.d.occupant(c.roll, inst)
		settle(c.roll, []*occupant{o})
		alert.Data = c.d.dataOf(o)
		if actual := c.d.snap.ActualInstance(appGUID, index, inst.CellID); actual != nil {
			alert.Error, alert.Output = orElse(actual.Error, actual.LastExit), actual.Output
			if !actual.Since.IsZero() && actual.Since.Before(alert.Since) {
				alert.Since = actual.Since // it has been down since then
			}
		}
	}
	return alert
}

func (c *draft) waitingForBudget(app *model.App, index int, since time.Time) *model.Stuck {
	alert := c.d.about(model.WaitingForBudget, app.GUID, index, since)
	alert.What = fmt.Sprintf("cell %s waits for %s, which %s and uses up the budget of its app", c.roll.CellID, model.InstanceName(app.Name, index), c.d.howDown(app, index))
	alert.Advice = fmt.Sprintf("Nobody planned this outage. Ask %s to get the instance to serve again; the roll goes on by itself then.", app.Owned())
	alert.Answers = []model.Verb{model.Wait, model.Skip}
	if inst := c.d.snap.Instance(app.GUID, index); inst != nil {
		if actual := c.d.snap.ActualInstance(app.GUID, index, inst.CellID); actual != nil {
			alert.Error, alert.Output = orElse(actual.Error, actual.LastExit), actual.Output
		}
	}
	alert.Blocks = c.d.blockedBy(c.roll.CellID, app.GUID)
	return alert
}

// howDown says in what way an instance does not serve, as it reads after "which".
func (d *decision) howDown(app *model.App, index int) string {
	switch m := d.crew(app.GUID).Member(index); {
	case m != nil && m.CellID != "" && !d.snap.Present(m.CellID):
		return "is on cell " + m.CellID + ", which does not answer,"
	case m != nil && m.State != "":
		return "is " + string(m.State)
	}
	return "does not serve"
}

func (c *draft) actionFailed() *model.Stuck {
	alert := c.aboutCell(model.ActionFailed, c.began())
	alert.What = fmt.Sprintf("the %s of cell %s failed", c.roll.Action, c.roll.CellID)
	alert.Error = c.roll.Error
	if alert.Error == "" {
		alert.Error = c.roll.Task.Last
	}
	alert.Advice = "Read the error, look at the host, then retry, skip the cell as it is, or declare it lost."
	alert.Answers = []model.Verb{model.Retry, model.Skip, model.Lost}
	return alert
}

// actionWaits is a quiet cell whose turn at its host somebody else has.
func (c *draft) actionWaits() *model.Stuck {
	alert := c.aboutCell(model.DirectorBlocks, c.roll.Since())
	alert.What = fmt.Sprintf("cell %s stands quiet, and its %s waits: %s", c.roll.CellID, c.roll.Action, c.roll.Waits)
	alert.Error = c.roll.Waits
	alert.Advice = "It goes on by itself once the deployment is free and the Director answers. Skip the cell to put its instances back to work until then."
	alert.Answers, alert.Data = []model.Verb{model.Skip}, nil
	return alert
}

func (c *draft) notStopped(began time.Time) *model.Stuck {
	alert := c.aboutCell(model.NotStopped, began)
	alert.What = fmt.Sprintf("cell %s stands quiet for its %s, and nobody acts on it", c.roll.CellID, c.roll.Action)
	alert.Advice = fmt.Sprintf("The plan leaves the %s to somebody else: do it now, or skip the cell to put its instances back to work.", c.roll.Action)
	alert.Answers = []model.Verb{model.Wait, model.Skip, model.Lost}
	return alert
}

func (c *draft) notReturned(began time.Time, patience time.Duration) *model.Stuck {
	alert := c.aboutCell(model.NotReturned, began)
	why := "the " + string(c.roll.Action) + " is still under way"
	if c.roll.Acted {
		why = c.missing()
	}
	if c.roll.Action == model.Retire && c.roll.Acted {
		why = "it was retired and its agent still answers"
	}
	alert.What = fmt.Sprintf("cell %s is not back from its %s after %s: %s", c.roll.CellID, c.roll.Action, model.Duration(patience.Round(time.Second)), why)
	alert.Advice = "Look at the host. Wait longer, retry the action, skip the cell, or declare it lost."
	alert.Answers = []model.Verb{model.Wait, model.Retry, model.Skip, model.Lost}
	return alert
}

// notBackInTime is a host that is back to BOSH alone.
func (c *draft) notBackInTime(patience time.Duration) *model.Stuck {
	alert := c.aboutCell(model.NotReturned, c.roll.BackAt)
	alert.What = fmt.Sprintf("cell %s is not back from its %s %s after BOSH said that its host is: %s",
		c.roll.CellID, c.roll.Action, model.Duration(patience.Round(time.Second)), c.missing())
	alert.Advice = "Look at the cell's agent and its disks; BOSH waits at the cell's gate. Wait longer, retry the action, skip the cell, or declare it lost."
	alert.Answers = []model.Verb{model.Wait, model.Retry, model.Skip, model.Lost}
	return alert
}

// notBootedAnew is a host that BOSH is done with and has done too little to.
func (c *draft) notBootedAnew() *model.Stuck {
	alert := c.aboutCell(model.NotReturned, c.roll.BackAt)
	alert.What = fmt.Sprintf("cell %s is not back from its %s: BOSH says the host is back, but it has the same boot as before: it was restarted, not %s",
		c.roll.CellID, c.roll.Action, c.roll.Action.Past())
	alert.Advice = fmt.Sprintf("BOSH waits at the cell's gate, and waiting changes nothing. Retry where the host must be %s: BOSH is let go on, and the %[2]s is due again. Skip takes the cell as it is.",
		c.roll.Action.Past(), c.roll.Action)
	alert.Answers = []model.Verb{model.Retry, model.Skip, model.Lost}
	return alert
}

func (c *draft) notSettled(h holding, since time.Time) *model.Stuck {
	alert := c.d.notServing(h, since)
	alert.What += fmt.Sprintf(" after the %s of cell %s", c.roll.Action, c.roll.CellID)
	alert.Answers = []model.Verb{model.Wait, model.Skip}
	return alert
}

// notServing is an instance that may run again and does not get to serve.
func (d *decision) notServing(h holding, since time.Time) *model.Stuck {
	alert := d.about(model.NotSettled, h.appGUID, h.permit.Index, since)
	alert.Step = h.permit.Step
	state := " (nothing is heard of it)"
	if inst := d.snap.Instance(h.appGUID, h.permit.Index); inst != nil {
		alert.CellID = inst.CellID
		if inst.CellID == "" {
			state = " (" + orElse(inst.Unplaced, "it is placed nowhere") + ")"
		}
		if actual := d.snap.ActualInstance(h.appGUID, h.permit.Index, inst.CellID); actual != nil {
			state = "" // it comes and goes where it crashes again and again
			alert.Error, alert.Output = orElse(actual.Error, actual.LastExit), actual.Output
		}
	}
	alert.What = fmt.Sprintf("%s does not serve again%s", d.nameOf(h.appGUID, h.permit.Index), state)
	alert.Advice = fmt.Sprintf("Ask %s to look at its output. The alert closes once it serves.", alert.Owner)
	return alert
}

// aboutCell begins an alert about the roll's host.
func (c *draft) aboutCell(kind model.StuckKind, since time.Time) *model.Stuck {
	return &model.Stuck{Kind: kind, Since: since, Owner: model.CloudOps, Data: c.d.dataOn(c.roll.CellID), Task: c.roll.Task}
}

// dataOf names the volumes whose data is gone when the occupant is stopped by
// force: those that would have to be drained.
func (d *decision) dataOf(o *occupant) []string {
	if o.means.Kind != model.Drain || o.app == nil || o.app.Policy.DataDisposable {
		return nil
	}
	return d.fixedVolumes(o.inst)
}

// fixedVolumes names the fixed volumes of an instance.
func (d *decision) fixedVolumes(inst *model.Instance) []string {
	var names []string
	for _, guid := range inst.Volumes {
		if volume := d.snap.Volume(guid); volume != nil && !volume.Floating {
			names = append(names, d.volumeName(volume))
		}
	}
	return names
}

// dataOn names the fixed volumes on a cell that hold data.
func (d *decision) dataOn(cellID string) []string {
	var names []string
	for _, volume := range d.snap.VolumesOn(cellID) {
		if !volume.Floating && !volume.Ending && volume.Mounted {
			names = append(names, d.volumeName(volume))
		}
	}
	return names
}

func (d *decision) volumeName(volume *model.Volume) string {
	if set := d.snap.VolumeSet(volume.SetGUID); set != nil {
		return model.InstanceName(set.Name, volume.Index)
	}
	return volume.GUID
}

func orElse(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}
