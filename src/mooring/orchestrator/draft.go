package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
	"mooring/state"
)

// draft is what one look wants to change about one roll. Nothing of it counts
// until submit, which makes it one transaction.
type draft struct {
	d       *decision
	plan    *model.Plan
	roll    *model.Roll // a copy, to be changed at will
	tx      *state.Txn
	changed bool
	ledgers map[string]*model.Ledger
	// flagged: this look found the roll stuck, anew or still.
	flagged bool
}

func (d *decision) draft(plan *model.Plan, roll *model.Roll) *draft {
	copied := *roll
	copied.Timeline = slices.Clone(roll.Timeline)
	return &draft{d: d, plan: plan, roll: &copied, tx: d.snap.Txn(), ledgers: map[string]*model.Ledger{}}
}

// submit hands the draft over for commit, and reports whether it was taken.
func (c *draft) submit() (taken bool) {
	c.fold()
	return c.d.add(c.tx)
}

// fold puts what the draft changed into its transaction.
func (c *draft) fold() {
	if c.changed {
		c.tx.Put(c.roll)
	}
	for _, ledger := range c.ledgers {
		c.tx.Put(ledger)
	}
}

// enter records that the roll enters a phase.
func (c *draft) enter(phase model.Phase, note string) {
	if phase == model.Cordoned {
		c.roll.Foreseen = c.d.sketch(c.roll).Range().Foreseen()
	}
	c.roll.Phase = phase
	text := string(phase)
	if note != "" {
		text += ": " + note
	}
	c.line(phase.Event(), note, text)
}

// note adds a line to the timeline of a roll that stays in its phase.
func (c *draft) note(note string) {
	kind := model.EventRollNoted
	switch {
	case note == grantedNote:
		kind = model.EventRollGranted
	case note == waitedNote:
		kind = model.EventRollWaited
	case strings.HasPrefix(note, waitsNote):
		kind = model.EventRollWaits
	}
	c.line(kind, note, note)
}

// line adds a line to the timeline, and tells of it.
func (c *draft) line(kind model.EventKind, note, text string) {
	entry := model.Entry{Phase: c.roll.Phase, At: c.d.now, Note: note}
	c.roll.Timeline = append(c.roll.Timeline, entry)
	c.changed = true
	event := c.about(kind, fmt.Sprintf("cell %s: %s", c.roll.CellID, text))
	event.Entry = &entry
	c.tx.Event(event)
}

// event appends an event about the roll.
func (c *draft) event(kind model.EventKind, text string) { c.tx.Event(c.about(kind, text)) }

func (c *draft) about(kind model.EventKind, text string) model.Event {
	return model.Event{At: c.d.now, Kind: kind, Actor: actor, Text: text, CellID: c.roll.CellID, Plan: c.roll.Plan}
}

// permits lists what the roll holds.
func (c *draft) permits() []holding { return c.d.held[c.roll.Holder()] }

// apps lists the apps of which the roll holds permits.
func (c *draft) apps() []string {
	var apps []string
	for _, h := range c.permits() {
		if !slices.Contains(apps, h.appGUID) {
			apps = append(apps, h.appGUID)
		}
	}
	return apps
}

// change changes one permit of the roll, or removes it when edit returns
// false.
func (c *draft) change(h holding, edit func(*model.Permit) (keep bool)) {
	ledger := c.ledgers[h.appGUID]
	if ledger == nil {
		ledger = c.d.snap.Ledger(h.appGUID)
	}
	c.ledgers[h.appGUID] = withPermit(ledger, h.permit.ID, edit)
}

// undo takes back what can be taken back: the cell takes new work again,
// disruptions that have not stopped their instance are cancelled, instances
// that did stop here may run here again. Those that left the cell are on their
// way and keep their permit until they serve. The place in line is kept, for
// those who wait for something stuck, only when keepPlace is set.
func (c *draft) undo(keepPlace bool) {
	for _, h := range c.permits() {
		switch {
		case !stopped(h.permit):
			c.change(h, func(*model.Permit) bool { return false })
			c.tx.Event(c.d.permitEvent(h.appGUID, h.permit, model.EventPermitCancelled))
		case h.permit.Want == model.WantOut && c.stillHere(h):
			c.change(h, func(p *model.Permit) bool { p.Want = model.WantBack; return true })
		}
	}
	c.uncordon()
	claim := c.d.snap.Claim(c.roll.Holder())
	switch {
	case claim == nil:
	case !keepPlace:
		c.tx.Delete(claim)
	case !claim.Aside:
		aside := *claim
		aside.Aside = true
		c.tx.Put(&aside)
	}
}

// stopped reports whether a permit's instance is known to have stopped.
func stopped(permit *model.Permit) bool {
	return slices.Index(model.Steps, permit.Step) >= slices.Index(model.Steps, model.StepYielded)
}

// stillHere reports whether a permit's instance is placed where the permit
// found it.
func (c *draft) stillHere(h holding) bool {
	inst := c.d.snap.Instance(h.appGUID, h.permit.Index)
	return inst != nil && inst.CellID == h.permit.CellID
}

// cordon keeps new work off the cell and, with evacuate, has what needs no
// permit replaced elsewhere.
func (c *draft) cordon(evacuate bool) {
	cordon := c.d.snap.Cordon(c.roll.CellID)
	if cordon != nil && cordon.Evacuate == evacuate {
		return
	}
	next := &model.Cordon{CellID: c.roll.CellID, Holder: c.roll.Holder(), Evacuate: evacuate, Since: c.d.now}
	if cordon != nil {
		next.Since = cordon.Since
	}
	c.tx.Put(next)
}

// uncordon takes the roll's own cordon away.
func (c *draft) uncordon() {
	if cordon := c.d.snap.Cordon(c.roll.CellID); cordon != nil && cordon.Holder == c.roll.Holder() {
		c.tx.Delete(cordon)
	}
}

// end ends the roll without having done its work, and whatever alert it had.
func (c *draft) end(phase model.Phase, why string) {
	c.undo(false)
	c.closeAlert(why)
	c.enter(phase, why)
}
