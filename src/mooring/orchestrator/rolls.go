package orchestrator

import "mooring/model"

// advanceRoll takes a roll that is under way as far as it can go now.
//
// Phases in which nothing has to happen are passed in one transaction, each
// with its line in the timeline. The walk ends at the latest where the roll is
// quiesced, so that this is on record before the host is acted on.
func (d *decision) advanceRoll(plan *model.Plan, roll *model.Roll) {
	c := d.draft(plan, roll)
	for {
		next := c.walk()
		if next == c.roll.Phase {
			break
		}
		if next == model.Quiesced {
			c.leaveLine()
		}
		c.enter(next, "")
		if next == model.Quiesced || next.Final() {
			break
		}
	}
	switch {
	case roll.StuckID == "":
	case !c.flagged:
		c.recovered("it moves again")
	case (c.roll.Phase == model.Settling || c.failedInTask()) && plan.OnStuck == model.StuckSkip:
		if alert := d.open(roll.StuckID); alert != nil {
			c.answerAsAgreed(alert)
		}
	}
	if c.submit() && c.roll.Phase == model.RollDone {
		d.learnRoll(plan, c.roll)
	}
}

// walk does what the roll's phase asks for and gives the phase to go to: its
// own while there is something to wait for. An earlier one when, against the
// cordon, something that belongs there has come to the cell.
func (c *draft) walk() model.Phase {
	if cell := c.d.snap.Cell(c.roll.CellID); (cell == nil && c.roll.Action != model.Retire) || (cell != nil && cell.Lost) {
		c.end(model.RollSkipped, "the cell is gone for good")
		return c.roll.Phase
	}
	switch c.roll.Phase {
	case model.Cordoned:
		return model.Draining
	case model.Draining:
		return c.draining()
	case model.Moving:
		return c.moving()
	case model.Interrupting:
		return c.interrupting()
	case model.Quiesced:
		return c.quiesced()
	case model.Acting:
		return c.acting()
	case model.Returning:
		return c.returning()
	case model.Settling:
		return c.settling()
	}
	return c.roll.Phase
}
