package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// stick flags the roll as stuck, or renews the evidence of the alert it has.
// Before the host is acted on it gives everything back, so that the roll holds
// only its own cell; its place in the line for permits too unless keepPlace.
func (c *draft) stick(problem *model.Stuck, keepPlace bool) {
	c.flagged = true
	problem.ID = fmt.Sprintf("%s.%s.%s", c.roll.Plan, c.roll.CellID, problem.Kind)
	problem.Plan, problem.CellID, problem.Phase = c.roll.Plan, c.roll.CellID, c.roll.Phase
	switch {
	case len(problem.Blocks) > 0:
	case c.roll.Phase.BeforeHost():
		problem.Blocks = append([]string{c.roll.CellID}, c.behind()...)
	default: // it goes on spending what it has
		problem.Blocks = c.d.blockedBy(c.roll.CellID, c.apps()...)
	}
	problem.Blocks = union(problem.Blocks, c.d.heldBack(c.plan, c.roll))
	c.d.alarm(c.tx, problem)
	if c.roll.StuckID == problem.ID {
		return
	}
	c.closeAlert("something else is in the way")
	c.roll.StuckID, c.changed = problem.ID, true
	if c.roll.Phase.BeforeHost() {
		c.undo(keepPlace)
	}
}

// waitForCell marks the roll as waiting for a cell that does not answer, under
// the cell's own alert, once that is open.
func (c *draft) waitForCell() {
	id := cellAlert(c.roll.CellID)
	if c.d.open(id) == nil {
		return
	}
	c.flagged = true
	c.roll.StuckID, c.changed = id, true
	c.undo(true)
	c.event(model.EventRollStuck, "cell "+c.roll.CellID+" does not answer")
}

// recovered ends the roll's alert because the roll moves again.
func (c *draft) recovered(why string) { c.leaveAlert(c.d.recover, why) }

// closeAlert ends the roll's alert for good.
func (c *draft) closeAlert(why string) { c.leaveAlert(c.d.closeAlert, why) }

// leaveAlert ends the roll's alert. One that it shares is left to its owner.
func (c *draft) leaveAlert(end func(*state.Txn, *model.Stuck, string), why string) {
	if c.roll.StuckID == "" {
		return
	}
	if alert := c.d.snap.StuckItem(c.roll.StuckID); alert != nil && alert.Plan == c.roll.Plan && alert.Kind != model.CellGone {
		end(c.tx, alert, why)
	}
	c.roll.StuckID, c.changed = "", true
}

// advanceStuck looks again at a roll that was stopped before its host was
// acted on. When what it waited for has passed, it takes its turn again; when
// somebody said in advance what is to happen then, that happens.
func (d *decision) advanceStuck(plan *model.Plan, roll *model.Roll) {
	c := d.draft(plan, roll)
	alert := d.open(roll.StuckID)
	switch {
	case d.snap.Cell(roll.CellID) == nil || d.snap.Cell(roll.CellID).Lost:
		c.end(model.RollSkipped, "the cell is gone for good")
	case alert == nil || !c.stillStuck(alert):
		if alert != nil && alert.Kind == model.InstanceNotStopped {
			// It did stop, late: let it be as late again, or it would be stopped for
			// nothing time and again.
			c.roll.Extra += model.Duration(d.now.Sub(d.seen(alert.Since)))
		}
		c.recovered("what it waited for has passed")
		c.requeue("takes its turn again")
	default:
		c.answerAsAgreed(alert)
	}
	c.submit()
}

// requeue gives the roll its turn again from the beginning.
func (c *draft) requeue(note string) {
	c.roll.StuckID = ""
	if c.roll.Phase != model.Queued {
		c.undo(true)
	}
	c.enter(model.Queued, note)
}

