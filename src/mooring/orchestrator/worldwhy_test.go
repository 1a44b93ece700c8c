package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"mooring/client"
	"mooring/explain"
	"mooring/model"
)

// checkExplained asks of every roll that is not over why it does not move. The
// chain never is empty and never goes round in circles; it ends at something
// that has a name and, unless that goes on by itself, somebody to see about it.
func (w *world) checkExplained() {
	for _, plan := range w.snap.Plans() {
		if plan.Finished() {
			continue
		}
		w.checkChain(explain.Plan(w.snap, plan.Name, w.now, explain.AllOutput))
		for _, roll := range w.snap.Rolls(plan.Name) {
			if roll.Phase.Final() || w.snap.Cell(roll.CellID) == nil {
				continue
			}
			why := explain.Cell(w.snap, roll.CellID, w.now, explain.AllOutput)
			w.checkChain(why)
			w.checkHeldBack(roll, why)
		}
	}
}

func (w *world) checkChain(why *client.Why) {
	if why == nil || len(why.Chain) == 0 {
		w.violation("nothing explains %v", why)
		return
	}
	seen := map[client.Link]bool{}
	for _, link := range why.Chain {
		if link.Name == "" || link.Text == "" {
			w.violation("why %s: a link names nothing: %s", why.Subject, chainText(why))
		}
		if seen[link] || strings.Contains(link.Text, "wait for each other") {
			w.violation("why %s goes round in circles: %s", why.Subject, chainText(why))
		}
		seen[link] = true
	}
	if last := why.Chain[len(why.Chain)-1]; !why.Moving && last.Owner == "" && last.Kind != client.LinkWindow {
		w.violation("why %s ends where nobody can see about it: %s", why.Subject, chainText(why))
	}
}

// checkHeldBack: where a budget is used up by what is stuck, the chain says so.
func (w *world) checkHeldBack(roll *model.Roll, why *client.Why) {
	if roll.StuckID != "" {
		return
	}
	for _, link := range why.Chain {
		if link.Kind != client.LinkPolicy || !strings.Contains(link.Text, "used up by") {
			continue
		}
		for _, app := range w.snap.Apps() {
			if app.Name.String() != link.Name || !w.stuckHolds(app.GUID, link.Text) {
				continue
			}
			if !slices.ContainsFunc(why.Chain, func(l client.Link) bool { return l.Kind == client.LinkStuck || l.Kind == client.LinkInstance }) {
				w.violation("why %s does not say that it is held back by what is stuck: %s", why.Subject, chainText(why))
			}
		}
	}
}

// stuckHolds reports whether a stuck roll holds a permit of an app that a link
// is about.
func (w *world) stuckHolds(appGUID, text string) bool {
	return slices.ContainsFunc(w.snap.Ledger(appGUID).Permits, func(p model.Permit) bool {
		plan, cell, isRoll := model.ParseRollHolder(p.Holder)
		roll := w.snap.Roll(plan, cell)
		return isRoll && roll != nil && roll.StuckID != "" && !roll.Phase.Final() && strings.Contains(text, p.Holder)
	})
}

func chainText(why *client.Why) string {
	var b strings.Builder
	for _, link := range why.Chain {
		fmt.Fprintf(&b, "\n  %s %s (%s): %s", link.Kind, link.Name, link.Owner, link.Text)
	}
	return b.String()
}
