package lifecycle

import (
	"fmt"

	"mooring/model"
)

// Explanation is what a policy amounts to for a number of instances.
type Explanation struct {
	Instances int    `json:"instances"`
	Limits    Limits `json:"limits"`
	// Actions has one entry for each action on a host, from restart to retire;
	// none when what the volumes survive is not known.
	Actions []ActionMeaning `json:"actions"`
	// Stands says what may still be disrupted while none and while one of the
	// instances is down for other reasons.
	Stands []Stand `json:"stands"`
	// Findings are what a developer should know before a push, the worst
	// first.
	Findings []Finding `json:"findings,omitempty"`
}

// ActionMeaning is what one action on a host means for the app's instances
// there.
type ActionMeaning struct {
	Action model.Action `json:"action"`
	Meaning
	// Limit is how many instances may have it at once; -1 when it spends no
	// budget.
	Limit int    `json:"limit"`
	Text  string `json:"text"`
}

// Stand is how many instances may be interrupted or drained while some are
// down.
type Stand struct {
	Down        int    `json:"down"`
	Interrupted int    `json:"interrupted"`
	Draining    int    `json:"draining"`
	Text        string `json:"text"`
}

// Explain says what the policy of an app amounts to for n desired instances
// with volumes of the given classes, one for each mount. With fewer classes
// than mounts it leaves out what depends on them.
func Explain(app *model.App, n int, classes []model.Class) Explanation {
	policy := app.Policy.WithDefaults()
	e := Explanation{Instances: n, Limits: LimitsOf(&policy, n)}
	if len(classes) >= len(app.Spec.Mounts) {
		for _, action := range []model.Action{model.Restart, model.Reboot, model.Recreate, model.Retire} {
			e.Actions = append(e.Actions, explainAction(action, &policy, n, classes))
		}
	}
	for down := range min(n, 2) {
		e.Stands = append(e.Stands, stands(e.Limits, n, down))
	}
	e.Findings = findings(app, &policy, n, classes)
	return e
}

func explainAction(action model.Action, policy *model.Policy, n int, classes []model.Class) ActionMeaning {
	m := ActionMeaning{Action: action, Meaning: Means(action, classes, policy), Limit: -1}
	limits := LimitsOf(policy, n)
	switch {
	case m.Replace:
		m.Text = "replaced first: a new instance serves elsewhere before the old one stops, and no budget is spent"
		return m
	case m.Kind == model.Drain:
		m.Limit = min(limits.Draining, limits.Disrupted)
		m.Text = "drained: its data leaves with the cell, and it starts anew on another"
	case m.Move:
		m.Limit = min(limits.Interrupted, limits.Disrupted)
		m.Text = "interrupted and moved: it comes back on another cell of its zone with the same data"
	default:
		m.Limit = min(limits.Interrupted, limits.Disrupted)
		m.Text = "interrupted: it comes back on the same cell with the same data"
	}
	m.Text += "; " + atOnce(m.Limit, n) + "; " + handlerText(policy.Handler(m.Kind))
	return m
}

func atOnce(limit, n int) string {
	if limit == 0 {
		return "never allowed"
	}
	return fmt.Sprintf("at most %d of %d at once", limit, n)
}

func handlerText(h *model.Handler) string {
	switch {
	case h == nil:
		return "no handler, TERM says it all"
	case h.HTTP != "":
		return fmt.Sprintf("POST %s has %s, with progress every %s", h.HTTP, h.Timeout, h.ProgressTimeout)
	}
	return fmt.Sprintf("%s has %s, with progress every %s", h.Command, h.Timeout, h.ProgressTimeout)
}

// stands counts what the limits leave while some instances are down.
func stands(limits Limits, n, down int) Stand {
	left := func(limit int) int { return max(0, min(limit, limits.Disrupted)-down) }
	s := Stand{Down: down, Interrupted: left(limits.Interrupted), Draining: left(limits.Draining)}
	may := fmt.Sprintf("%d may be interrupted or %d drained at once", s.Interrupted, s.Draining)
	if s.Interrupted+s.Draining == 0 {
		may = "none may be disrupted"
	}
	if down == 0 {
		s.Text = fmt.Sprintf("while all %d serve, %s", n, may)
		return s
	}
	s.Text = fmt.Sprintf("while %d is down, %s of those that serve", down, may)
	if s.Interrupted+s.Draining == 0 {
		s.Text = fmt.Sprintf("while %d is down, no other may be disrupted: maintenance waits until it serves again", down)
	}
	return s
}
