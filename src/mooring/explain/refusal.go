package explain

import (
	"fmt"
	"slices"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

// holding is a permit with the app whose ledger it is in.
type holding struct {
	appGUID string
	permit  *model.Permit
}

// refusal explains a claim that is not granted by the blocker that matters
// most: one that never ends by itself, else one that nobody planned.
func (c *chain) refusal(verdict lifecycle.Verdict) {
	weight := func(b lifecycle.Blocker) int {
		switch {
		case b.Forever:
			return 0
		case c.unplanned(b) >= 0:
			return 1
		}
		return 2
	}
	c.blocker(slices.MinFunc(verdict.Blockers, func(a, b lifecycle.Blocker) int { return weight(a) - weight(b) }))
}

// unplanned gives the first instance in a blocker's way that is down though
// nobody disrupts it, -1 when there is none.
func (c *chain) unplanned(b lifecycle.Blocker) int {
	crew := c.snap.Crew(b.AppGUID)
	for _, index := range b.Holders {
		if m := crew.Member(index); m != nil && m.Standing == lifecycle.Down {
			return index
		}
	}
	return -1
}

func (c *chain) blocker(b lifecycle.Blocker) {
	app := c.snap.App(b.AppGUID)
	if app == nil {
		c.link(client.LinkClaim, b.AppGUID, "%s", b.Text)
		c.moves() // it asks anew
		return
	}
	link := c.link(client.LinkPolicy, app.Name.String(), "%s", b.Text)
	link.Owner = app.Owned()
	switch index := c.unplanned(b); {
	case b.Forever && b.LimitName != "":
		c.link(client.LinkPerson, app.Owned(), "only %s can change that: raise %s of %s", app.Owned(), b.LimitName, app.Name).Owner = app.Owned()
	case index >= 0:
		c.state(app.GUID, index)
	case len(b.Holders) > 0:
		c.disrupted(app, b.Holders)
	case len(b.Ahead) > 0:
		c.link(client.LinkClaim, b.Ahead[0], "%s was in the line before", b.Ahead[0])
		c.holder(b.Ahead[0])
	}
}

// disrupted explains one instance of those that use a budget up: one that is
// held by what is stuck, else the one that has been disrupted longest.
func (c *chain) disrupted(app *model.App, indexes []int) {
	ledger := c.snap.Ledger(app.GUID)
	var first *model.Permit
	for _, index := range indexes {
		permit := ledger.Permit(index)
		switch {
		case permit == nil:
		case first == nil, c.heldByStuck(permit) && !c.heldByStuck(first),
			c.heldByStuck(permit) == c.heldByStuck(first) && permit.Times[model.StepGranted].Before(first.Times[model.StepGranted]):
			first = permit
		}
	}
	if first == nil {
		return
	}
	name := model.InstanceName(app.Name, first.Index)
	link := c.link(client.LinkInstance, name, "%s is under %s for %s", name, first.Kind, first.Holder)
	link.Since, link.Owner = first.Times[model.StepGranted], app.Owned()
	if c.letGo(first) {
		c.state(app.GUID, first.Index)
		return
	}
	c.holder(first.Holder)
	switch _, _, isRoll := model.ParseRollHolder(first.Holder); {
	case isRoll: // it explained itself
	case rank(first.Step) < rank(model.StepYielded):
		c.handler(&holding{app.GUID, first})
	default:
		c.state(app.GUID, first.Index)
	}
}

// letGo reports whether a permit is left of an earlier turn of a roll, which
// waits for nothing of it any more: the instance has only to serve again.
func (c *chain) letGo(permit *model.Permit) bool {
	plan, cell, isRoll := model.ParseRollHolder(permit.Holder)
	roll := c.snap.Roll(plan, cell)
	return isRoll && permit.Want == model.WantBack && roll != nil && !afterHost(roll.Phase)
}

// heldByStuck reports whether a permit's holder is a roll that is stuck.
func (c *chain) heldByStuck(permit *model.Permit) bool {
	plan, cell, isRoll := model.ParseRollHolder(permit.Holder)
	roll := c.snap.Roll(plan, cell)
	return isRoll && roll != nil && c.open(roll.StuckID) != nil
}

// slowest gives the permit of a holder that was granted first, of those that
// which chooses; nil when there is none.
func (c *chain) slowest(holder string, which func(*model.Permit) bool) *holding {
	var first *holding
	for _, ledger := range c.snap.Ledgers() {
		for i := range ledger.Permits {
			permit := &ledger.Permits[i]
			if permit.Holder != holder || !which(permit) {
				continue
			}
			if first == nil || rank(permit.Step) < rank(first.permit.Step) {
				first = &holding{ledger.AppGUID, permit}
			}
		}
	}
	return first
}

func rank(step model.Step) int { return slices.Index(model.Steps, step) }

// handler explains an instance that was asked to go.
func (c *chain) handler(held *holding) {
	permit := held.permit
	name, owner := c.name(held.appGUID, permit.Index)
	actual := c.snap.ActualInstance(held.appGUID, permit.Index, permit.CellID)
	if actual == nil || actual.Disruption == nil || actual.Disruption.PermitID != permit.ID {
		if permit.CellID != "" && !c.snap.Present(permit.CellID) {
			c.absent(permit.CellID)
			return
		}
		c.link(client.LinkHandler, name, "cell %s has not taken up the %s of %s yet", permit.CellID, permit.Kind, name).Owner = model.CloudOps
		c.moves()
		return
	}
	task := actual.Disruption
	text := fmt.Sprintf("the %s handler of %s is %s", permit.Kind, name, task.State)
	if task.Progress >= 0 {
		text += fmt.Sprintf(" at %.0f%%", 100*task.Progress)
	}
	if message := c.message(held.appGUID, task.Message); message != "" {
		text += " (" + message + ")"
	}
	if app := c.snap.App(held.appGUID); app != nil {
		if handler := app.Policy.Handler(permit.Kind); handler != nil && !task.StartedAt.IsZero() {
			left := c.snap.Seen(task.StartedAt).Add(handler.Timeout.D() + permit.Extra.D()).Sub(c.now)
			text += fmt.Sprintf(", with %s left", model.Duration(max(left, 0).Round(time.Second)))
		}
	}
	link := c.link(client.LinkHandler, name, "%s", text)
	link.Since, link.Owner = task.StartedAt, owner
	switch task.State {
	case model.TaskHung, model.TaskOverdue, model.TaskFailed:
	default:
		c.moves()
	}
}

// state explains an instance that does not serve.
func (c *chain) state(appGUID string, index int) {
	name, owner := c.name(appGUID, index)
	inst := c.snap.Instance(appGUID, index)
	switch {
	case inst == nil:
		c.link(client.LinkInstance, name, "%s is about to be made", name)
		c.moves()
		return
	case inst.CellID == "":
		why := inst.Unplaced
		if why == "" {
			why = "the scheduler has not looked at it yet"
		}
		c.link(client.LinkInstance, name, "%s is placed nowhere: %s", name, why).Owner = model.CloudOps
		return
	case !c.snap.Present(inst.CellID):
		c.link(client.LinkInstance, name, "%s is on cell %s", name, inst.CellID).Owner = owner
		c.whereabouts(inst.CellID)
		return
	}
	actual := c.snap.ActualInstance(appGUID, index, inst.CellID)
	if actual == nil {
		c.link(client.LinkInstance, name, "%s is about to start on cell %s", name, inst.CellID).Owner = owner
		c.moves()
		return
	}
	text := fmt.Sprintf("%s is %s on cell %s", name, actual.State, inst.CellID)
	for _, detail := range []string{actual.LastExit, actual.Error} {
		if detail != "" {
			text += "; " + detail
		}
	}
	if wrote := c.output(appGUID, actual.Output); wrote != "" {
		text += "; " + wrote
	}
	link := c.link(client.LinkInstance, name, "%s", text)
	link.Since, link.Owner = actual.Since, owner
	switch actual.State {
	case model.Starting, model.Soaking, model.Serving:
		c.moves()
	}
}

// whereabouts explains a cell that does not answer: by what is done to it, or
// by nothing.
func (c *chain) whereabouts(cellID string) {
	if roll := c.snap.RollOn(cellID); roll != nil && afterHost(roll.Phase) && !c.seen[roll.Holder()] {
		if plan := c.snap.Plan(roll.Plan); plan != nil {
			c.roll(plan, roll)
			return
		}
	}
	c.absent(cellID)
}

// name gives an instance's name for people and whom to call about it.
func (c *chain) name(appGUID string, index int) (name, owner string) {
	if app := c.snap.App(appGUID); app != nil {
		return model.InstanceName(app.Name, index), app.Owned()
	}
	return fmt.Sprintf("%s/%d", appGUID, index), model.CloudOps
}
