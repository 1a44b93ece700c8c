package explain

import (
	"strings"

	"mooring/client"
	"mooring/model"
)

// roll explains one roll.
func (c *chain) roll(plan *model.Plan, roll *model.Roll) {
	if c.again(roll.Holder()) {
		c.link(client.LinkRoll, roll.CellID, "and that is where it began: the two wait for each other")
		return
	}
	link := c.link(client.LinkRoll, roll.CellID, "cell %s is %s for the %s of plan %s", roll.CellID, phaseText(roll.Phase), roll.Action, plan.Name)
	link.Since = roll.Since()
	item := c.open(roll.StuckID)
	switch {
	case roll.Phase.Final():
		c.moves()
	case item != nil:
		c.stuck(item)
	case roll.StuckID != "" && !afterHost(roll.Phase):
		c.link(client.LinkRoll, roll.CellID, "what it was stuck for has passed; it takes its turn again")
		c.moves()
	case roll.Phase == model.Queued:
		c.queued(plan, roll)
	case roll.Phase == model.Acting, roll.Phase == model.Quiesced:
		c.acting(plan, roll)
	case roll.Phase == model.Returning:
		c.returning(roll)
	case roll.Phase == model.Settling:
		c.settling(roll)
	default:
		c.approach(roll)
	}
}

// phaseText is a phase as it reads after "is".
func phaseText(phase model.Phase) string {
	if phase == model.Queued {
		return "in line"
	}
	return string(phase)
}

// approach explains a roll that has its instances leave or stop.
func (c *chain) approach(roll *model.Roll) {
	if c.snap.Claim(roll.Holder()) != nil {
		c.claim(roll)
		return
	}
	if held := c.slowest(roll.Holder(), func(p *model.Permit) bool { return rank(p.Step) < rank(model.StepYielded) }); held != nil {
		c.handler(held)
		return
	}
	for _, inst := range c.snap.InstancesOn(roll.CellID) {
		permit := c.snap.Ledger(inst.AppGUID).Permit(inst.Index)
		leaves := permit != nil && permit.Holder == roll.Holder() && (permit.Kind == model.Drain || permit.Move)
		if leaves || len(inst.Volumes) == 0 {
			c.leaving(inst)
			return
		}
	}
	if held := c.slowest(roll.Holder(), func(*model.Permit) bool { return true }); held != nil {
		if inst := c.snap.Instance(held.appGUID, held.permit.Index); inst != nil && inst.CellID != roll.CellID {
			c.link(client.LinkRoll, roll.CellID, "what has left cell %s does not serve yet, and more of its app is to follow", roll.CellID)
			c.state(held.appGUID, held.permit.Index)
			return
		}
	}
	c.link(client.LinkRoll, roll.CellID, "nothing is in its way; it is between two steps")
	c.moves()
}

// claim explains a roll that asks for permits.
func (c *chain) claim(roll *model.Roll) {
	_, verdict := c.snap.Grant(roll.Holder(), c.now)
	if verdict.Granted {
		c.link(client.LinkClaim, roll.Holder(), "its permits are being granted")
		c.moves()
		return
	}
	c.refusal(verdict)
}

// leaving explains an instance that is to leave its cell and is still there.
func (c *chain) leaving(inst *model.Instance) {
	name, owner := c.name(inst.AppGUID, inst.Index)
	switch {
	case inst.Next != nil:
		state := "is not heard of yet"
		if actual := c.snap.ActualInstance(inst.AppGUID, inst.Index, inst.Next.CellID); actual != nil {
			state = "is " + string(actual.State)
		}
		c.link(client.LinkInstance, name, "the replacement of %s on cell %s %s", name, inst.Next.CellID, state).Owner = owner
		c.moves()
	case inst.Unplaced != "":
		c.link(client.LinkInstance, name, "%s has to leave, and no cell takes it: %s", name, inst.Unplaced).Owner = model.CloudOps
	default:
		c.link(client.LinkInstance, name, "%s is about to be placed on another cell", name)
		c.moves()
	}
}

