package estimate

import (
	"slices"
	"time"

	"mooring/model"
)

// Roll is what one cell's way through maintenance is made of, without the
// time it stands in line.
type Roll struct {
	known  *Known
	action model.Action
	// drained, moved and stopped are what the roll's instances do in each of
	// its phases; replaced says that some have to be replaced first.
	drained, moved, stopped []part
	replaced                bool
	// at is the step that the roll is in, and spent for how long, in seconds.
	at    step
	spent float64
}

// step is what a roll does one after another; what is of one step runs together.
type step int

const (
	notBegun step = iota
	draining
	moving
	stopping
	away
	settling
)

// steps are those of the phases.
var steps = map[model.Phase]step{
	model.Draining: draining, model.Moving: moving, model.Interrupting: stopping,
	model.Quiesced: away, model.Acting: away, model.Returning: away, model.Settling: settling,
}

// part is one instance: its handler, and how it comes back.
type part struct {
	handler, back *Dist
	healthyFor    float64
}

// Roll begins to put a roll of an action together.
func (k *Known) Roll(action model.Action) *Roll { return &Roll{known: k, action: action} }

// Drain adds an instance that is drained.
func (r *Roll) Drain(app *model.App) { r.drained = append(r.drained, r.part(app, model.Drain, Move)) }

// Interrupt adds an instance that is interrupted: to come back elsewhere when
// it moves, else where it was.
func (r *Roll) Interrupt(app *model.App, moves bool) {
	if moves {
		r.moved = append(r.moved, r.part(app, model.Interrupt, Move))
	} else {
		r.stopped = append(r.stopped, r.part(app, model.Interrupt, Return))
	}
}

// Replace says that something on the cell is replaced before it stops.
func (r *Roll) Replace() { r.replaced = true }

// UnderWay says that the roll is in a phase and what it does there (its
// handlers, the host's absence, the returns) has taken so long. What is told of
// it from then on is how much longer it takes.
func (r *Roll) UnderWay(phase model.Phase, spent time.Duration) {
	r.at, r.spent = steps[phase], max(0, spent.Seconds())
}

func (r *Roll) part(app *model.App, kind model.Kind, back Step) part {
	return part{r.known.Handler(app, kind), r.known.Back(app, back), app.Policy.HealthyFor.D().Seconds()}
}

// Range gives the range of how long the roll takes, or takes still. It is the same for all
// rolls that are made of the same.
func (r *Roll) Range() Range { return RangeOf(r.draws(newChance(""))) }

// Draw gives how long the roll takes, or takes still, in each of the Draws. name tells its
// chances from those of other rolls.
func (r *Roll) Draw(name string) []time.Duration { return r.draws(newChance(name)) }

func (r *Roll) draws(chance *chance) []time.Duration {
	took := make([]time.Duration, Draws)
	for i := range took {
		chance.begin(i)
		took[i] = seconds(r.draw(chance))
	}
	return took
}

// draw goes through the steps: in each, everything runs together. What leaves
// the cell comes back on its own time, which the end of the roll waits for.
func (r *Roll) draw(chance *chance) float64 {
	var now, settled float64
	takes := func(at step, d *Dist) float64 {
		switch {
		case at > r.at:
			return chance.of(d)
		case at == r.at:
			return chance.longer(d, r.spent) - r.spent
		}
		return 0 // it is over
	}
	leave := func(at step, parts []part) {
		began := now
		for _, p := range parts {
			out := began + takes(at, p.handler)
			now = max(now, out)
			settled = max(settled, out+chance.of(p.back)+p.healthyFor)
		}
	}
	leave(draining, r.drained)
	began := now
	leave(moving, r.moved)
	if r.replaced {
		now = max(now, began+takes(moving, r.known.Host(r.action, model.Moving)))
	}
	began = now
	for _, p := range r.stopped {
		now = max(now, began+takes(stopping, p.handler))
	}
	now += takes(away, r.known.Host(r.action, Away))
	for _, p := range r.stopped {
		settled = max(settled, now+r.back(chance, p))
	}
	return max(now, settled)
}

// back gives how long something takes still to serve once its cell is back.
func (r *Roll) back(chance *chance, p part) float64 {
	if r.at < settling {
		return chance.of(p.back) + p.healthyFor
	}
	started := max(0, r.spent-p.healthyFor) // the soak is part of what was spent
	return max(0, chance.longer(p.back, started)+p.healthyFor-r.spent)
}

// Range is how long something takes, in the draws.
type Range struct {
	// Short, Half and Most are the p10, the p50 and the p90, Mean the mean:
	// what many add up to.
	Short, Half, Most, Mean time.Duration
}

// RangeOf gives the range of what was drawn, each draw as likely.
func RangeOf(drawn []time.Duration) Range {
	sorted := slices.Sorted(slices.Values(drawn))
	at := func(share float64) time.Duration {
		place := share*float64(len(sorted)) - 0.5
		i := min(len(sorted)-1, max(0, int(place)))
		next := min(len(sorted)-1, i+1)
		return sorted[i] + time.Duration(float64(sorted[next]-sorted[i])*min(1, max(0, place-float64(i))))
	}
	if len(sorted) == 0 {
		return Range{}
	}
	var sum time.Duration
	for _, took := range sorted {
		sum += took
	}
	return Range{Short: at(0.1), Half: at(0.5), Most: at(0.9), Mean: sum / time.Duration(len(sorted))}
}

// Foreseen is the range as it is kept, to be compared with the truth.
func (r Range) Foreseen() model.Foreseen {
	return model.Foreseen{Half: model.Duration(r.Half), Most: model.Duration(r.Most)}
}

// Count gives a tally with one more truth. What was never foreseen does not
// count.
func Count(tally model.Tally, foreseen model.Foreseen, truth time.Duration) model.Tally {
	switch {
	case foreseen == model.Foreseen{}:
	case truth <= foreseen.Half.D():
		tally.Early++
	case truth <= foreseen.Most.D():
		tally.Within++
	default:
		tally.Late++
	}
	return tally
}
