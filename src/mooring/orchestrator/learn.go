package orchestrator

import (
	"maps"
	"slices"
	"time"

	"mooring/estimate"
	"mooring/model"
)

// What was measured is learned the moment it ends: what an app's disruption
// took in the transaction that gives its permit back; what rolls took all
// together, in one transaction for each look.

// learnPermit gives what is known of an app with what a permit that was given
// back took. What a person hurried or waited for is no measure of anything.
func (d *decision) learnPermit(known *model.Durations, appGUID string, permit *model.Permit) *model.Durations {
	app, inst := d.snap.App(appGUID), d.snap.Instance(appGUID, permit.Index)
	stopped := permit.Times[model.StepYielded]
	if app == nil || inst == nil || stopped.IsZero() || permit.Force || permit.Extra > 0 {
		return known
	}
	asked := permit.Times[model.StepAsked]
	if asked.IsZero() { // the cell was quicker than anybody looked
		asked = permit.Times[model.StepGranted]
	}
	if !d.snap.Witnessed(asked, stopped) {
		return known // nobody who is here was there
	}
	learn := func(step estimate.Step, from, to time.Time) {
		known = estimate.Learn(known, appGUID, step, to.Sub(from), d.now)
	}
	asked, stopped = d.seen(asked), d.seen(stopped)
	learn(estimate.Handler(permit.Kind), asked, stopped)
	ready := stopped.Add(app.Policy.HealthyFor.D())
	switch roll := d.rollOf(permit.Holder); {
	case inst.CellID != permit.CellID:
		learn(estimate.Move, ready, d.now)
	case roll != nil && roll.Phase == model.Settling && roll.StuckID == "":
		learn(estimate.Return, d.seen(roll.Since()).Add(app.Policy.HealthyFor.D()), d.now)
	}
	return known
}

// learnRoll learns from a roll that is done, unless people had a hand in it.
func (d *decision) learnRoll(plan *model.Plan, roll *model.Roll) {
	in, whole, disturbed := d.measured(roll)
	if disturbed || d.somebodyElse(plan) && plan.Via.Bosh == nil {
		return
	}
	next := d.learnedOfHosts()
	in[estimate.Away] = in[model.Acting] + in[model.Returning]
	for _, phase := range slices.Sorted(maps.Keys(in)) {
		// Of one that was stuck it is only known that it took longer than that.
		took := min(in[phase], d.durations().Patience(roll.Action, phase))
		if took > 0 {
			next = estimate.Learn(next, model.Hosts, estimate.Host(roll.Action, phase), took, d.now)
		}
	}
	next.Rolls = estimate.Count(next.Rolls, roll.Foreseen, whole)
	d.learned = next
}

// learnPlan compares a plan that is done with what was foreseen of it. One
// that people, a window or something stuck held up says nothing.
func (d *decision) learnPlan(plan *model.Plan) {
	if plan.Window != "" || d.somebodyElse(plan) && plan.Via.Bosh == nil {
		return
	}
	for _, roll := range d.snap.Rolls(plan.Name) {
		if roll.Phase != model.RollDone || slices.ContainsFunc(roll.Timeline, byPerson) {
			return
		}
	}
	if !d.snap.Witnessed(plan.CreatedAt) {
		return
	}
	next := *d.learnedOfHosts()
	next.Plans = estimate.Count(next.Plans, plan.Foreseen, d.seen(plan.FinishedAt).Sub(d.seen(plan.CreatedAt)))
	d.learned = &next
}

// learnedOfHosts gives what is known of hosts with what this look has learned
// so far. It is not to be changed.
func (d *decision) learnedOfHosts() *model.Durations {
	if d.learned != nil {
		return d.learned
	}
	if known := d.snap.Durations(model.Hosts); known != nil {
		return known
	}
	return &model.Durations{Subject: model.Hosts}
}

// keepLearned writes down what this look has learned of hosts.
func (d *decision) keepLearned() {
	if d.learned != nil {
		tx := d.snap.Txn()
		tx.Put(d.learned)
		d.add(tx)
	}
}

// measured gives how long a finished roll was in each of its phases, and in
// all since it last started, without the time it stood in line. disturbed:
// somebody forced it, or had to answer for it.
func (d *decision) measured(roll *model.Roll) (in map[model.Phase]time.Duration, whole time.Duration, disturbed bool) {
	in = map[model.Phase]time.Duration{}
	var last model.Entry
	var before time.Duration // in the phase, before it stood in line
	for _, entry := range roll.Timeline {
		if entry.Phase == model.Cordoned && entry.Note == "" {
			clear(in) // an earlier attempt does not count
			disturbed = false
		}
		switch {
		case last.Phase == "" || last.Phase == model.Queued:
		case entry.Note == grantedNote:
			in[entry.Phase] = before
		default:
			in[last.Phase] += d.seen(entry.At).Sub(d.seen(last.At))
		}
		if entry.Note == nextStepNote {
			before = in[entry.Phase]
		} else if entry.Phase != last.Phase {
			before = 0
		}
		disturbed = disturbed || byPerson(entry) || !d.snap.Witnessed(entry.At)
		last = entry
	}
	for _, took := range in {
		whole += took
	}
	return in, whole, disturbed || roll.Force || len(roll.Forced) > 0 || roll.Extra > 0
}

// byPerson reports whether a line of a timeline tells of something out of the
// ordinary: a pause, an answer, another attempt.
func byPerson(entry model.Entry) bool {
	return entry.Note != "" && entry.Note != grantedNote && entry.Note != nextStepNote && !isWait(entry.Note)
}
