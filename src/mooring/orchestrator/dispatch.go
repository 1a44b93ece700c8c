package orchestrator

import (
	"slices"

	"mooring/model"
	"mooring/sequence"
)

// dispatch starts the cells whose turn it is: as many as the policies, the
// ceiling and the canaries allow, in the order of the plan. All that start now
// start in one transaction.
func (d *decision) dispatch(plan *model.Plan) {
	window, err := model.ParseWindow(plan.Window)
	if err != nil {
		return // it was refused when the plan was made
	}
	if open, next := window.Open(d.now); !open {
		d.lookAt(next)
		d.foretellForbidden(plan)
		return
	}
	s := d.surveyOf(plan, d.candidates(plan))
	if plan.Converges() {
		d.foretellForbidden(plan) // BOSH has yet to come to most of them
	} else {
		d.flagForbidden(plan, s)
	}
	tx := d.snap.Txn()
	dispatcher := sequence.NewDispatcher(&s.problem, s.turns())
	for cell, ok := dispatcher.Next(); ok; cell, ok = dispatcher.Next() {
		if c := d.draft(plan, s.rolls[cell]); c.start() {
			c.tx = tx
			c.enter(model.Cordoned, "")
			c.cordon(false)
			c.fold()
			d.cordoning[c.roll.CellID] = c.roll
			dispatcher.Start(cell)
		} else {
			dispatcher.Stop(cell, false)
		}
	}
	d.add(tx)
	d.watchQueue(plan, s, dispatcher)
}

// candidates lists the rolls of a plan in its order, without those that may
// not be started whatever the policies allow. It flags those that wait for
// something only a person can change.
func (d *decision) candidates(plan *model.Plan) []*model.Roll {
	rolls := make([]*model.Roll, 0, len(plan.Order))
	for _, cell := range plan.Order {
		roll := d.snap.Roll(plan.Name, cell)
		if roll == nil || roll.Phase == model.Queued && (roll.StuckID != "" || d.waits(plan, roll)) {
			continue
		}
		rolls = append(rolls, roll)
	}
	return rolls
}

// waits reports whether a queued roll cannot take its turn yet.
func (d *decision) waits(plan *model.Plan, roll *model.Roll) bool {
	c := d.draft(plan, roll)
	cell := d.snap.Cell(roll.CellID)
	occupants := d.queuedOn(roll)
	switch {
	case cell == nil || cell.Lost:
		c.end(model.RollSkipped, "the cell is gone for good")
	case !d.snap.Present(roll.CellID) && !roll.Force && phaseFor(occupants) != model.Quiesced:
		c.waitForCell()
	case plan.Converges() && roll.AtGate.IsZero():
		return true // BOSH has yet to come to it
	case d.snap.Cordon(roll.CellID) != nil || d.cordoning[roll.CellID] != nil || settles(d.snap.RollOn(roll.CellID)):
		return true // another plan has the cell
	default:
		o := stranded(occupants)
		if o == nil {
			return false
		}
		c.stick(c.nowhereToGo(o), true)
	}
	c.submit()
	return true
}

// settles reports whether a roll is about to be over. One that is stuck there
// does not keep its cell: the next roll may be the repair.
func settles(roll *model.Roll) bool {
	return roll != nil && roll.Phase == model.Settling && roll.StuckID == ""
}

// foretellForbidden flags the cells that a policy never lets go although none of
// the plan can start yet: its owner has until then to change it.
func (d *decision) foretellForbidden(plan *model.Plan) {
	var queued []*model.Roll
	for _, roll := range d.snap.Rolls(plan.Name) {
		free := d.snap.Present(roll.CellID) && d.snap.Cordon(roll.CellID) == nil && d.snap.RollOn(roll.CellID) == nil
		if roll.Phase == model.Queued && roll.StuckID == "" && free {
			queued = append(queued, roll)
		}
	}
	d.flagForbidden(plan, d.surveyOf(plan, queued))
}

// flagForbidden flags the queued cells that a policy never lets go, long
// before it would be their turn.
func (d *decision) flagForbidden(plan *model.Plan, s *survey) {
	for _, never := range sequence.Nevers(&s.problem) {
		c := d.draft(plan, s.rolls[never.Cell])
		if blocker := c.forever(d.occupants(c.roll)); blocker != nil {
			c.stick(c.forbidden(*blocker), false)
			c.submit()
		}
	}
}

// start makes sure, at its turn, that the roll can get anywhere. When it
// cannot and that will not change by itself, it is flagged.
func (c *draft) start() bool {
	occupants := c.d.occupants(c.roll)
	if blocker := c.forever(occupants); blocker != nil {
		c.stick(c.forbidden(*blocker), true)
		c.submit()
		return false
	}
	if slices.ContainsFunc(occupants, func(o *occupant) bool { return o.noRoom }) {
		return false // there will be room once other cells are done
	}
	return !c.d.strands(c.roll)
}

// watchQueue waits, on behalf of all queued cells of an app that has no room
// for any of them because something is down, with the first of them.
func (d *decision) watchQueue(plan *model.Plan, s *survey, dispatcher *sequence.Dispatcher) {
	waiting := map[string]bool{}
	for cell, roll := range s.rolls {
		if dispatcher.State(cell) != sequence.Waiting {
			continue
		}
		c := d.draft(plan, roll)
		appGUID, index := d.shortOf(s, cell)
		switch {
		case index < 0:
			c.waitNoMore()
		case !waiting[appGUID] && !d.waitedFor(plan, appGUID):
			waiting[appGUID] = true
			c.waitForInstance(appGUID, index)
		}
		c.submit()
	}
}

// shortOf gives an app that has no room for a cell, whatever the plan does,
// because of an instance that is down; index is -1 when there is none.
func (d *decision) shortOf(s *survey, cell int) (appGUID string, index int) {
	for _, use := range s.problem.Cells[cell].Uses {
		app := s.problem.Apps[use.App]
		if int(use.N) <= app.Limit-app.Down {
			continue
		}
		b := s.budgets[use.App]
		if index := d.unplanned(b.appGUID, d.crew(b.appGUID).Spent(b.kind)); index >= 0 {
			return b.appGUID, index
		}
	}
	return "", -1
}

// waitedFor reports whether a roll of the plan is flagged already as waiting
// for an instance of the app.
func (d *decision) waitedFor(plan *model.Plan, appGUID string) bool {
	for _, alert := range d.snap.StuckItems() {
		if alert.Plan == plan.Name && alert.Kind == model.WaitingForBudget && alert.AppGUID == appGUID && !alert.Recovered() {
			return true
		}
	}
	return false
}
