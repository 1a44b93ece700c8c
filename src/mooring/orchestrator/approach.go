package orchestrator

import (
	"fmt"
	"slices"
	"time"

	"mooring/model"
)

// The phases before the host is acted on. Each asks for the permits of its own
// kind only and waits until what it is about has left or stopped. What stays is
// asked for all of the cell at once, what leaves in steps.

// draining has what would lose its data hand it over and leave.
func (c *draft) draining() model.Phase {
	occupants := c.d.occupants(c.roll)
	if phaseFor(occupants) != model.Draining {
		return model.Moving
	}
	if c.hindered(occupants) {
		return c.roll.Phase
	}
	drains := pick(occupants, func(o *occupant) bool { return o.means.Kind == model.Drain })
	now := c.step(drains)
	if c.ask(now) {
		c.watchRoom(now)
		c.watchSteps(drains)
	}
	return c.roll.Phase
}

// moving has the scheduler replace what has no volume, and moves what floats.
func (c *draft) moving() model.Phase {
	occupants := c.d.occupants(c.roll)
	switch phaseFor(occupants) {
	case model.Draining:
		return model.Draining
	case model.Moving:
	default:
		return model.Interrupting
	}
	if c.hindered(occupants) {
		return c.roll.Phase
	}
	replaced := pick(occupants, func(o *occupant) bool { return o.means.Replace })
	if len(replaced) > 0 {
		c.cordon(true)
	}
	moved := pick(occupants, func(o *occupant) bool { return o.means.Move })
	now := c.step(moved)
	if c.ask(now) {
		c.watchRoom(slices.Concat(replaced, now, pick(moved, (*occupant).crowds)))
		c.watchSteps(moved)
	}
	return c.roll.Phase
}

// interrupting has everything that is left stop, all together.
func (c *draft) interrupting() model.Phase {
	occupants := c.d.occupants(c.roll)
	switch phase := phaseFor(occupants); phase {
	case model.Interrupting:
	default:
		return phase
	}
	if c.hindered(occupants) {
		return c.roll.Phase
	}
	c.ask(pick(occupants, func(o *occupant) bool { return !o.leaving && !o.out }))
	return c.roll.Phase
}

// quiesced begins the host action, once more making sure, in the transaction
// that begins it, that nothing runs on the cell.
func (c *draft) quiesced() model.Phase {
	occupants := c.d.occupants(c.roll)
	if phase := phaseFor(occupants); phase != model.Quiesced {
		return phase
	}
	for _, o := range occupants {
		c.tx.Require(o.inst.Key(), model.LedgerKey(o.inst.AppGUID))
	}
	c.tx.Require(model.TableCordons + "/" + c.roll.CellID)
	if c.plan.Via.Bosh != nil && !c.plan.Converges() {
		c.roll.Task = nil // what acts now has yet to start
	}
	c.begin()
	return model.Acting
}

// begin starts a new attempt at the host action.
func (c *draft) begin() {
	c.roll.ID = fmt.Sprintf("%s.%s.%d", c.roll.Plan, c.roll.CellID, c.d.snap.Revision())
	c.roll.Began = c.d.now
	c.roll.Acted, c.roll.Waits, c.roll.Error, c.roll.Refused = false, "", "", ""
	c.roll.BackAt = time.Time{}
	c.roll.Gone, c.roll.Alone = !c.d.snap.Present(c.roll.CellID), false
	cell := c.d.snap.Cell(c.roll.CellID)
	c.roll.Boot, c.roll.Start = cell.Boot, cell.Start
	if presence := c.d.snap.Presence(c.roll.CellID); presence != nil {
		c.roll.Boot, c.roll.Start = presence.Boot, presence.Start
	}
	c.changed = true
}

// hindered reports whether the roll cannot go on, having flagged it as stuck:
// its cell does not answer, a handler does not do its work, or something has
// nowhere to go.
func (c *draft) hindered(occupants []*occupant) bool {
	if !c.d.snap.Present(c.roll.CellID) && !c.roll.Force {
		c.waitForCell()
		return true
	}
	for _, o := range occupants {
		if problem := c.handlerProblem(o); problem != nil {
			c.stick(problem, false)
			return true
		}
	}
	if o := stranded(occupants); o != nil {
		c.stick(c.nowhereToGo(o), false)
		return true
	}
	return false
}

// watchRoom flags what was to leave the cell and still has not, long after it
// could: the scheduler has found no place for it.
func (c *draft) watchRoom(leaving []*occupant) {
	since := c.roll.Since()
	for _, o := range leaving {
		from := since
		if o.permit != nil {
			if from = o.permit.Times[model.StepYielded]; !o.out {
				continue // its handler is at work
			}
		}
		if o.app != nil && c.d.lookAt(c.d.seen(from).Add(c.patience(o.app))) {
			why := o.inst.Unplaced
			if why == "" {
				why = "the scheduler has not moved it"
			}
			c.stick(c.noRoom(o, why), false)
			return
		}
	}
}

func pick(occupants []*occupant, which func(*occupant) bool) []*occupant {
	return slices.DeleteFunc(slices.Clone(occupants), func(o *occupant) bool { return !which(o) })
}
