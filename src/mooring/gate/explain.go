package gate

import (
	"fmt"
	"strings"

	"mooring/client"
	"mooring/model"
)

// phases says what happens in each phase, for people who wait for it.
var phases = map[model.Phase]string{
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

// Explain says in one sentence what a cell's roll waits for and who can help.
// It is pure; what only counts time or other cells is left out, so that it
// changes when something did.
func Explain(view *client.PlanView, cell string) string {
	var roll *model.Roll
	for i := range view.Rolls {
		if view.Rolls[i].CellID == cell {
			roll = &view.Rolls[i]
		}
	}
	if roll == nil {
		return fmt.Sprintf("plan %s has no roll of cell %s", view.Name, cell)
	}
	text := fmt.Sprintf("plan %s: %s: %s", view.Name, roll.Phase, phases[roll.Phase])
	if roll.Phase.Final() {
		return fmt.Sprintf("plan %s: %s: %s", view.Name, roll.Phase, lastNote(roll))
	}
	for _, item := range view.Stuck {
		if item.ID == roll.StuckID {
			return text + "; STUCK: " + stuck(&item)
		}
	}
	if roll.StuckID != "" {
		return text + "; STUCK, and cloud ops can help: moor stuck " + roll.StuckID
	}
	if view.Intent == model.IntentPause && (roll.Phase == model.Queued) {
		return fmt.Sprintf("%s; the plan is paused%s; an operator can go on: moor resume %s", text, because(view.Reason), view.Name)
	}
	for _, waiting := range view.Waiting {
		if waiting.CellID == cell && len(waiting.Why) > 0 {
			return text + "; waits: " + strings.Join(waiting.Why, "; ")
		}
	}
	if roll.Phase == model.Queued && view.Window != "" {
		return text + "; rolls start in the window " + view.Window
	}
	return text
}

// stuck says what is stuck, whose it is, and how to answer.
func stuck(item *model.Stuck) string {
	text := strings.TrimSuffix(item.What, ".")
	if item.Answer != nil {
		return fmt.Sprintf("%s; answered with %s: %s", text, item.Answer.Verb, item.Answer.Reason)
	}
	if item.Owner != "" {
		text += "; " + item.Owner + " can help"
	}
	if item.Advice != "" {
		text += ": " + strings.TrimSuffix(item.Advice, ".")
	}
	if len(item.Answers) > 0 {
		verbs := make([]string, len(item.Answers))
		for i, verb := range item.Answers {
			verbs[i] = string(verb)
		}
		text += fmt.Sprintf("; moor resolve %s %s", item.ID, strings.Join(verbs, "|"))
	}
	return text
}

func lastNote(roll *model.Roll) string {
	if n := len(roll.Timeline); n > 0 && roll.Timeline[n-1].Note != "" {
		return roll.Timeline[n-1].Note
	}
	return "nobody said why"
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
