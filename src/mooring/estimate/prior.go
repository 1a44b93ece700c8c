package estimate

import (
	"time"

	"mooring/model"
)

// Step names something that takes time and is measured.
type Step string

// The steps of an app's disruption. Its handlers' are named as the kinds are.
const (
	// Return is from when a cell is back until an instance serves there again,
	// without healthy_for.
	Return Step = "return"
	// Move is the same for one that comes back elsewhere, from when it has
	// stopped.
	Move Step = "move"
)

// Away is, among the phases of a roll, acting and returning together: how long
// the host is away.
const Away model.Phase = "away"

// Handler names the step of an app's handler.
func Handler(kind model.Kind) Step { return Step(kind) }

// Host names what rolls of an action do in a phase.
func Host(action model.Action, phase model.Phase) Step {
	return Step(string(action) + "/" + string(phase))
}

// prior is what is taken for granted of a step until it was measured: its
// middle, and how far it spreads as the standard deviation of a logarithm.
type prior struct {
	middle time.Duration
	spread float64
	// most bounds it; 0 means nothing does.
	most time.Duration
}

// Longest is when to wonder about an action on a host of which little was
// measured, or where what was measured says nothing.
func Longest(action model.Action) time.Duration {
	switch action {
	case model.Restart:
		return 5 * time.Minute
	case model.Reboot:
		return 15 * time.Minute
	}
	return 30 * time.Minute
}

// priorHost is for what rolls of an action do in a phase.
func priorHost(action model.Action, phase model.Phase) prior {
	middle := map[model.Action]time.Duration{
		model.Restart: 30 * time.Second, model.Reboot: 3 * time.Minute,
		model.Recreate: 5 * time.Minute, model.Retire: 3 * time.Minute,
	}[action]
	switch phase {
	case Away:
		return prior{middle: max(time.Second, middle), spread: 0.45}
	case model.Acting, model.Returning:
		return prior{middle: max(time.Second, middle/2), spread: 0.8}
	case model.Draining:
		return prior{middle: 10 * time.Minute, spread: 1.2}
	}
	return prior{middle: 30 * time.Second, spread: 1}
}

// priorHandler is for a handler, nil for none: TERM is then all there is.
func priorHandler(kind model.Kind, h *model.Handler) prior {
	p := prior{middle: 20 * time.Second, spread: 1}
	if kind == model.Drain {
		p = prior{middle: 8 * time.Minute, spread: 1.2}
	}
	if h == nil {
		return prior{middle: 3 * time.Second, spread: 1}
	}
	p.most = h.Timeout.D()
	return p
}

// priorBack is for coming back, on the same cell or elsewhere.
var priorBack = map[Step]prior{
	Return: {middle: 5 * time.Second, spread: 1},
	Move:   {middle: 20 * time.Second, spread: 1},
}
