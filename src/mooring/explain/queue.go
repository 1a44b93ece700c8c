package explain

import (
	"cmp"
	"slices"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

// queued explains a roll whose turn has not come.
func (c *chain) queued(plan *model.Plan, roll *model.Roll) {
	switch cordon, item := c.snap.Cordon(roll.CellID), c.director(plan); {
	case item != nil && (roll.AtGate.IsZero() || !plan.Converges()): // BOSH has not come to it
		c.stuck(item)
	case plan.Intent == model.IntentPause, plan.Intent == model.IntentAbort:
		c.held(plan)
	case c.closed(plan):
	case !c.snap.Present(roll.CellID) && !roll.Force:
		c.absent(roll.CellID)
	case cordon != nil && cordon.Holder != roll.Holder():
		c.link(client.LinkLock, roll.CellID, "cell %s is taken by %s", roll.CellID, cordon.Holder).Since = cordon.Since
		c.holder(cordon.Holder)
	case c.settles(roll.CellID):
	case plan.Converges() && roll.AtGate.IsZero():
		link := c.link(client.LinkHost, roll.CellID, "BOSH takes the cells of %s/%s in an order of its own, and has not come to cell %s",
			plan.Via.Bosh.Deployment, plan.Via.Bosh.InstanceGroup, roll.CellID)
		link.Owner = model.CloudOps
		if plan.Converging != nil {
			link.Task = plan.Converging.Task
		}
		c.moves()
	default:
		if !c.gated(plan) && !c.short(roll) && !c.ahead(plan, roll) {
			c.link(client.LinkRoll, roll.CellID, "nothing is in its way; it starts now")
			c.moves()
		}
	}
}

// settles explains that another plan is about to be done with a cell.
func (c *chain) settles(cellID string) bool {
	roll := c.snap.RollOn(cellID)
	if roll == nil || roll.Phase != model.Settling || roll.StuckID != "" {
		return false
	}
	c.link(client.LinkLock, cellID, "cell %s settles after a roll of plan %s", cellID, roll.Plan)
	c.roll(c.snap.Plan(roll.Plan), roll)
	return true
}

// director gives what keeps BOSH from carrying out a plan, nil when nothing
// does.
func (c *chain) director(plan *model.Plan) *model.Stuck {
	return c.open(plan.Name + "." + string(model.DirectorBlocks))
}

// held ends the chain at whoever stopped the plan.
func (c *chain) held(plan *model.Plan) {
	who := cmp.Or(plan.IntentBy, "somebody")
	what := "paused"
	if plan.Intent == model.IntentAbort {
		what = "aborted"
	}
	why := plan.Reason
	if why == "" {
		why = "no reason was given"
	}
	link := c.link(client.LinkPerson, who, "%s %s plan %s: %s", who, what, plan.Name, why)
	link.Since, link.Owner = plan.IntentAt, who
}

// closed ends the chain at the plan's window while that is closed.
func (c *chain) closed(plan *model.Plan) bool {
	window, err := model.ParseWindow(plan.Window)
	if err != nil {
		return false // it was refused when the plan was made
	}
	open, next := window.Open(c.now)
	if !open {
		c.link(client.LinkWindow, plan.Name, "the window %s opens at %s", plan.Window, next.UTC().Format("Mon 2006-01-02 15:04 MST"))
	}
	return !open
}

// gated explains what the plan's own canaries or ceiling hold back.
func (c *chain) gated(plan *model.Plan) bool {
	var busy []*model.Roll // in roll, or stuck
	inRoll, done := 0, 0
	for _, cell := range plan.Order {
		roll := c.snap.Roll(plan.Name, cell)
		switch {
		case roll == nil:
		case roll.Phase == model.RollDone:
			done++
		case roll.Phase.Final():
		case roll.Phase != model.Queued || roll.StuckID != "":
			busy = append(busy, roll)
			if roll.Phase != model.Queued && (roll.StuckID == "" || afterHost(roll.Phase)) {
				inRoll++
			}
		}
	}
	ceiling := plan.MaxInFlight.Of(len(plan.Order))
	switch {
	case len(busy) == 0:
		return false
	case done < plan.Canaries:
		c.link(client.LinkPlan, plan.Name, "the first %d cells of plan %s are canaries, one at a time, and %d are done", plan.Canaries, plan.Name, done)
	case plan.Via.Bosh != nil && !plan.Converges() && inRoll > 0:
		c.link(client.LinkLock, plan.Via.Bosh.Deployment, "BOSH works on one cell of deployment %s at a time", plan.Via.Bosh.Deployment).Owner = model.CloudOps
	case !plan.MaxInFlight.Never() && inRoll >= ceiling:
		c.link(client.LinkPlan, plan.Name, "plan %s takes at most %d cells at once (max_in_flight), and as many are in roll", plan.Name, ceiling)
	default:
		return false
	}
	c.roll(plan, slices.MinFunc(busy, func(a, b *model.Roll) int {
		if stuck := c.open(a.StuckID) != nil; stuck != (c.open(b.StuckID) != nil) {
			return map[bool]int{true: -1, false: 1}[stuck]
		}
		return a.Since().Compare(b.Since())
	}))
	return true
}

// afterHost reports whether a roll in this phase has touched its host.
func afterHost(phase model.Phase) bool {
	return !phase.BeforeHost() && !phase.Final()
}

// short explains a budget without room for what the roll would ask for.
func (c *chain) short(roll *model.Roll) bool {
	for _, demands := range c.demands(roll) {
		claim := &model.Claim{Holder: roll.Holder(), CellID: roll.CellID, Action: roll.Action, Demands: demands}
		if verdict := lifecycle.Judge(claim, c.snap.Claims(), c.snap.Crew); !verdict.Granted {
			c.refusal(verdict)
			return true
		}
	}
	return false
}

// demands gives what the roll would ask for first, phase by phase: of what
// leaves its cell no more than the first step.
func (c *chain) demands(roll *model.Roll) [][]model.Demand {
	phases := c.phases(roll)
	for at, demands := range phases[:2] {
		of := map[string][]int{}
		for _, d := range demands {
			of[d.AppGUID] = append(of[d.AppGUID], d.Index)
		}
		for app, indexes := range of {
			of[app] = c.snap.Crew(app).Steps(demands[0].Kind, indexes)[0]
		}
		phases[at] = slices.DeleteFunc(demands, func(d model.Demand) bool { return !slices.Contains(of[d.AppGUID], d.Index) })
	}
	return slices.DeleteFunc(phases, func(demands []model.Demand) bool { return len(demands) == 0 })
}

// phases gives all that the roll would ask for: what is drained, what moves and
// what stays.
func (c *chain) phases(roll *model.Roll) [][]model.Demand {
	phases := make([][]model.Demand, 3)
	for _, inst := range c.snap.InstancesOn(roll.CellID) {
		app := c.snap.App(inst.AppGUID)
		if app == nil || app.Deleting || inst.Removing || inst.CellID != roll.CellID {
			continue
		}
		means := lifecycle.Means(roll.Action, c.classes(inst), &app.Policy)
		if means.Replace {
			continue
		}
		at := 2
		switch {
		case means.Kind == model.Drain:
			at = 0
		case means.Move:
			at = 1
		}
		phases[at] = append(phases[at], model.Demand{AppGUID: inst.AppGUID, Index: inst.Index, Kind: means.Kind, Move: means.Move, Force: roll.Forces(inst.AppGUID, inst.Index)})
	}
	return phases
}

func (c *chain) classes(inst *model.Instance) []model.Class {
	var classes []model.Class
	for _, guid := range inst.Volumes {
		volume := c.snap.Volume(guid)
		if volume == nil {
			continue
		}
		class := model.Class{Name: volume.Class, Floating: volume.Floating}
		if set := c.snap.VolumeSet(volume.SetGUID); set != nil {
			class = set.AsClass()
		}
		classes = append(classes, class)
	}
	return classes
}

// ahead explains a cell that comes first in the plan and needs the budget of
// an app that both host.
func (c *chain) ahead(plan *model.Plan, roll *model.Roll) bool {
	apps := map[string]bool{}
	for _, demands := range c.demands(roll) {
		for _, demand := range demands {
			apps[demand.AppGUID] = true
		}
	}
	for _, cell := range plan.Order {
		other := c.snap.Roll(plan.Name, cell)
		if cell == roll.CellID {
			return false
		}
		if other == nil || other.Phase.Final() || other.Phase == model.Queued && other.StuckID != "" {
			continue
		}
		for _, inst := range c.snap.InstancesOn(cell) {
			if app := c.snap.App(inst.AppGUID); app != nil && apps[app.GUID] {
				c.link(client.LinkPolicy, app.Name.String(), "cell %s comes before it in the plan, and both host %s, which allows only so many at once",
					cell, app.Name).Owner = app.Owned()
				c.roll(plan, other)
				return true
			}
		}
	}
	return false
}
