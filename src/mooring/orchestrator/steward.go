package orchestrator

import (
	"fmt"
	"maps"
	"time"

	"mooring/lifecycle"
	"mooring/model"
)

// advancePermits writes down how far every permit has come, whoever holds it,
// and gives back those that reached their end.
func (d *decision) advancePermits() {
	for _, ledger := range d.snap.Ledgers() {
		if len(ledger.Permits) > 0 {
			d.advanceLedger(ledger)
		}
	}
}

func (d *decision) advanceLedger(ledger *model.Ledger) {
	tx := d.snap.Txn()
	next := &model.Ledger{AppGUID: ledger.AppGUID}
	known := d.snap.Durations(ledger.AppGUID)
	learned := known
	for _, permit := range ledger.Permits {
		step := d.reached(ledger.AppGUID, permit)
		if step != permit.Step {
			permit.Step = step
			permit.Times = maps.Clone(permit.Times)
			if permit.Times == nil {
				permit.Times = map[model.Step]time.Time{}
			}
			permit.Times[step] = d.now
			event := d.permitEvent(ledger.AppGUID, &permit, step.Event())
			if step == model.StepReleased {
				event.Permit = &permit // all its times, for whoever measures
				learned = d.learnPermit(learned, ledger.AppGUID, &permit)
			}
			tx.Event(event)
		}
		if step != model.StepReleased {
			next.Permits = append(next.Permits, permit)
		}
	}
	if !tx.Empty() {
		tx.Put(next)
		if learned != known {
			tx.Put(learned)
		}
		d.add(tx)
	}
}

// reached gives the step a permit has reached. The permit of an instance that
// is being removed ends with the instance, by the scheduler's hand.
func (d *decision) reached(appGUID string, permit model.Permit) model.Step {
	inst := d.snap.Instance(appGUID, permit.Index)
	return lifecycle.Advance(permit, inst, d.actualsOf(appGUID, permit.Index), d.snap.Present)
}

// permitEvent says that something became of a permit.
func (d *decision) permitEvent(appGUID string, permit *model.Permit, kind model.EventKind) model.Event {
	index := permit.Index
	event := model.Event{
		At: d.now, Kind: kind, Actor: actor,
		AppGUID: appGUID, Index: &index, CellID: permit.CellID,
	}
	if app := d.snap.App(appGUID); app != nil {
		event.App = app.Name.String()
	}
	event.Text = fmt.Sprintf("%s of %s for %s: %s", permit.Kind, d.nameOf(appGUID, index), model.DescribeHolder(permit.Holder, orElse(event.App, appGUID)), kind.What())
	return event
}

// nameOf gives the name of an instance, by GUID when its app is gone.
func (d *decision) nameOf(appGUID string, index int) string {
	if app := d.snap.App(appGUID); app != nil {
		return model.InstanceName(app.Name, index)
	}
	return fmt.Sprintf("%s/%d", appGUID, index)
}

// withPermit copies a ledger with one permit changed, or removed when change
// returns false.
func withPermit(ledger *model.Ledger, id string, change func(*model.Permit) (keep bool)) *model.Ledger {
	next := &model.Ledger{AppGUID: ledger.AppGUID}
	for _, permit := range ledger.Permits {
		if permit.ID == id && !change(&permit) {
			continue
		}
		next.Permits = append(next.Permits, permit)
	}
	return next
}
