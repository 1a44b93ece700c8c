package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/estimate"
	"mooring/lifecycle"
	"mooring/model"
)

// Notes in a roll's timeline that are read again: how long a roll waited for
// its permits, and since when it waits for something that is down.
const (
	grantedNote = "permits granted"
	waitsNote   = "waits: "
	waitedNote  = "waits no longer for what is down"
)

// ask asks for the permits that the occupants still need, all or none, and
// reports whether there is nothing left to ask for. A refusal for longer than
// patience allows, or for ever, flags the roll.
func (c *draft) ask(occupants []*occupant) (all bool) {
	demands := demandsOf(c.roll, occupants)
	claim := c.d.snap.Claim(c.roll.Holder())
	if len(demands) == 0 {
		c.leaveLine()
		return true
	}
	wanted := c.claim(demands)
	if claim != nil {
		wanted.Since, wanted.At = claim.Since, claim.At
		if !slices.Equal(claim.Demands, demands) || claim.Extra != wanted.Extra || claim.Aside {
			c.tx.Put(wanted)
			return false
		}
		c.grant()
		return false
	}
	if c.granted() {
		c.note(nextStepNote)
	}
	c.tx.Put(wanted)
	return false
}

// leaveLine takes back the claim that the roll may have.
func (c *draft) leaveLine() {
	if claim := c.d.snap.Claim(c.roll.Holder()); claim != nil {
		c.tx.Delete(claim)
	}
}

// demandsOf gives what a roll has to ask for on behalf of occupants.
func demandsOf(roll *model.Roll, occupants []*occupant) []model.Demand {
	var demands []model.Demand
	for _, o := range occupants {
		if o.permit == nil {
			demands = append(demands, model.Demand{
				AppGUID: o.inst.AppGUID, Index: o.inst.Index, Kind: o.means.Kind, Move: o.means.Move, Force: roll.Forces(o.inst.AppGUID, o.inst.Index),
			})
		}
	}
	return demands
}

func (c *draft) claim(demands []model.Demand) *model.Claim {
	return &model.Claim{
		Holder: c.roll.Holder(), Reason: model.ReasonRoll, Action: c.roll.Action, CellID: c.roll.CellID,
		Demands: demands, Extra: c.roll.Extra,
		ExpectedBack: model.Duration(c.d.durations().Host(c.roll.Action, estimate.Away).Half()),
		Since:        c.d.snap.Revision(), At: c.d.now,
	}
}

// grant has the roll's claim judged and, when it is granted, makes the grant
// this draft's transaction.
func (c *draft) grant() {
	if !c.tx.Empty() || len(c.ledgers) > 0 {
		return // these changes first; a grant is a transaction of its own
	}
	tx, verdict := c.d.snap.Grant(c.roll.Holder(), c.d.now)
	if !verdict.Granted {
		c.refused(verdict)
		return
	}
	c.tx = tx
	c.note(grantedNote)
}

// refused waits for what blocks a claim. Blocked by what is planned, it is
// only a matter of turns. Blocked by something that is down and stays down,
// or by what never ends by itself, the roll is stuck.
func (c *draft) refused(verdict lifecycle.Verdict) {
	for _, blocker := range verdict.Blockers {
		if blocker.Forever {
			c.stick(c.forbidden(blocker), true)
			return
		}
	}
	for _, blocker := range verdict.Blockers {
		if index := c.d.unplanned(blocker.AppGUID, blocker.Holders); index >= 0 {
			c.waitForInstance(blocker.AppGUID, index)
			return
		}
	}
	c.waitNoMore()
}

// unplanned gives the first of an app's indexes that is down though nobody
// disrupts it, -1 when there is none.
func (d *decision) unplanned(appGUID string, indexes []int) int {
	crew := d.crew(appGUID)
	if crew == nil {
		return -1
	}
	for _, index := range indexes {
		m := crew.Member(index)
		if m != nil && (m.Standing == lifecycle.Down || m.Permit != nil && (d.over(m.Permit.Holder) || d.adrift(m.Permit))) {
			return index
		}
	}
	return -1
}

