package api

import (
	"fmt"
	"time"

	"mooring/client"
	"mooring/explain"
	"mooring/model"
	"mooring/state"
)

// phaseMeans says what happens in each phase, for people who wait for it.
var phaseMeans = map[model.Phase]string{
	model.Queued:       "it waits for its turn",
	model.Cordoned:     "it takes no new work",
	model.Draining:     "instances hand their data over",
	model.Moving:       "instances move to other cells",
	model.Interrupting: "instances are being stopped",
	model.Quiesced:     "nothing runs any more",
	model.Acting:       "the host is being acted on",
	model.Returning:    "it is waited for to come back",
	model.Settling:     "its instances have yet to serve",
}

// gateLine says in one line how far a cell's roll is, what it waits for in the
// end and who can help. What only counts, time or progress, is left out of it.
func gateLine(snap *state.Snapshot, cellID string, now time.Time) string {
	plan, roll := rollOf(snap, cellID)
	if plan == nil {
		return ""
	}
	says := phaseMeans[roll.Phase]
	if why := explain.Cell(snap, cellID, now, explain.NoOutput); why != nil && len(why.Chain) > 1 {
		says = causeOf(why) // the first link is the roll itself
	}
	return fmt.Sprintf("plan %s: %s: %s", plan.Name, roll.Phase, says)
}

// causeOf is the end of an explanation.
func causeOf(why *client.Why) string {
	last := why.Chain[len(why.Chain)-1]
	switch {
	case last.Kind == client.LinkHandler && why.Moving:
		return fmt.Sprintf("the handler of %s is at work", last.Name)
	case why.Moving:
		return last.Text
	case last.Kind != client.LinkPerson:
		return helped("waits: "+last.Text, last.Owner)
	}
	// Whom it waits for says little without what that one has to decide.
	for _, before := range []struct {
		kind client.LinkKind
		text string
	}{{client.LinkStuck, "STUCK"}, {client.LinkPolicy, "waits"}} {
		for i := len(why.Chain) - 2; i > 0; i-- {
			if link := why.Chain[i]; link.Kind == before.kind {
				return fmt.Sprintf("%s: %s; %s", before.text, link.Text, last.Text)
			}
		}
	}
	return "waits: " + last.Text
}

func helped(text, owner string) string {
	if owner == "" {
		return text
	}
	return text + "; " + owner + " can help"
}