// stillStuck reports whether the reason of an alert that stopped the roll
// still holds.
func (c *draft) stillStuck(alert *model.Stuck) bool {
	occupants := c.d.occupants(c.roll)
	at := slices.IndexFunc(occupants, func(o *occupant) bool {
		return o.inst.AppGUID == alert.AppGUID && o.inst.Index == alert.Index
	})
	switch alert.Kind {
	case model.CellGone:
		return phaseFor(occupants) != model.Quiesced && !c.roll.Force
	case model.WaitingForBudget:
		return c.d.unplanned(alert.AppGUID, []int{alert.Index}) >= 0 || c.onItsWay(alert.AppGUID, alert.Index)
	case model.PolicyForbids:
		return c.forever(occupants) != nil
	case model.DrainImpossible:
		// As long as the judge says so, and until it serves again.
		return at >= 0 && (c.d.unplanned(alert.AppGUID, []int{alert.Index}) >= 0 || c.forever(occupants) != nil)
	case model.NoRoom:
		if alert.Error != "" {
			return at >= 0 // the scheduler knows why, and it has not moved
		}
		return stranded(occupants) != nil
	}
	if alert.Kind == model.InstanceNotStopped {
		return at >= 0 && c.d.stillUnstopped(alert)
	}
	return at >= 0 && !occupants[at].renewed(alert)
}

// renewed reports whether the occupant's owner has changed the handler that did
// not do its work, or the instance that it is part of. Otherwise only an answer
// has it asked again.
func (o *occupant) renewed(alert *model.Stuck) bool {
	if o.app == nil || alert.Handler == nil {
		return false
	}
	now := o.app.Policy.Handler(o.means.Kind)
	return now == nil || *now != *alert.Handler || o.inst.SpecVersion != alert.SpecVersion
}

// handlerProblem gives what is wrong with the handler of an occupant that was
// asked to go, nil when nothing is.
func (c *draft) handlerProblem(o *occupant) *model.Stuck {
	if o.permit == nil || o.out {
		return nil
	}
	actual := c.d.snap.ActualInstance(o.inst.AppGUID, o.inst.Index, o.inst.CellID)
	if problem := c.d.handlerEvidence(o.app, o.permit, actual); problem != nil {
		problem.Data = c.d.dataOf(o)
		return problem
	}
	return c.d.stopEvidence(o.app, o.permit, actual)
}

// forever gives what will never by itself let the roll have its permits, nil
// when it is only a matter of time. Each phase asks for its own, and what leaves
// for each step, so each is judged by itself, by the judge of every grant.
func (c *draft) forever(occupants []*occupant) *lifecycle.Blocker {
	phases := map[model.Phase][]*occupant{}
	for _, o := range occupants {
		if o.permit == nil && !o.leaving && !o.out && !o.means.Replace {
			phase := phaseFor([]*occupant{o})
			phases[phase] = append(phases[phase], o)
		}
	}
	var claims [][]*occupant
	for _, phase := range []model.Phase{model.Draining, model.Moving} {
		for _, of := range byAppOf(phases[phase]) {
			// What stops with its cell comes back nowhere, so that no step of it could
			// follow another.
			here := pick(of, func(o *occupant) bool { return o.stopsHere })
			if len(here) > 0 {
				claims = append(claims, here)
			}
			if rest := pick(of, func(o *occupant) bool { return !o.stopsHere }); len(rest) > 0 {
				claims = append(claims, c.d.steps(rest)...)
			}
		}
	}
	if stays := phases[model.Interrupting]; len(stays) > 0 {
		claims = append(claims, stays)
	}
	for _, asked := range claims {
		verdict := lifecycle.Judge(c.claim(demandsOf(c.roll, asked)), nil, c.d.crew)
		for _, blocker := range verdict.Blockers {
			if blocker.Forever {
				return &blocker
			}
		}
	}
	return nil
}

// cellAlert is the ID of the alert about a cell that does not answer.
func cellAlert(cellID string) string { return "cell." + cellID + "." + string(model.CellGone) }

// dotted makes a name fit to be part of an ID.
func dotted(name string) string { return strings.ReplaceAll(name, "/", ".") }
