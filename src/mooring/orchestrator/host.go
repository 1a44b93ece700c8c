package orchestrator

import (
	"time"

	"mooring/estimate"
	"mooring/model"
)

// The phases in which the host is acted on and comes back.

// acting waits for the driver, or sees for itself when somebody else acts.
func (c *draft) acting() model.Phase {
	// BOSH's task ends only once the cell has settled, for which the cell's
	// gate holds it; and an error of its may be another cell's.
	seen := c.d.somebodyElse(c.plan) || c.plan.Via.Bosh != nil || !c.roll.AtGate.IsZero()
	if !c.roll.Acted && seen && c.left() {
		c.roll.Acted, c.roll.Waits, c.changed = true, "", true
	}
	switch {
	case c.roll.Acted:
		return model.Returning
	case c.roll.Refused != "" && c.plan.Gathers != nil: // BOSH had leave and did not use it
		c.end(model.RollAborted, c.roll.Refused)
		return c.roll.Phase
	case c.roll.Refused != "":
		c.requeue(c.roll.Refused)
		return c.roll.Phase
	}
	c.watchHost()
	return c.roll.Phase
}

// somebodyElse reports whether nobody here acts on the plan's hosts.
func (d *decision) somebodyElse(plan *model.Plan) bool { return somebodyElse(plan, d.via) }

// somebodyElse is that where plans that do not say are acted on by a fallback.
func somebodyElse(plan *model.Plan, fallback model.Via) bool {
	if plan.Via.Bosh != nil {
		return plan.Converges()
	}
	for _, via := range []model.Via{plan.Via, fallback} {
		if via.Command != "" || via.Wait {
			return via.Command == ""
		}
	}
	return true
}

// left reports whether the cell is away, or has been since the action began.
// One that was away before has left once it is back, or is not to come back.
func (c *draft) left() bool {
	presence := c.d.snap.Presence(c.roll.CellID)
	if presence == nil {
		return !c.roll.Gone || c.roll.Action == model.Retire
	}
	return presence.Start != c.roll.Start
}

// returning waits for the cell with a new boot and its volumes. A retired cell
// is gone once its agent is, and so is all that it ever reported.
func (c *draft) returning() model.Phase {
	if c.roll.Action == model.Retire {
		if c.d.snap.Presence(c.roll.CellID) != nil {
			c.watchHost()
			return c.roll.Phase
		}
		c.remove()
		return model.Settling
	}
	if c.missing() != "" {
		c.watchHost()
		return c.roll.Phase
	}
	for _, h := range c.permits() {
		if h.permit.Want == model.WantOut && c.stillHere(h) {
			c.change(h, func(p *model.Permit) bool { p.Want = model.WantBack; return true })
		}
	}
	c.uncordon()
	return model.Settling
}

// missing says what is missing for the cell to be back, "" when nothing is.
func (c *draft) missing() string {
	cell := c.roll.CellID
	presence := c.d.snap.Presence(cell)
	switch {
	case presence == nil:
		return "the cell does not answer"
	case presence.Start == c.roll.Start:
		return "the cell has not gone down yet"
	case c.roll.SameBoot(presence):
		return "the cell's agent restarted, but its host did not boot again"
	}
	held := map[string]bool{}
	for _, actual := range c.d.snap.ActualVolumesOn(cell) {
		held[actual.GUID] = actual.State != model.VolumeFailed
	}
	for _, volume := range c.d.snap.VolumesOn(cell) {
		if !volume.Floating && !volume.Ending && volume.Mounted && !held[volume.GUID] {
			return "volume " + c.d.volumeName(volume) + " is not there"
		}
	}
	return ""
}

// remove takes a retired cell out of the state, with what it last reported.
func (c *draft) remove() {
	if cell := c.d.snap.Cell(c.roll.CellID); cell != nil {
		c.tx.Delete(cell)
	}
	forgetReports(c.d.snap, c.tx, c.roll.CellID)
	c.uncordon()
}

// settling waits until every permit is given back: every instance serves.
func (c *draft) settling() model.Phase {
	if len(c.permits()) == 0 {
		return model.RollDone
	}
	since := c.roll.Since()
	for _, h := range c.permits() {
		if c.d.lookAt(c.d.seen(since).Add(c.patience(c.d.snap.App(h.appGUID)))) {
			c.stick(c.notSettled(h, since), false)
			break
		}
	}
	return c.roll.Phase
}

// began is when the attempt at the host action began.
func (c *draft) began() time.Time {
	if c.roll.Began.IsZero() { // by an earlier version
		at, _ := c.roll.Entered(model.Acting)
		return at
	}
	return c.roll.Began
}

// watchHost flags a host on which the action failed, or is away for longer than
// ninety-nine in a hundred were.
func (c *draft) watchHost() {
	// What BOSH fails at before the host is away, it leaves as it was.
	failed := c.roll.Phase == model.Returning && c.roll.Task != nil && c.roll.Task.Failed
	if c.roll.Error != "" || failed {
		c.stick(c.actionFailed(), false)
		return
	}
	if c.roll.Waits != "" {
		c.stick(c.actionWaits(), false)
		return
	}
	if c.awaitsTask() {
		return // whatever the task waits for is flagged by itself
	}
	if !c.roll.BackAt.IsZero() && c.watchBack() {
		return
	}
	began := c.began()
	slow := c.d.durations().Patience(c.roll.Action, estimate.Away) + c.roll.Extra.D()
	if c.d.somebodyElse(c.plan) {
		// People take their time; what was measured says nothing of them.
		began, slow = c.roll.Since(), estimate.Longest(c.roll.Action)+c.roll.Extra.D()
	}
	if within := c.plan.Via.Within.D(); within > 0 {
		slow = within + c.roll.Extra.D()
	}
	switch {
	case !c.d.lookAt(c.d.seen(began).Add(slow)):
	case c.roll.Phase == model.Acting && c.d.somebodyElse(c.plan) && c.roll.BackAt.IsZero():
		c.stick(c.notStopped(began), false)
	default:
		c.stick(c.notReturned(began, slow), false)
	}
}

// watchBack flags a host that is back to BOSH, which waits at the cell's gate,
// and not to its roll: at once where nothing can come of waiting, or when the
// agent is not there after longer than a whole restart takes. It reports whether
// it did.
func (c *draft) watchBack() bool {
	if c.roll.SameBoot(c.d.snap.Presence(c.roll.CellID)) {
		c.stick(c.notBootedAnew(), false)
		return true
	}
	slow := c.d.durations().Patience(model.Restart, estimate.Away) + c.roll.Extra.D()
	if !c.d.lookAt(c.d.seen(c.roll.BackAt).Add(slow)) {
		return false
	}
	c.stick(c.notBackInTime(slow), false)
	return true
}