// acting explains a roll whose host is, or is about to be, acted on.
func (c *chain) acting(plan *model.Plan, roll *model.Roll) {
	host := func(format string, args ...any) {
		link := c.link(client.LinkHost, roll.CellID, format, args...)
		link.Since, link.Owner, link.Task = roll.Since(), model.CloudOps, roll.Task
	}
	switch {
	case roll.Error != "":
		host("the %s of cell %s failed: %s", roll.Action, roll.CellID, roll.Error)
	case roll.Alone && plan.Converges():
		host("the %s of cell %s begins anew once BOSH's task for the whole group, which is done with it, has ended with the cells in flight", roll.Action, roll.CellID)
		c.moves()
	case roll.Phase == model.Quiesced:
		host("everything on cell %s has stopped; its %s begins", roll.CellID, roll.Action)
		c.moves()
	case !roll.AtGate.IsZero():
		host("BOSH has leave to stop cell %s, and has not brought it back yet", roll.CellID)
	case plan.Via.Wait:
		host("everything on cell %s has stopped", roll.CellID)
		c.link(client.LinkPerson, model.CloudOps, "the plan leaves the %s of cell %s to somebody else, who has not done it yet", roll.Action, roll.CellID).Owner = model.CloudOps
	default:
		host("the %s of cell %s is under way", roll.Action, roll.CellID)
		c.moves()
	}
}

// returning explains a cell that was acted on and is not back.
func (c *chain) returning(roll *model.Roll) {
	host := func(format string, args ...any) {
		link := c.link(client.LinkHost, roll.CellID, format, args...)
		link.Owner, link.Task = model.CloudOps, roll.Task
	}
	presence := c.snap.Presence(roll.CellID)
	switch {
	case presence == nil && roll.Task != nil: // BOSH is not done before the cell is back
		host("cell %s is down for its %s, and its agent does not answer yet", roll.CellID, roll.Action)
	case presence == nil:
		host("the %s of cell %s is done, and its agent does not answer yet", roll.Action, roll.CellID)
	case presence.Start == roll.Start:
		host("the agent of cell %s is the one from before the %s", roll.CellID, roll.Action)
	case roll.SameBoot(presence):
		host("the agent of cell %s answers with the boot from before the %s: the host was restarted, not %s", roll.CellID, roll.Action, roll.Action.Past())
	default:
		if missing := c.missing(roll.CellID); len(missing) > 0 {
			host("cell %s is back without its volumes %s", roll.CellID, strings.Join(missing, ", "))
			return
		}
		c.link(client.LinkHost, roll.CellID, "cell %s is back", roll.CellID)
		c.moves()
	}
}

// missing names the fixed volumes of a cell that it does not report.
func (c *chain) missing(cellID string) []string {
	reported := map[string]bool{}
	for _, actual := range c.snap.ActualVolumesOn(cellID) {
		reported[actual.GUID] = true
	}
	var names []string
	for _, volume := range c.snap.VolumesOn(cellID) {
		if volume.Floating || volume.Ending || !volume.Mounted || reported[volume.GUID] {
			continue
		}
		name := volume.GUID
		if set := c.snap.VolumeSet(volume.SetGUID); set != nil {
			name = model.InstanceName(set.Name, volume.Index)
		}
		names = append(names, name)
	}
	return names
}

// settling explains a cell that is back while its instances do not all serve.
func (c *chain) settling(roll *model.Roll) {
	held := c.slowest(roll.Holder(), func(*model.Permit) bool { return true })
	if held == nil {
		c.link(client.LinkRoll, roll.CellID, "every instance of cell %s serves; the roll is about to end", roll.CellID)
		c.moves()
		return
	}
	c.state(held.appGUID, held.permit.Index)
}
