package explain

import (
	"fmt"
	"strings"

	"mooring/client"
	"mooring/model"
)

// stuck explains something stuck down to who has to decide about it.
func (c *chain) stuck(item *model.Stuck) {
	link := c.link(client.LinkStuck, item.ID, "%s", item.What)
	link.Since, link.Owner, link.Task = item.Since, item.Owner, item.Task
	switch item.Kind {
	case model.WaitingForBudget, model.NotSettled, model.DrainImpossible:
		c.state(item.AppGUID, item.Index)
	case model.HandlerHung, model.HandlerOverdue, model.HandlerFailed:
		name, owner := c.name(item.AppGUID, item.Index)
		last := c.link(client.LinkHandler, name, "%s", c.lastWords(item))
		last.Owner = owner
	case model.PolicyForbids:
		if app := c.snap.App(item.AppGUID); app != nil {
			c.link(client.LinkPolicy, app.Name.String(), "the policy of %s allows max_interrupted %s, max_draining %s of %d",
				app.Name, app.Policy.MaxInterrupted, app.Policy.MaxDraining, app.Instances).Owner = app.Owned()
		}
	case model.InstanceNotStopped:
		name, owner := c.name(item.AppGUID, item.Index)
		if item.Error == "" {
			c.link(client.LinkCell, item.CellID, "the agent of cell %s has not taken up what it was asked of %s", item.CellID, name).Owner = model.CloudOps
			break
		}
		c.link(client.LinkInstance, name, "%s stays on cell %s: %s", name, item.CellID, item.Error).Owner = owner
	case model.InstanceBlocked:
		c.state(item.AppGUID, item.Index)
	case model.VolumeUnknown:
	case model.CellGone:
		c.absent(item.CellID)
	case model.DirectorBlocks:
		c.link(client.LinkLock, item.Plan, "%s", item.Error).Owner = item.Owner
	default: // about the host, or about room
		if item.Error != "" {
			c.link(client.LinkHost, item.CellID, "%s", item.Error).Owner = item.Owner
		}
	}
	c.why.Moving = false
	c.decides(item)
}

// lastWords is what a handler last said.
func (c *chain) lastWords(item *model.Stuck) string {
	var said []string
	switch {
	case item.Error == "":
	case item.Kind == model.HandlerFailed:
		said = append(said, "it ended with "+item.Error)
	default:
		said = append(said, item.Error)
	}
	if message := c.message(item.AppGUID, item.Message); item.Progress > 0 || message != "" {
		said = append(said, strings.TrimSpace(fmt.Sprintf("it last reported %.0f%% %s", 100*item.Progress, message)))
	}
	if wrote := c.output(item.AppGUID, item.Output); wrote != "" {
		said = append(said, wrote)
	}
	switch {
	case len(said) == 0 && len(item.Output) > 0:
		return "what it wrote is for those who may read the logs of its app"
	case len(said) == 0:
		return "it said nothing at all"
	}
	return strings.Join(said, "; ")
}

// decides ends the chain at the person who has to answer, or has answered.
func (c *chain) decides(item *model.Stuck) {
	if answer := item.Answer; answer != nil {
		who := answer.By
		if who == "" {
			who = "somebody"
		}
		link := c.link(client.LinkPerson, who, "%s answered with %s (%s), which is being carried out", who, answer.Verb, answer.Reason)
		link.Since, link.Owner = answer.At, who
		c.moves()
		return
	}
	switch {
	case item.Kind == model.InstanceBlocked || item.Kind == model.VolumeUnknown:
		c.link(client.LinkPerson, item.Owner, "%s must see to it: %s", item.Owner, item.Advice).Owner = item.Owner
		return
	case len(item.Answers) == 0, item.Kind == model.DirectorBlocks && item.CellID == "":
		return // who can help is at the other end of the lock
	}
	var verbs []string
	for _, verb := range item.Answers {
		verbs = append(verbs, string(verb))
	}
	c.link(client.LinkPerson, item.Owner, "%s must see to it, or somebody answer: moor resolve %s %s --reason WHY%s",
		item.Owner, item.ID, strings.Join(verbs, "|"), c.agreed(item)).Owner = item.Owner
}

// agreed says what a policy does about it if nobody answers, "" when nothing.
func (c *chain) agreed(item *model.Stuck) string {
	app := c.snap.App(item.AppGUID)
	if app == nil || !item.Kind.OfHandler() {
		return ""
	}
	switch agreed := app.Policy.OnStuck; {
	case agreed.Answer == model.StuckForce && len(item.Data) > 0:
		return fmt.Sprintf("; the policy of %s forces a stop after %s, but never where that loses data", app.Name, agreed.After)
	case agreed.Answer == model.StuckForce:
		return fmt.Sprintf("; the policy of %s forces it at %s (force_after %s)", app.Name, item.FlaggedAt.Add(agreed.After.D()).UTC().Format("15:04:05 MST"), agreed.After)
	case agreed.Answer == model.StuckHold:
		return fmt.Sprintf("; the policy of %s holds it until then (on_stuck: hold)", app.Name)
	}
	return ""
}
