package orchestrator

import (
	"slices"

	"mooring/lifecycle"
	"mooring/model"
)

// What leaves a cell, to be drained or to move, serves elsewhere while the rest
// of its cell is still at work. So it need not leave together, as what stays
// has to: of each app it leaves in steps of as many as the policy allows at
// once, and only a policy that allows none keeps it there for ever. A roll asks
// for one step at a time, for the next only once it has nothing of the app any
// more. What it was granted comes back by itself, whatever else it waits for:
// nobody waits for what somebody who waits holds.

// nextStepNote is the line of a timeline with which a roll that was granted a
// step asks for another one.
const nextStepNote = "asks for the next step"

// step picks, of what leaves the cell, what may go now: those that the roll has
// leave for, and the first step of every app that it holds nothing of.
func (c *draft) step(leaving []*occupant) []*occupant {
	underWay := c.apps()
	now := pick(leaving, func(o *occupant) bool { return o.permit != nil })
	waiting := pick(leaving, func(o *occupant) bool {
		return o.permit == nil && !o.crowds() && !slices.Contains(underWay, o.inst.AppGUID)
	})
	for _, of := range byAppOf(waiting) {
		now = append(now, c.d.steps(of)[0]...)
	}
	return now
}

// crowds reports whether an occupant would move, has no room elsewhere now and
// may not stay, as too many of its app would be down with the cell.
func (o *occupant) crowds() bool { return o.means.Move && o.noRoom }

// steps parts instances of one app that leave a cell into those that leave it
// one after another.
func (d *decision) steps(of []*occupant) [][]*occupant {
	crew := d.crew(of[0].inst.AppGUID)
	if crew == nil {
		return [][]*occupant{of}
	}
	indexes := make([]int, len(of))
	for i, o := range of {
		indexes[i] = o.inst.Index
	}
	var steps [][]*occupant
	for _, step := range crew.Steps(of[0].means.Kind, indexes) {
		steps = append(steps, pick(of, func(o *occupant) bool { return slices.Contains(step, o.inst.Index) }))
	}
	return steps
}

// leaves reports whether an instance that is disrupted comes back on another
// cell.
func leaves(kind model.Kind, move bool) bool { return kind == model.Drain || move }

// limitOn is how many instances of an app may be disrupted at once in one way.
func limitOn(app *model.App, kind model.Kind) int {
	return lifecycle.LimitsOf(&app.Policy, app.Instances).Of(kind)
}

// watchSteps flags an instance that has left the cell and does not come to
// serve, where others of its app wait to follow it.
func (c *draft) watchSteps(leaving []*occupant) {
	for _, h := range c.permits() {
		app := c.d.snap.App(h.appGUID)
		waited := slices.ContainsFunc(leaving, func(o *occupant) bool { return o.permit == nil && o.inst.AppGUID == h.appGUID })
		if app == nil || !waited || !stopped(h.permit) || c.stillHere(h) {
			continue
		}
		since := h.permit.Times[model.StepYielded]
		if c.d.lookAt(c.d.seen(since).Add(c.patience(app))) {
			c.stick(c.waitingForBudget(app, h.permit.Index, since), false)
			return
		}
	}
}

// onItsWay reports whether an instance that the roll has sent elsewhere does
// not serve there yet.
func (c *draft) onItsWay(appGUID string, index int) bool {
	return slices.ContainsFunc(c.permits(), func(h holding) bool {
		return h.appGUID == appGUID && h.permit.Index == index && stopped(h.permit) && !c.stillHere(h)
	})
}

// granted reports whether the roll was granted permits in the phase it is in.
func (c *draft) granted() bool {
	for i := len(c.roll.Timeline) - 1; i >= 0 && c.roll.Timeline[i].Phase == c.roll.Phase; i-- {
		if c.roll.Timeline[i].Note == grantedNote {
			return true
		}
	}
	return false
}

// byAppOf parts occupants by app, in the order in which apps come.
func byAppOf(occupants []*occupant) [][]*occupant {
	var apps [][]*occupant
	for _, o := range occupants {
		at := slices.IndexFunc(apps, func(of []*occupant) bool { return of[0].inst.AppGUID == o.inst.AppGUID })
		if at < 0 {
			at = len(apps)
			apps = append(apps, nil)
		}
		apps[at] = append(apps[at], o)
	}
	return apps
}
