package orchestrator

import (
	"cmp"
	"math"
	"slices"
	"time"

	"mooring/estimate"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/sequence"
)

// survey is a plan as sequence sees it: cells that spend budgets.
type survey struct {
	problem sequence.Problem
	rolls   []*model.Roll // of each cell, in the same order
	// sketches say what is left of the roll of each cell; nil where nothing more
	// is expected of it, and where there is no foresight.
	sketches []*estimate.Roll
	spells   []spelled
	budgets  []budget // of each app of the problem
	index    map[budget]int
	azs      map[string]int
	greedy   bool // as the plan
	// claims holds since when, as a revision, cells that have begun stand in line.
	claims map[int]int64
}

// turns gives the cells their turns as the plan has them. Whatever dispatches
// or foretells a plan asks here, so that it is one plan.
func (s *survey) turns() *sequence.Plan {
	turns := &sequence.Plan{Order: make([]int, len(s.problem.Cells))}
	for i := range turns.Order {
		turns.Order[i] = i
	}
	if len(s.claims) > 1 {
		slices.SortStableFunc(turns.Order, func(a, b int) int { return cmp.Compare(s.since(a), s.since(b)) })
	}
	if s.greedy {
		turns.Mode = sequence.Greedy
	}
	return turns
}

// since gives a cell's place in line; those that do not stand there come last.
func (s *survey) since(cell int) int64 {
	if since, begun := s.claims[cell]; begun {
		return since
	}
	return math.MaxInt64
}

// budget is what a roll spends of one app: of the limit on one kind, or ("")
// of the limit on both together.
type budget struct {
	appGUID string
	kind    model.Kind
}

// surveyOf looks at the rolls of a plan, in plan order. Cells that cannot be
// started whatever the policies say are to be left out by the caller.
func (d *decision) surveyOf(plan *model.Plan, rolls []*model.Roll) *survey {
	s := &survey{index: map[budget]int{}, azs: map[string]int{}, claims: map[int]int64{}, greedy: plan.Greedy}
	s.problem.Canaries = plan.Canaries
	// A converging task takes AZs one after another: so it will, and nothing
	// need be held back for it once it runs.
	s.problem.AZSerial = d.foresight && plan.Converges()
	if d.foresight { // nothing is dispatched at all outside it
		s.problem.Window = windowAt(plan.Window, d.now)
	}
	if !plan.MaxInFlight.Never() {
		s.problem.MaxInFlight = plan.MaxInFlight.Of(len(plan.Order))
	}
	if oneAtATime(plan) {
		s.problem.MaxInFlight = 1 // a deployment takes one action at a time
	}
	own := map[string]bool{}
	for _, roll := range rolls {
		state := d.stateOf(roll)
		if plan.Canaries > 0 && roll.Phase.Final() && roll.Phase != model.RollDone {
			s.problem.Canaries++ // it has shown nothing; the next one has to
		}
		own[roll.Holder()] = state == sequence.Running || state == sequence.StuckHolding
		d.addCell(s, roll)
	}
	for a, b := range s.budgets {
		s.problem.Apps[a].Down = d.downOf(b, own)
	}
	return s
}

// addCell adds a cell with what its roll spends or would spend.
func (d *decision) addCell(s *survey, roll *model.Roll) {
	cell := sequence.Cell{ID: roll.CellID, State: d.stateOf(roll)}
	var sketch *estimate.Roll
	var mean []estimate.Spell
	if d.foresight && cell.State != sequence.Rolled { // to dispatch takes no durations
		sketch = d.sketch(roll)
		var left time.Duration
		left, mean = sketch.Mean()
		if began, begun := roll.Entered(model.Cordoned); begun && cell.State == sequence.Running {
			cell.Elapsed = max(0, d.now.Sub(d.seen(began)))
		}
		cell.Expected = cell.Elapsed + left
		if cell.State == sequence.Stuck || cell.State == sequence.StuckHolding {
			sketch = nil
		}
	}
	if known := d.snap.Cell(roll.CellID); known != nil {
		cell.AZ, cell.Domain = s.az(known.AZ), known.Domain
	}
	spends := spending{d: d, survey: s, sketch: sketch, of: map[int]*spent{}}
	if cell.State == sequence.Running || cell.State == sequence.StuckHolding {
		for _, h := range d.held[roll.Holder()] {
			spends.add(d.snap.App(h.appGUID), h.permit.Kind, leaves(h.permit.Kind, h.permit.Move), true)
		}
	}
	if roll.Phase.BeforeHost() {
		for _, o := range d.queuedOn(roll) {
			if o.permit == nil && !o.leaving && !o.means.Replace && d.serves(o) {
				spends.add(o.app, o.means.Kind, leaves(o.means.Kind, o.means.Move), false)
			}
		}
	}
	cell.Uses = spends.uses(cell.Elapsed)
	if cell.State == sequence.Begun {
		s.claims[len(s.problem.Cells)] = d.snap.Claim(roll.Holder()).Since
	}
	s.problem.Cells = append(s.problem.Cells, cell)
	for _, at := range spends.spells(len(s.problem.Cells) - 1) {
		at.hold(&s.problem, mean, estimate.Spell.GivenBack)
		s.spells = append(s.spells, at)
	}
	s.rolls, s.sketches = append(s.rolls, roll), append(s.sketches, sketch)
}

