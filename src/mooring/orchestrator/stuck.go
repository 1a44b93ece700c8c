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
	case beforeHost(c.roll.Phase):
		problem.Blocks = []string{c.roll.CellID}
	default: // it goes on spending what it has
		problem.Blocks = c.d.blockedBy(c.roll.CellID, c.apps()...)
	}
	if c.roll.StuckID == problem.ID {
		c.d.renewAlert(c.tx, problem)
		return
	}
	c.closeAlert("something else is in the way")
	c.roll.StuckID, c.changed = problem.ID, true
	c.d.openAlert(c.tx, problem)
	if beforeHost(c.roll.Phase) {
		c.undo(keepPlace)
	}
}

// waitForCell marks the roll as waiting for a cell that does not answer, under
// the cell's own alert, once that is open.
func (c *draft) waitForCell() {
	id := cellAlert(c.roll.CellID)
	if c.d.snap.StuckItem(id) == nil {
		return
	}
	c.flagged = true
	c.roll.StuckID, c.changed = id, true
	c.undo(true)
	c.event("roll.stuck", "cell "+c.roll.CellID+" does not answer")
}

// closeAlert closes the roll's alert. One that it shares is left to its owner.
func (c *draft) closeAlert(why string) {
	if c.roll.StuckID == "" {
		return
	}
	if alert := c.d.snap.StuckItem(c.roll.StuckID); alert != nil && alert.Plan == c.roll.Plan {
		c.d.closeAlert(c.tx, alert, why)
	}
	c.roll.StuckID, c.changed = "", true
}

func (d *decision) openAlert(tx *state.Txn, problem *model.Stuck) {
	problem.FlaggedAt = d.now
	tx.Put(problem)
	tx.Event(d.alertEvent(model.EventStuckOpened, problem, problem.What))
}

// renewAlert keeps an alert that is open as it is, with newer evidence when
// that says something else.
func (d *decision) renewAlert(tx *state.Txn, problem *model.Stuck) {
	open := d.snap.StuckItem(problem.ID)
	if open == nil || open.What == problem.What && slices.Equal(open.Blocks, problem.Blocks) && slices.Equal(open.Answers, problem.Answers) {
		return
	}
	problem.FlaggedAt, problem.Since, problem.Answer = open.FlaggedAt, open.Since, open.Answer
	tx.Put(problem)
	if open.What != problem.What { // who else waits is no news
		tx.Event(d.alertEvent(model.EventStuckChanged, problem, problem.What))
	}
}

func (d *decision) closeAlert(tx *state.Txn, alert *model.Stuck, why string) {
	tx.Delete(alert)
	tx.Event(d.alertEvent(model.EventStuckClosed, alert, fmt.Sprintf("%s: %s", alert.ID, why)))
}

func (d *decision) alertEvent(kind string, alert *model.Stuck, text string) model.Event {
	event := model.Event{At: d.now, Kind: kind, Actor: actor, Text: text, AppGUID: alert.AppGUID, CellID: alert.CellID, Plan: alert.Plan}
	if alert.App != nil {
		index := alert.Index
		event.App, event.Index = alert.App.String(), &index
	}
	if kind == model.EventStuckOpened || kind == model.EventStuckChanged || kind == model.EventStuckClosed {
		event.Stuck = alert
	}
	return event
}

// advanceStuck looks again at a roll that was stopped before its host was
// acted on. When what it waited for has passed, it takes its turn again; when
// somebody said in advance what is to happen then, that happens.
func (d *decision) advanceStuck(plan *model.Plan, roll *model.Roll) {
	c := d.draft(plan, roll)
	alert := d.snap.StuckItem(roll.StuckID)
	switch {
	case d.snap.Cell(roll.CellID) == nil || d.snap.Cell(roll.CellID).Lost:
		c.end(model.RollSkipped, "the cell is gone for good")
	case alert == nil || !c.stillStuck(alert):
		c.closeAlert("what it waited for has passed")
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
		return c.d.unplanned(alert.AppGUID, []int{alert.Index}) >= 0
	case model.PolicyForbids:
		return c.forever(occupants) != nil
	case model.DrainImpossible:
		return at >= 0 && c.d.unplanned(alert.AppGUID, []int{alert.Index}) >= 0
	case model.NoRoom:
		if alert.Error != "" {
			return at >= 0 // the scheduler knows why, and it has not moved
		}
		return slices.ContainsFunc(occupants, func(o *occupant) bool { return o.nowhere })
	}
	return at >= 0 // a handler: until somebody answers, or its instance leaves
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
	return nil
}

// forever gives what will never by itself let the roll have its permits, nil
// when it is only a matter of time. Each phase asks for its own, so each is
// judged by itself, by the judge of every grant.
func (c *draft) forever(occupants []*occupant) *lifecycle.Blocker {
	phases := map[model.Phase][]*occupant{}
	for _, o := range occupants {
		if o.permit == nil && !o.leaving && !o.out && !o.means.Replace {
			phase := phaseFor([]*occupant{o})
			phases[phase] = append(phases[phase], o)
		}
	}
	for _, phase := range []model.Phase{model.Draining, model.Moving, model.Interrupting} {
		if len(phases[phase]) == 0 {
			continue
		}
		verdict := lifecycle.Judge(c.claim(demandsOf(phases[phase])), nil, c.d.crew)
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
