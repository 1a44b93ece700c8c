package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
	"mooring/state"
)

// carryOutAnswers does what people said to do about what is stuck.
func (d *decision) carryOutAnswers() {
	for _, alert := range d.snap.StuckItems() {
		if alert.Answer == nil {
			continue
		}
		tx := d.snap.Txn()
		if err := d.checkAnswer(alert); err != nil {
			refused := *alert
			refused.Answer = nil
			tx.Put(&refused)
			tx.Event(d.answerEvent(alert, *alert.Answer, model.EventStuckRefused, err.Error()))
		} else {
			d.carryOut(tx, alert, *alert.Answer)
		}
		d.add(tx)
	}
}

// checkAnswer refuses an answer that is not open, or that would lose data
// which it does not name, as things are now.
func (d *decision) checkAnswer(alert *model.Stuck) error {
	answer := alert.Answer
	if alert.Recovered() {
		return fmt.Errorf("%s moves again, so there is nothing to answer", alert.ID)
	}
	if !slices.Contains(alert.Answers, answer.Verb) {
		return fmt.Errorf("%s is no answer to %s", answer.Verb, alert.ID)
	}
	if answer.Verb == model.Wait && answer.For <= 0 {
		return fmt.Errorf("wait needs to know how much longer")
	}
	for _, volume := range d.givenUp(alert, answer.Verb) {
		if !slices.Contains(answer.Confirm, volume) {
			return fmt.Errorf("%s would lose the data of %s, which the answer does not name", answer.Verb, volume)
		}
	}
	return nil
}

// givenUp names the volumes whose data an answer gives up: those that the alert
// shows, and those that have come since.
func (d *decision) givenUp(alert *model.Stuck, verb model.Verb) []string {
	if verb != model.Force && verb != model.Lost {
		return nil
	}
	data := slices.Clone(alert.Data)
	roll, inst := d.snap.Roll(alert.Plan, alert.CellID), d.snap.Instance(alert.AppGUID, alert.Index)
	switch {
	case verb == model.Lost || alert.AppGUID == "":
		data = append(data, d.dataOn(alert.CellID)...)
	case roll != nil && inst != nil:
		data = append(data, d.dataOf(d.occupant(roll, inst))...)
	}
	slices.Sort(data)
	return slices.Compact(data)
}

// carryOut applies an answer to everything that the alert holds up, and closes
// the alert.
func (d *decision) carryOut(tx *state.Txn, alert *model.Stuck, answer model.Answer) {
	tx.Event(d.answerEvent(alert, answer, model.EventStuckCarriedOut, fmt.Sprintf("%s: %s", alert.ID, answer.Verb)))
	d.closeAlert(tx, alert, "answered by "+string(answer.Verb))
	if alert.Kind == model.DirectorBlocks && alert.CellID == "" {
		d.quietDirector(tx, alert, answer)
		return
	}
	if alert.Plan == "" && alert.Kind != model.CellGone {
		d.answerPermit(tx, alert, answer)
		return
	}
	for _, plan := range d.snap.Plans() {
		for _, roll := range d.snap.Rolls(plan.Name) {
			if roll.StuckID == alert.ID && !roll.Phase.Final() {
				c := d.draft(plan, roll)
				c.tx = tx
				c.roll.StuckID, c.changed = "", true
				c.answer(alert, answer)
				c.fold()
			}
		}
	}
	if answer.Verb == model.Lost {
		d.loseCell(tx, alert.CellID, answer)
	}
}

// answer applies an answer to one roll whose alert is closed.
func (c *draft) answer(alert *model.Stuck, answer model.Answer) {
	note := fmt.Sprintf("%s: %s", answer.Verb, answer.Reason)
	c.endTask(answer.Verb)
	switch answer.Verb {
	case model.Skip:
		c.end(model.RollSkipped, note)
		return
	case model.Lost:
		c.end(model.RollSkipped, note)
		for _, h := range c.permits() {
			if c.stillHere(h) { // it will be placed anew, and is down until it serves
				c.change(h, func(*model.Permit) bool { return false })
			}
		}
		return
	case model.Wait:
		c.roll.Extra += answer.For
		if !alert.Kind.OfDisruption() { // counted from now, not from when it was due
			c.roll.Extra += model.Duration(c.d.now.Sub(c.d.seen(alert.FlaggedAt)))
		}
	case model.Force:
		if alert.AppGUID == "" {
			c.roll.Force = true
		} else if !c.roll.Forces(alert.AppGUID, alert.Index) {
			c.roll.Forced = append(slices.Clone(c.roll.Forced), model.InstanceRef{AppGUID: alert.AppGUID, Index: alert.Index})
		}
	}
	switch {
	case c.roll.Phase.BeforeHost():
		c.requeue(note)
	case answer.Verb == model.Retry:
		alone := c.taskHasNot() || c.taskIsPast()
		c.roll.Task = nil
		c.begin()
		c.roll.Gone = true // what was tried before may have taken it, unnoticed so far
		c.roll.Alone = alone
		c.enter(model.Acting, note)
	default:
		c.note(note)
	}
}

// loseCell marks a cell as gone for good, which makes the scheduler place
// anew what was on it.
func (d *decision) loseCell(tx *state.Txn, cellID string, answer model.Answer) {
	cell := d.snap.Cell(cellID)
	if cell == nil {
		return
	}
	lost := *cell
	lost.Lost, lost.LostAt = true, d.now
	tx.Put(&lost)
	tx.Event(model.Event{
		At: d.now, Kind: model.EventCellLost, Actor: orElse(answer.By, actor), CellID: cellID, Reason: answer.Reason,
		Text: fmt.Sprintf("cell %s is declared lost with %s", cellID, orElse(strings.Join(d.dataOn(cellID), ", "), "no data")),
	})
}

func (d *decision) answerEvent(alert *model.Stuck, answer model.Answer, kind model.EventKind, text string) model.Event {
	event := d.alertEvent(kind, alert, text)
	event.Actor, event.Reason, event.Answer = orElse(answer.By, actor), answer.Reason, &answer
	return event
}
