package orchestrator

import (
	"slices"
	"time"

	"mooring/model"
)

// history is how long rolls and outages took, learned from the timelines of
// finished rolls.
type history struct {
	rolls, outages map[model.Action][]time.Duration // sorted
}

// estimate is how long something is expected to take.
type estimate struct {
	quick, likely time.Duration
	// slow is when it is time to wonder.
	slow time.Duration
}

// priorOutage is what an action on a host is taken to last until one was
// measured: quick, likely, and when to wonder.
var priorOutage = map[model.Action]estimate{
	model.Restart:  {quick: 10 * time.Second, likely: 30 * time.Second, slow: 5 * time.Minute},
	model.Reboot:   {quick: time.Minute, likely: 3 * time.Minute, slow: 15 * time.Minute},
	model.Recreate: {quick: 3 * time.Minute, likely: 5 * time.Minute, slow: 30 * time.Minute},
	model.Retire:   {quick: time.Minute, likely: 3 * time.Minute, slow: 30 * time.Minute},
}

// Handlers are taken to need this until a roll was measured.
const (
	priorInterrupt = 30 * time.Second
	priorDrain     = 10 * time.Minute
)

// minimumSamples is how many outages must have been measured before twice
// their slowest says when to wonder, and wonderFloor the earliest it can say.
const (
	minimumSamples = 5
	wonderFloor    = 30 * time.Second
)

// history learns from all finished rolls, once for each look.
func (d *decision) history() *history {
	if d.past != nil {
		return d.past
	}
	d.past = &history{rolls: map[model.Action][]time.Duration{}, outages: map[model.Action][]time.Duration{}}
	for _, plan := range d.snap.Plans() {
		for _, roll := range d.snap.Rolls(plan.Name) {
			if roll.Phase == model.RollDone {
				whole, outage := measured(roll)
				d.past.rolls[roll.Action] = append(d.past.rolls[roll.Action], whole)
				d.past.outages[roll.Action] = append(d.past.outages[roll.Action], outage)
			}
		}
	}
	for _, known := range []map[model.Action][]time.Duration{d.past.rolls, d.past.outages} {
		for _, durations := range known {
			slices.Sort(durations)
		}
	}
	return d.past
}

// measured gives how long a finished roll took, without the time it stood in
// line, and how much of that its host was away.
func measured(roll *model.Roll) (whole, outage time.Duration) {
	var start, asked, acting time.Time
	var stood time.Duration
	for _, entry := range roll.Timeline {
		switch {
		case entry.Phase == model.Cordoned && entry.Note == "":
			start, stood = entry.At, 0 // an earlier attempt does not count
		case entry.Note == grantedNote:
			stood += entry.At.Sub(asked)
		case entry.Note == "":
			asked = entry.At
		}
		switch entry.Phase {
		case model.Acting:
			acting = entry.At
		case model.Settling:
			if outage == 0 {
				outage = entry.At.Sub(acting)
			}
		case model.RollDone:
			whole = entry.At.Sub(start) - stood
		}
	}
	return whole, outage
}

// outage estimates how long an action keeps a host away.
func (h *history) outage(action model.Action) estimate {
	known := h.outages[action]
	if len(known) == 0 {
		return priorOutage[action]
	}
	e := spread(known)
	e.slow = priorOutage[action].slow
	if len(known) >= minimumSamples {
		e.slow = max(wonderFloor, 2*known[len(known)-1])
	}
	return e
}

// rollOf estimates how long a roll takes once it has started.
func (h *history) rollOf(d *decision, roll *model.Roll) estimate {
	if known := h.rolls[roll.Action]; len(known) > 0 {
		return spread(known)
	}
	e := h.outage(roll.Action)
	var handlers, soak time.Duration
	drains := false
	for _, o := range d.queuedOn(roll) {
		if o.app == nil {
			continue
		}
		drains = drains || o.means.Kind == model.Drain
		handlers = max(handlers, priorInterrupt)
		soak = max(soak, o.app.Policy.HealthyFor.D())
	}
	if drains {
		handlers += priorDrain
	}
	return estimate{quick: e.quick + soak, likely: e.likely + handlers + soak, slow: 2*(e.likely+handlers) + soak}
}

// spread gives the tenth, the median and the ninetieth of a hundred.
func spread(sorted []time.Duration) estimate {
	at := func(share int) time.Duration { return sorted[min(len(sorted)-1, len(sorted)*share/100)] }
	return estimate{quick: at(10), likely: at(50), slow: at(90)}
}
