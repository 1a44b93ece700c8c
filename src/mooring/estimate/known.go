package estimate

import (
	"time"

	"mooring/model"
)

// Known is all that is known of durations at one moment. It is not safe for
// many goroutines.
type Known struct {
	subject    func(string) *model.Durations
	now, since time.Time
	dists      map[key]*Dist
}

type key struct {
	subject string
	step    Step
	prior   prior
}

// New looks at what is known now. subject finds the durations of an app, by
// its GUID, or of model.Hosts; nil when nothing was measured. What was measured
// from since on counts more than all before: it is when the plan began that
// the estimates are for, zero for none.
func New(subject func(string) *model.Durations, now, since time.Time) *Known {
	return &Known{subject: subject, now: now, since: since, dists: map[key]*Dist{}}
}

func (k *Known) dist(subject string, step Step, p prior) *Dist {
	at := key{subject, step, p}
	d, known := k.dists[at]
	if !known {
		var samples []model.Sample
		if measured := k.subject(subject); measured != nil {
			samples = measured.Samples[string(step)]
		}
		if len(samples) == 0 && subject != model.Hosts {
			// All that nothing is known of is off in the same way, if it is.
			d = k.unknown(step, p)
		} else {
			d = newDist(subject+" "+string(step), p, samples, k.now, k.since)
		}
		k.dists[at] = d
	}
	return d
}

// unknown is the distribution of a step that was never measured.
func (k *Known) unknown(step Step, p prior) *Dist {
	at := key{step: step, prior: p}
	if k.dists[at] == nil {
		k.dists[at] = newDist(string(step), p, nil, k.now, k.since)
	}
	return k.dists[at]
}

// Host says how long rolls of an action are in a phase, or Away.
func (k *Known) Host(action model.Action, phase model.Phase) *Dist {
	return k.dist(model.Hosts, Host(action, phase), priorHost(action, phase))
}

// Handler says how long the handler of an app needs from when it is asked.
func (k *Known) Handler(app *model.App, kind model.Kind) *Dist {
	return k.dist(app.GUID, Handler(kind), priorHandler(kind, app.Policy.Handler(kind)))
}

// Back says how long an instance of an app needs to come back, without
// healthy_for; step is Return or Move.
func (k *Known) Back(app *model.App, step Step) *Dist {
	return k.dist(app.GUID, step, priorBack[step])
}

// What Patience goes by.
const (
	// enough is how many samples make a p99 of their own.
	enough = 5
	// leastPatience is the earliest that anything counts as slow.
	leastPatience = 30 * time.Second
)

// Patience is how long to wait in a phase of a roll before wondering: its p99
// for the action, which is far above the slowest while few were measured, and
// never less than 30 s. phase is one of a roll's, or Away for acting and
// returning together. Of a step measured less than five times it is a guess
// that errs on the long side. Whoever detects what is stuck asks this.
func (k *Known) Patience(action model.Action, phase model.Phase) time.Duration {
	d := k.Host(action, phase)
	if d.count < enough {
		return Longest(action)
	}
	return max(leastPatience, d.patience())
}

// Stop is how long an instance of an app may take to stop and to give its
// volumes up, once nothing of a handler is in the way: what whole interrupts
// take, of which that is the end, at their p99; never less than least.
func (k *Known) Stop(app *model.App, least time.Duration) time.Duration {
	if d := k.Handler(app, model.Interrupt); d.count >= enough {
		return max(least, d.patience())
	}
	return least
}

// Measured reports whether anything was measured of what an action does to
// hosts.
func (k *Known) Measured(action model.Action) bool {
	measured := k.subject(model.Hosts)
	return measured != nil && len(measured.Samples[string(Host(action, Away))]) > 0
}
