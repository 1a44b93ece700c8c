package orchestrator

import (
	"fmt"
	"slices"
	"time"

	"mooring/model"
	"mooring/state"
)

// An alert lives from the moment its rule is met until the thing moves again.
// What is known to come and go is kept open for a while after that: however
// often it is stuck again in that time, it is the same alert, and people are
// told once.

// What recovers is watched for keepOpen before its alert closes; twice as long
// after each time it came back, and for keepOpenMost at most.
const (
	keepOpen     = 10 * time.Second
	keepOpenMost = 10 * time.Minute
)

// comesAndGoes reports whether things that are stuck in this way can recover
// and be stuck again without anybody doing anything.
func comesAndGoes(kind model.StuckKind) bool {
	switch kind {
	case model.CellGone, model.WaitingForBudget, model.DrainImpossible, model.NoRoom, model.DirectorBlocks, model.InstanceNotStopped,
		model.InstanceBlocked, model.VolumeUnknown:
		return true
	}
	return false
}

// alarm opens an alert, or renews the one that is open with newer evidence where
// that says something else.
func (d *decision) alarm(tx *state.Txn, problem *model.Stuck) {
	d.complete(problem)
	open := d.snap.StuckItem(problem.ID)
	if open == nil {
		problem.FlaggedAt = d.now
		tx.Put(problem)
		tx.Event(d.alertEvent(model.EventStuckOpened, problem, problem.What))
		return
	}
	problem.FlaggedAt, problem.Since, problem.Answer, problem.Flaps = open.FlaggedAt, open.Since, open.Answer, open.Flaps
	switch {
	case open.Recovered():
		problem.Flaps++
		tx.Event(d.alertEvent(model.EventStuckReturned, problem, fmt.Sprintf("%s: again, for the %s time", problem.ID, ordinal(problem.Flaps+1))))
	case sameEvidence(open, problem):
		return
	case open.What != problem.What: // who else waits is no news
		tx.Event(d.alertEvent(model.EventStuckChanged, problem, problem.What))
	}
	tx.Put(problem)
}

// sameEvidence reports whether a later look says nothing that is news. Output
// and errors come and go with each try: only the first ones are.
func sameEvidence(open, later *model.Stuck) bool {
	if len(open.Output) == 0 && len(later.Output) > 0 || open.Error == "" && later.Error != "" {
		return false
	}
	return open.What == later.What && slices.Equal(open.Blocks, later.Blocks) && slices.Equal(open.Answers, later.Answers) && slices.Equal(open.Data, later.Data) &&
		open.Task.Same(later.Task)
}

// complete adds what every alert has.
func (d *decision) complete(problem *model.Stuck) {
	if cell := d.snap.Cell(problem.CellID); cell != nil {
		problem.AZ = cell.AZ
	}
	problem.Effects = nil
	for _, verb := range problem.Answers {
		if problem.Effects == nil {
			problem.Effects = map[model.Verb]string{}
		}
		problem.Effects[verb] = d.effect(problem, verb)
	}
}

// recover ends an alert whose thing moves again: at once, or after a while
// where it may well be stuck again soon.
func (d *decision) recover(tx *state.Txn, alert *model.Stuck, why string) {
	if !comesAndGoes(alert.Kind) {
		d.closeAlert(tx, alert, why)
		return
	}
	if alert.Recovered() {
		return
	}
	next := *alert
	next.RecoveredAt = d.now
	tx.Put(&next)
	tx.Event(d.alertEvent(model.EventStuckRecovered, &next, fmt.Sprintf("%s: %s", alert.ID, why)))
}

// closeAlert ends an alert for good.
func (d *decision) closeAlert(tx *state.Txn, alert *model.Stuck, why string) {
	tx.Delete(alert)
	tx.Event(d.alertEvent(model.EventStuckClosed, alert, fmt.Sprintf("%s: %s", alert.ID, why)))
}

// closeRecovered closes the alerts of what has moved for long enough, or can
// be stuck no more because what it held up is over.
func (d *decision) closeRecovered() {
	for _, alert := range d.snap.StuckItems() {
		if !alert.Recovered() {
			continue
		}
		why := ""
		plan, roll := d.snap.Plan(alert.Plan), d.snap.Roll(alert.Plan, alert.CellID)
		switch {
		case alert.Plan != "" && alert.Kind != model.CellGone && (plan == nil || plan.Finished()):
			why = "the plan is over"
		case roll != nil && alert.Kind != model.CellGone && roll.Phase.Final():
			why = "the roll is over"
		case d.lookAt(d.seen(alert.RecoveredAt).Add(keptOpen(alert))):
			why = "it moves again"
		default:
			continue
		}
		if alert.Flaps > 0 {
			why += fmt.Sprintf(", after it was stuck %d times", alert.Flaps+1)
		}
		tx := d.snap.Txn()
		d.closeAlert(tx, alert, why)
		d.add(tx)
	}
}

// keptOpen is how long an alert stays open after its thing has recovered.
func keptOpen(alert *model.Stuck) time.Duration {
	hold := keepOpen
	for range alert.Flaps {
		if hold *= 2; hold >= keepOpenMost {
			return keepOpenMost
		}
	}
	return hold
}

// open gives an alert that is open and has not recovered, nil when there is
// none of that name.
func (d *decision) open(id string) *model.Stuck {
	if alert := d.snap.StuckItem(id); alert != nil && !alert.Recovered() {
		return alert
	}
	return nil
}

func (d *decision) alertEvent(kind model.EventKind, alert *model.Stuck, text string) model.Event {
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

// ordinal writes a number as a place: 2nd, 3rd, 4th, 11th, 21st.
func ordinal(n int) string {
	ending := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			ending = "st"
		case 2:
			ending = "nd"
		case 3:
			ending = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, ending)
}