// serves reports whether an occupant serves, or will by the turn of its cell. One
// that does not is spent already and costs no more.
func (d *decision) serves(o *occupant) bool {
	crew := d.crew(o.inst.AppGUID)
	if crew == nil {
		return false
	}
	m := crew.Member(o.inst.Index)
	return m != nil && (m.Standing == lifecycle.Serving || d.soonServes(crew.App, m))
}

func (d *decision) servesNow(o *occupant) bool {
	crew := d.crew(o.inst.AppGUID)
	return crew != nil && crew.Member(o.inst.Index) != nil && crew.Member(o.inst.Index).Standing == lifecycle.Serving
}

// soonServes reports whether a foresight counts on a member that is on its way
// up, or will be once what it was disrupted for is over: long before its cell's
// turn comes it will serve.
func (d *decision) soonServes(app *model.App, m *lifecycle.Member) bool {
	switch {
	case !d.foresight || m.Surplus:
		return false
	case m.Permit == nil, d.over(m.Permit.Holder):
		return !m.Crashed
	}
	return d.givesBack(app, m)
}

// givesBack reports whether a member's permit will be given back as things are:
// its roll is under way, and nothing about it is stuck.
func (d *decision) givesBack(app *model.App, m *lifecycle.Member) bool {
	if m.Permit == nil || d.over(m.Permit.Holder) {
		return false
	}
	if roll := d.rollOf(m.Permit.Holder); roll != nil {
		return roll.StuckID == ""
	}
	return !slices.ContainsFunc(d.snap.StuckItems(), func(alert *model.Stuck) bool {
		return alert.Plan == "" && alert.AppGUID == app.GUID && alert.Index == m.Index && !alert.Recovered()
	})
}

// stateOf gives where a roll stands. In a foresight one that stands in line does
// not run: it will once it has what it needs.
func (d *decision) stateOf(roll *model.Roll) sequence.State {
	state := stateOf(roll)
	if d.foresight && state == sequence.Running && d.standsInLine(roll) {
		return sequence.Begun
	}
	return state
}

// stateOf gives where a roll stands in the eyes of sequence.
func stateOf(roll *model.Roll) sequence.State {
	switch {
	case roll.Phase.Final():
		return sequence.Rolled
	case roll.StuckID != "" && roll.Phase.BeforeHost():
		return sequence.Stuck
	case roll.StuckID != "":
		return sequence.StuckHolding
	case roll.Phase == model.Queued:
		return sequence.Waiting
	}
	return sequence.Running
}

// budgetsFor gives the positions of the budgets that a disruption of an app
// spends, adding those that are new.
func (s *survey) budgetsFor(app *model.App, kind model.Kind) []int {
	if app == nil {
		return nil
	}
	limits := lifecycle.LimitsOf(&app.Policy, app.Instances)
	limit := limits.Interrupted
	if kind == model.Drain {
		limit = limits.Draining
	}
	return []int{
		s.budget(app, budget{app.GUID, kind}, limit),
		s.budget(app, budget{app.GUID, ""}, limits.Disrupted),
	}
}

func (s *survey) budget(app *model.App, b budget, limit int) int {
	at, known := s.index[b]
	if !known {
		at = len(s.budgets)
		s.index[b] = at
		s.budgets = append(s.budgets, b)
		s.problem.Apps = append(s.problem.Apps, sequence.App{Name: app.Name.String(), Limit: limit})
	}
	return at
}

func (s *survey) az(name string) int {
	at, known := s.azs[name]
	if !known {
		at = len(s.azs)
		s.azs[name] = at
	}
	return at
}

// downOf counts the instances that spend a budget and are not counted with a
// cell in roll: down, or disrupted by somebody else.
func (d *decision) downOf(b budget, own map[string]bool) int {
	crew := d.crew(b.appGUID)
	if crew == nil {
		return 0
	}
	spent := crew.Spent(b.kind)
	return len(slices.DeleteFunc(spent, func(index int) bool {
		m := crew.Member(index)
		return m.Permit != nil && own[m.Permit.Holder] || d.soonServes(crew.App, m) || d.foresight && d.givesBack(crew.App, m)
	}))
}
