package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Fault   Severity = "fault"   // a push is refused
	Warning Severity = "warning" // accepted, and probably not what was meant
	Note    Severity = "note"    // good to know
)

// Finding is one thing about a policy that a developer should know.
type Finding struct {
	Severity Severity `json:"severity"`
	// Where is the field's path, such as "lifecycle.max_interrupted".
	Where string `json:"where"`
	Text  string `json:"text"`
}

// examiner collects findings on one policy.
type examiner struct {
	policy  *model.Policy
	health  model.HealthCheck
	n       int
	classes []model.Class
	found   []Finding
}

// findings examines a policy with its defaults filled, the worst first.
func findings(app *model.App, policy *model.Policy, n int, classes []model.Class) []Finding {
	x := &examiner{policy: policy, health: app.Spec.Health.WithDefaults(), n: n, classes: classes}
	if len(classes) >= len(app.Spec.Mounts) {
		x.data()
	}
	x.limits()
	x.times()
	order := []Severity{Fault, Warning, Note}
	slices.SortStableFunc(x.found, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return x.found
}

func (x *examiner) note(severity Severity, where, format string, args ...any) {
	x.found = append(x.found, Finding{severity, "lifecycle" + where, fmt.Sprintf(format, args...)})
}

// data examines what becomes of the data.
func (x *examiner) data() {
	fixed := anyFixed(x.classes)
	p := x.policy
	switch {
	case fixed && p.Drain == nil && !p.DataDisposable:
		x.note(Fault, ".drain", "is missing, and a fixed volume's data leaves with its cell: give a handler that hands it over, or write \"drain: none\" if the data is disposable")
	case fixed && p.DataDisposable:
		x.note(Note, ".drain", "none: what is on a fixed volume may be thrown away whenever its cell goes")
	case !fixed && p.Drain != nil:
		x.note(Note, ".drain", "is never used: no fixed volume is mounted")
	}
	if fixed && p.Drain != nil && x.n == 1 {
		x.note(Warning, ".drain", "a single instance has no peer to hand its data to: unless the handler takes it out of the platform, its cell can never be given up without loss")
	}
	if p.Interrupt == nil && len(x.classes) > 0 {
		x.note(Note, ".interrupt", "no handler: TERM is all an instance hears before it stops")
	}
	if fixed && p.OnStuck.Answer == model.StuckForce && !p.DataDisposable {
		x.note(Warning, ".on_stuck", "force_after %s: a drain that is stuck for so long is forced, and its data is lost without anybody being asked", p.OnStuck.After)
	}
}

// limits examines the numbers.
func (x *examiner) limits() {
	p, l := x.policy, LimitsOf(x.policy, x.n)
	for _, text := range p.Warnings(x.n) {
		where, what, _ := strings.Cut(text, ": ")
		x.found = append(x.found, Finding{Warning, where, what})
	}
	if x.n == 0 {
		return
	}
	for _, limit := range []struct {
		where string
		at    int
	}{{".max_interrupted", l.Interrupted}, {".max_draining", l.Draining}} {
		switch {
		case limit.at > l.Disrupted:
			x.note(Warning, limit.where, "allows %d, but max_disrupted allows %d of both kinds together: the smaller one counts", limit.at, l.Disrupted)
		case limit.at == x.n && x.n > 1:
			x.note(Warning, limit.where, "allows all %d at once: nothing may be left serving", x.n)
		}
	}
	if p.MaxDisrupted != nil && l.Disrupted > l.Interrupted+l.Draining {
		x.note(Note, ".max_disrupted", "allows %d, more than max_interrupted and max_draining can add up to", l.Disrupted)
	}
	switch {
	case x.n == 1 && l.Disrupted > 0:
		x.note(Warning, "", "a single instance: every disruption is an outage")
	case x.n == 1:
		x.note(Warning, "", "a single instance that may never be disrupted: its cell is rolled by force or not at all")
	}
	if x.n > 1 && l.Disrupted == 1 {
		x.note(Note, "", "one instance that is down uses up the whole budget: no cell with another one is rolled until it serves again")
	}
}

// times examines durations that contradict each other.
func (x *examiner) times() {
	p := x.policy
	if p.ReturnWithin < p.HealthyFor {
		x.note(Warning, ".return_within", "%s is over before an instance can have been healthy for %s: every return will be flagged", p.ReturnWithin, p.HealthyFor)
	}
	if x.health.StartTimeout > p.ReturnWithin {
		x.note(Warning, ".return_within", "%s is shorter than the health check's start_timeout of %s: a slow start will be flagged before it has failed", p.ReturnWithin, x.health.StartTimeout)
	}
	for _, h := range []struct {
		where   string
		handler *model.Handler
	}{{".interrupt", p.Interrupt}, {".drain", p.Drain}} {
		if h.handler != nil && h.handler.Timeout < h.handler.ProgressTimeout {
			x.note(Warning, h.where+".progress_timeout", "%s is longer than the timeout of %s: a handler that hangs is noticed only at its deadline", h.handler.ProgressTimeout, h.handler.Timeout)
		}
		if after := p.OnStuck.After; h.handler != nil && p.OnStuck.Answer == model.StuckForce && after < h.handler.Timeout {
			x.note(Note, ".on_stuck", "force_after %s is counted from when something is found to be stuck, which takes up to %s's timeout of %s: it does not cut the handler short", after, h.where[1:], h.handler.Timeout)
		}
	}
}