// adrift reports whether a disruption that takes no cell away was overtaken by
// its cell's end: nobody is there to carry it out.
func (d *decision) adrift(permit *model.Permit) bool {
	return permit.Reason != model.ReasonRoll && permit.CellID != "" && !stopped(permit) && !d.snap.Present(permit.CellID)
}

// over reports whether a holder is a roll that has ended: what it left behind
// is on its way back, and if it does not come back nobody else will say so.
func (d *decision) over(holder string) bool {
	if _, _, isRoll := model.ParseRollHolder(holder); !isRoll {
		return false
	}
	roll := d.rollOf(holder)
	return roll == nil || roll.Phase.Final()
}

// rollOf finds the roll that a holder is, nil when it is none.
func (d *decision) rollOf(holder string) *model.Roll {
	plan, cell, isRoll := model.ParseRollHolder(holder)
	if !isRoll {
		return nil
	}
	return d.snap.Roll(plan, cell)
}

// waitForInstance notes that the roll waits for an instance that is down, and
// flags it when that lasts.
func (c *draft) waitForInstance(appGUID string, index int) {
	since, noted := c.waitsFor(appGUID, index)
	if !noted {
		c.dropWaits()
		c.note(c.waitText(appGUID, index))
		since = c.d.now
	}
	app := c.d.snap.App(appGUID)
	if c.d.lookAt(c.d.seen(since).Add(c.patience(app))) {
		c.stick(c.waitingForBudget(app, index, since), true)
	}
}

// waitNoMore ends the wait for something that was down.
func (c *draft) waitNoMore() {
	if c.waits() != "" {
		c.note(waitedNote)
	}
}

// dropWaits takes what the roll waited for until now out of the timeline, where
// nothing else has come of it: of something that comes and goes the last time is
// kept.
func (c *draft) dropWaits() {
	n := len(c.roll.Timeline)
	for n > 0 && c.roll.Timeline[n-1].Phase == c.roll.Phase && isWait(c.roll.Timeline[n-1].Note) {
		n--
	}
	c.roll.Timeline = c.roll.Timeline[:n]
}

// isWait reports whether a note says that something is waited for, or that it is
// no longer.
func isWait(note string) bool { return note == waitedNote || strings.HasPrefix(note, waitsNote) }

func (c *draft) waitText(appGUID string, index int) string {
	return fmt.Sprintf("%s%s is down", waitsNote, c.d.nameOf(appGUID, index))
}

// waits gives the note of what is down and waited for in this phase, "" when
// nothing is.
func (c *draft) waits() string {
	for i := len(c.roll.Timeline) - 1; i >= 0 && c.roll.Timeline[i].Phase == c.roll.Phase; i-- {
		switch note := c.roll.Timeline[i].Note; {
		case note == waitedNote:
			return ""
		case strings.HasPrefix(note, waitsNote):
			return note
		}
	}
	return ""
}

// waitsFor gives since when the roll waits for an instance that is down.
func (c *draft) waitsFor(appGUID string, index int) (since time.Time, noted bool) {
	text := c.waitText(appGUID, index)
	if c.waits() != text {
		return time.Time{}, false
	}
	for i := len(c.roll.Timeline) - 1; ; i-- {
		if entry := c.roll.Timeline[i]; entry.Note == text {
			return entry.At, true
		}
	}
}

// patience is how long something of an app may take to serve before whoever
// waits for it says so.
func (c *draft) patience(app *model.App) time.Duration {
	return returnWithin(app) + c.roll.Extra.D()
}

// returnWithin is how long an interrupted instance of the app may take to
// serve once it can.
func returnWithin(app *model.App) time.Duration {
	if app == nil || app.Policy.ReturnWithin <= 0 {
		return defaultReturnWithin
	}
	return app.Policy.ReturnWithin.D()
}

const defaultReturnWithin = 10 * time.Minute
