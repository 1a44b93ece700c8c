package orchestrator

import (
	"slices"

	"mooring/estimate"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/sequence"
)

// survey is a plan as sequence sees it: cells that spend budgets.
type survey struct {
	problem sequence.Problem
	rolls   []*model.Roll // of each cell, in the same order
	// sketches say what the roll of each cell is made of; nil once it is over,
	// and where there is no foresight.
	sketches []*estimate.Roll
	spells   []spelled
	budgets  []budget // of each app of the problem
	index    map[budget]int
	azs      map[string]int
	greedy   bool // as the plan
}

// turns gives the cells their turns as the plan has them. Whatever dispatches
// or foretells a plan asks here, so that it is one plan.
func (s *survey) turns() *sequence.Plan {
	turns := &sequence.Plan{Order: make([]int, len(s.problem.Cells))}
	for i := range turns.Order {
		turns.Order[i] = i
	}
	if s.greedy {
		turns.Mode = sequence.Greedy
	}
	return turns
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
	s := &survey{index: map[budget]int{}, azs: map[string]int{}, greedy: plan.Greedy}
	s.problem.Canaries = plan.Canaries
	// A converging task takes AZs one after another: so it will, and nothing
	// need be held back for it once it runs.
	s.problem.AZSerial = d.foresight && plan.Converges()
	if !plan.MaxInFlight.Never() {
		s.problem.MaxInFlight = plan.MaxInFlight.Of(len(plan.Order))
	}
	if plan.Via.Bosh != nil && !plan.WholeGroup() || plan.Converging != nil && !plan.Converges() {
		s.problem.MaxInFlight = 1 // a deployment takes one action at a time
	}
	own := map[string]bool{}
	for _, roll := range rolls {
		state := stateOf(roll)
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
	cell := sequence.Cell{ID: roll.CellID, State: stateOf(roll)}
	var sketch *estimate.Roll
	var mean []estimate.Spell
	if d.foresight && cell.State != sequence.Rolled { // to dispatch takes no durations
		sketch = d.sketch(roll)
		cell.Expected, mean = sketch.Mean()
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
	s.problem.Cells = append(s.problem.Cells, cell)
	for _, at := range spends.spells(len(s.rolls)) {
		at.hold(&s.problem, mean, estimate.Spell.GivenBack)
		s.spells = append(s.spells, at)
	}
	s.rolls, s.sketches = append(s.rolls, roll), append(s.sketches, sketch)
}

// serves reports whether an occupant serves. One that does not is spent
// already and costs no more.
func (d *decision) serves(o *occupant) bool {
	crew := d.crew(o.inst.AppGUID)
	if crew == nil {
		return false
	}
	m := crew.Member(o.inst.Index)
	return m != nil && (m.Standing == lifecycle.Serving || d.soonServes(m))
}

// soonServes reports whether a foresight counts on a member that is on its way
// up: long before its cell's turn comes it will serve.
func (d *decision) soonServes(m *lifecycle.Member) bool {
	return d.foresight && m.Permit == nil && !m.Surplus && !m.Crashed
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
		return m.Permit != nil && own[m.Permit.Holder] || d.soonServes(m)
	}))
}
