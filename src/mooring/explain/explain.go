// Package explain says why a cell or a plan does not move: a chain of causes
// that ends at the one instance, policy, lock or person to see about it.
//
// It is pure over a snapshot, and asks the same judge as every grant, so that
// it cannot tell another story than what happens.
package explain

import (
	"fmt"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// Reads says whether whoever asks may read what the instances of an app write.
type Reads func(app model.Name) bool

// NoOutput is for those who may read nothing that instances write.
func NoOutput(model.Name) bool { return false }

// AllOutput is for those who may read everything.
func AllOutput(model.Name) bool { return true }

// Cell explains a cell, nil when there is none of that name.
func Cell(snap *state.Snapshot, id string, now time.Time, reads Reads) *client.Why {
	if snap.Cell(id) == nil {
		return nil
	}
	c := newChain(snap, "cell "+id, now, reads)
	c.cell(id)
	return c.why
}

// Plan explains a plan, nil when there is none of that name: by what needs a
// person, else by what has been under way longest, else by whose turn is next.
func Plan(snap *state.Snapshot, name string, now time.Time, reads Reads) *client.Why {
	plan := snap.Plan(name)
	if plan == nil {
		return nil
	}
	c := newChain(snap, "plan "+name, now, reads)
	c.plan(plan)
	return c.why
}

// chain is an explanation in the making.
type chain struct {
	snap *state.Snapshot
	now  time.Time
	// reads says whose output may be told.
	reads Reads
	why   *client.Why
	// seen holds what was explained already: two that wait for each other end
	// the chain.
	seen map[string]bool
}

func newChain(snap *state.Snapshot, subject string, now time.Time, reads Reads) *chain {
	return &chain{snap: snap, now: now, reads: reads, why: &client.Why{Subject: subject}, seen: map[string]bool{}}
}

// link adds the next cause.
func (c *chain) link(kind client.LinkKind, name, format string, args ...any) *client.Link {
	c.why.Chain = append(c.why.Chain, client.Link{Kind: kind, Name: name, Text: fmt.Sprintf(format, args...)})
	return &c.why.Chain[len(c.why.Chain)-1]
}

// open gives something stuck, nil when there is none of that name or it has
// recovered.
func (c *chain) open(id string) *model.Stuck {
	if item := c.snap.StuckItem(id); item != nil && !item.Recovered() {
		return item
	}
	return nil
}

// output gives the last line that an instance of an app wrote, "" where there
// is none or whoever asks may not read it.
func (c *chain) output(appGUID string, lines []string) string {
	app := c.snap.App(appGUID)
	if len(lines) == 0 || !c.reads(nameOf(app)) {
		return ""
	}
	return "it last wrote: " + lines[len(lines)-1]
}

// message returns what a handler of an app says of its progress, "" where whoever
// asks may not read it.
func (c *chain) message(appGUID, said string) string {
	if said == "" || !c.reads(nameOf(c.snap.App(appGUID))) {
		return ""
	}
	return said
}

// nameOf is the name of an app, of none when it is no more.
func nameOf(app *model.App) model.Name {
	if app == nil {
		return model.Name{}
	}
	return app.Name
}

// again reports whether something was explained already.
func (c *chain) again(what string) bool {
	seen := c.seen[what]
	c.seen[what] = true
	return seen
}

// moves ends the chain at work that goes on by itself.
func (c *chain) moves() { c.why.Moving = true }

func (c *chain) plan(plan *model.Plan) {
	counts := map[string]int{}
	var stuck, under, next *model.Roll
	for _, cell := range plan.Order {
		roll := c.snap.Roll(plan.Name, cell)
		switch {
		case roll == nil:
		case roll.Phase.Final():
			counts["over"]++
		case roll.StuckID != "":
			counts["stuck"]++
			if stuck == nil || c.flagged(roll).Before(c.flagged(stuck)) {
				stuck = roll
			}
		case roll.Phase != model.Queued:
			counts["under way"]++
			if under == nil || roll.Since().Before(under.Since()) {
				under = roll
			}
		case next == nil:
			next = roll
		}
	}
	first := c.link(client.LinkPlan, plan.Name, "plan %s is %s: %d of %d cells are over, %d under way, %d stuck",
		plan.Name, plan.Status, counts["over"], len(plan.Order), counts["under way"], counts["stuck"])
	first.Since = plan.CreatedAt
	switch {
	case plan.Finished():
		first.Since = plan.FinishedAt
		c.moves()
	case c.director(plan) != nil:
		c.others(plan, &model.Roll{})
		c.stuck(c.director(plan))
	case stuck != nil:
		c.others(plan, stuck)
		c.roll(plan, stuck)
	case under != nil:
		c.roll(plan, under)
	case next != nil:
		c.roll(plan, next)
	default:
		c.moves() // its rolls are about to be made
	}
}

// others names what else of the plan is stuck.
func (c *chain) others(plan *model.Plan, but *model.Roll) {
	for _, cell := range plan.Order {
		roll := c.snap.Roll(plan.Name, cell)
		if roll != nil && roll.StuckID != "" && roll.StuckID != but.StuckID && !roll.Phase.Final() {
			c.why.Also = append(c.why.Also, roll.StuckID)
		}
	}
}

// flagged gives since when a roll is stuck.
func (c *chain) flagged(roll *model.Roll) time.Time {
	if item := c.open(roll.StuckID); item != nil {
		return item.FlaggedAt
	}
	return c.now
}
