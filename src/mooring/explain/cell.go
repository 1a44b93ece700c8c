package explain

import (
	"fmt"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
)

// cell explains a cell by its roll, or by there being none.
func (c *chain) cell(id string) {
	if plan, roll := c.rollOf(id); roll != nil {
		c.roll(plan, roll)
		return
	}
	cell := c.snap.Cell(id)
	switch item := c.open("cell." + id + "." + string(model.CellGone)); {
	case cell.Lost:
		c.link(client.LinkCell, id, "cell %s was declared lost", id)
	case item != nil:
		c.stuck(item)
		return
	case !c.snap.Present(id):
		c.absent(id)
		return
	case c.onCell(id) != nil:
		c.stuck(c.onCell(id))
		return
	case c.snap.Leaving()[id] != "":
		c.link(client.LinkCell, id, "cell %s takes nothing new: BOSH deletes its deployment, and has yet to come to its gate", id)
	default:
		c.link(client.LinkCell, id, "cell %s is in no plan that is under way%s", id, c.lastRoll(id))
	}
	c.moves()
}

// onCell finds something stuck on a cell that no plan is about, nil when there is
// none: an instance first.
func (c *chain) onCell(id string) *model.Stuck {
	var found *model.Stuck
	for _, item := range c.snap.StuckItems() {
		if item.CellID == id && item.Plan == "" && !item.Recovered() && (found == nil || found.AppGUID == "" && item.AppGUID != "") {
			found = item
		}
	}
	return found
}

// rollOf finds the roll a cell is in or waits for.
func (c *chain) rollOf(id string) (*model.Plan, *model.Roll) {
	if roll := c.snap.RollOn(id); roll != nil {
		if plan := c.snap.Plan(roll.Plan); plan != nil {
			return plan, roll
		}
	}
	var first *model.Plan
	for _, plan := range c.snap.Plans() {
		roll := c.snap.Roll(plan.Name, id)
		switch {
		case plan.Finished() || roll == nil || roll.Phase.Final():
		case !roll.AtGate.IsZero(): // it is the one that BOSH waits for
			return plan, roll
		case first == nil:
			first = plan
		}
	}
	if first == nil {
		return nil, nil
	}
	return first, c.snap.Roll(first.Name, id)
}

// lastRoll says how the cell's last roll ended, "" when it had none.
func (c *chain) lastRoll(id string) string {
	var last *model.Roll
	var at time.Time
	for _, plan := range c.snap.Plans() {
		roll := c.snap.Roll(plan.Name, id)
		if roll != nil && roll.Phase.Final() && !roll.Since().Before(at) {
			last, at = roll, roll.Since()
		}
	}
	if last == nil {
		return ""
	}
	text := fmt.Sprintf("; under plan %s it was %s", last.Plan, last.Phase)
	if last.Phase == model.RollDone {
		text = fmt.Sprintf("; plan %s is done with it", last.Plan)
	}
	if note := last.Timeline[len(last.Timeline)-1].Note; note != "" {
		text += ": " + note
	}
	return text
}

// absent ends the chain at a cell that does not answer.
func (c *chain) absent(id string) {
	if cell := c.snap.Cell(id); cell != nil && cell.Refused != "" {
		c.link(client.LinkCell, id, "cell %s counts as gone: the control plane refuses what its agent reports: %s", id, cell.Refused).Owner = model.CloudOps
		return
	}
	c.link(client.LinkCell, id, "cell %s does not answer: its host, its agent or the network to it is down", id).Owner = model.CloudOps
}

// holder explains whoever holds something, by its name.
func (c *chain) holder(holder string) {
	if planName, cellID, isRoll := model.ParseRollHolder(holder); isRoll {
		plan, roll := c.snap.Plan(planName), c.snap.Roll(planName, cellID)
		if plan != nil && roll != nil {
			c.roll(plan, roll)
			return
		}
	}
	kind, guid, _ := strings.Cut(holder, ":")
	name, owner := guid, ""
	if app := c.snap.App(guid); app != nil {
		name, owner = app.Name.String(), app.Owned()
	}
	what := map[string]string{"update": "the update of %s to a new version", "scale": "the scaling of %s"}[kind]
	if what == "" {
		what = "%s"
		name = holder
	}
	c.link(client.LinkClaim, holder, what+" is under way", name).Owner = owner
}
