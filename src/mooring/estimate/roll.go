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
	leavers                 []leaver
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
	// Of one that leaves: the number of its leaver, and whether it is the first
	// of a step, which begins when the step before it is over.
	of    int
	opens bool
}

// leaver is what leaves of one app in one way.
type leaver struct {
	appGUID       string
	kind          model.Kind
	count, atOnce int
}

// Roll begins to put a roll of an action together.
func (k *Known) Roll(action model.Action) *Roll { return &Roll{known: k, action: action} }

// Drain adds an instance that is drained. At most so many of its app leave at
// once, one step after another; 0 is all.
func (r *Roll) Drain(app *model.App, atOnce int) {
	r.drained = append(r.drained, r.leave(app, model.Drain, atOnce))
}

// Move adds an instance that is interrupted and comes back elsewhere, of which
// at most so many leave at once.
func (r *Roll) Move(app *model.App, atOnce int) {
	r.moved = append(r.moved, r.leave(app, model.Interrupt, atOnce))
}

// Interrupt adds an instance that is interrupted and comes back where it was.
func (r *Roll) Interrupt(app *model.App) {
	r.stopped = append(r.stopped, r.part(app, model.Interrupt, Return))
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
	return part{handler: r.known.Handler(app, kind), back: r.known.Back(app, back), healthyFor: app.Policy.HealthyFor.D().Seconds()}
}

func (r *Roll) leave(app *model.App, kind model.Kind, atOnce int) part {
	p := r.part(app, kind, Move)
	if p.of = r.Leaver(app.GUID, kind); p.of < 0 {
		p.of = len(r.leavers)
		r.leavers = append(r.leavers, leaver{appGUID: app.GUID, kind: kind, atOnce: atOnce})
	}
	l := &r.leavers[p.of]
	p.opens = l.count == 0 || l.atOnce > 0 && l.count%l.atOnce == 0
	l.count++
	return p
}

// Leaver gives the number of what leaves of an app in one way, -1 when nothing
// does.
func (r *Roll) Leaver(appGUID string, kind model.Kind) int {
	return slices.IndexFunc(r.leavers, func(l leaver) bool { return l.appGUID == appGUID && l.kind == kind })
}

// Spell is how a roll spends the budget of what leaves of one app.
type Spell struct {
	// Back is when all of it serves again, from the start of the roll or, of one
	// under way, from now. Away is
	// how long each of those that are away at once is away in all, on average.
	Back, Away time.Duration
}

// GivenBack is until when the budget is held, from the start of a roll that
// began so long ago.
func (s Spell) GivenBack(elapsed time.Duration) time.Duration { return elapsed + s.Back }

// Spent is how long it is held at least, wherever the roll begins with it.
func (s Spell) Spent(time.Duration) time.Duration { return s.Away }

// Drawn is how a roll may go, in each of the Draws.
type Drawn struct {
	Took []time.Duration
	// Spells are those of each draw, by the number of what leaves; nil when
	// nothing does.
	Spells [][]Spell
}

// Range gives the range of how long the roll takes, or takes still. It is the same for all
// rolls that are made of the same.
func (r *Roll) Range() Range { return RangeOf(r.draws(newChance("")).Took) }

// Mean gives how long the roll takes, and its spells, on average.
func (r *Roll) Mean() (took time.Duration, spells []Spell) {
	drawn := r.draws(newChance(""))
	spells = make([]Spell, len(r.leavers))
	for _, draw := range drawn.Spells {
		for n := range spells {
			spells[n].Back += draw[n].Back / Draws
			spells[n].Away += draw[n].Away / Draws
		}
	}
	return RangeOf(drawn.Took).Mean, spells
}

// Draw gives how the roll goes in each of the Draws. name tells its chances
// from those of other rolls.
func (r *Roll) Draw(name string) Drawn { return r.draws(newChance(name)) }

func (r *Roll) draws(chance *chance) Drawn {
	drawn := Drawn{Took: make([]time.Duration, Draws)}
	var spells []Spell
	if len(r.leavers) > 0 {
		drawn.Spells, spells = make([][]Spell, Draws), make([]Spell, Draws*len(r.leavers))
	}
	w := &way{chance: chance, leavers: make([]absence, len(r.leavers))}
	for i := range drawn.Took {
		chance.begin(i)
		drawn.Took[i] = seconds(r.draw(w))
		if drawn.Spells == nil {
			continue
		}
		drawn.Spells[i], spells = spells[:len(r.leavers)], spells[len(r.leavers):]
		for n, l := range r.leavers {
			places := l.count
			if l.atOnce > 0 {
				places = min(places, l.atOnce)
			}
			drawn.Spells[i][n] = Spell{Back: seconds(w.leavers[n].back), Away: seconds(w.leavers[n].away / float64(places))}
		}
	}
	return drawn
}

// way is one way through the phases.
type way struct {
	chance       *chance
	now, settled float64
	leavers      []absence
}

// absence is how what leaves of one app fares: when its step began, when all that
// has left so far serves again, and for how long all of it was away.
type absence struct{ began, back, away float64 }

// takes gives how long something of a step takes, or takes still: what is over
// takes no time.
func (r *Roll) takes(chance *chance, at step, d *Dist) float64 {
	switch {
	case at > r.at:
		return chance.of(d)
	case at == r.at:
		return chance.longer(d, r.spent) - r.spent
	}
	return 0
}

// draw goes through the steps: in each, everything runs together but what
// leaves in turns. What leaves the cell comes back on its own time, which the
// end of the roll waits for.
func (r *Roll) draw(w *way) float64 {
	w.now, w.settled = 0, 0
	clear(w.leavers)
	r.depart(w, draining, r.drained)
	began := w.now
	r.depart(w, moving, r.moved)
	if r.replaced {
		w.now = max(w.now, began+r.takes(w.chance, moving, r.known.Host(r.action, model.Moving)))
	}
	began = w.now
	for _, p := range r.stopped {
		w.now = max(w.now, began+r.takes(w.chance, stopping, p.handler))
	}
	w.now += r.takes(w.chance, away, r.known.Host(r.action, Away))
	for _, p := range r.stopped {
		w.settled = max(w.settled, w.now+r.back(w.chance, p))
	}
	return max(w.now, w.settled)
}

// depart has parts leave the cell, those of each app in turns.
func (r *Roll) depart(w *way, at step, parts []part) {
	began := w.now
	for _, p := range parts {
		l := &w.leavers[p.of]
		if p.opens {
			l.began = max(began, l.back)
		}
		out := l.began + r.takes(w.chance, at, p.handler)
		w.now = max(w.now, out)
		back := out + w.chance.of(p.back) + p.healthyFor
		l.back, l.away = max(l.back, back), l.away+back-l.began
		w.settled = max(w.settled, back)
	}
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
