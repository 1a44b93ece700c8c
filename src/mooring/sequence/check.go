package sequence

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Audit is what Check found.
type Audit struct {
	// Violations are starts that exceeded a limit.
	Violations []Violation
	// Missing lists cells that should have been rolled and were not.
	Missing  []int
	Makespan time.Duration
}

// Violation is a start that should not have been.
type Violation struct {
	Cell int
	At   time.Duration
	App  int // -1: not an app but Why
	// Away is how many were away just after the start, of at most Limit.
	Away, Limit int
	Why         Reason
}

// span is a time during which a cell has instances of an app away, or is in
// roll itself. planned spans begin with a decision, which is judged.
type span struct {
	from, to time.Duration
	cell     int
	n        int
	planned  bool
}

// Check replays a timeline against the problem: at each start, is everything
// that is away, failures and all, within every limit, and the window open? It
// trusts nothing but the timeline and shares nothing with the dispatcher.
func Check(p *Problem, line *Timeline, failures ...Failure) *Audit {
	audit := &Audit{}
	spans := make([][]span, len(p.Apps)+1) // the last one: cells in roll
	rolls := len(p.Apps)
	for c := range p.Cells {
		cell := &p.Cells[c]
		start, end := line.Start[c], line.End[c]
		if cell.State == StuckHolding { // all along, for all that is known
			start, end = 0, math.MaxInt64
			if !cell.Foreign {
				spans[rolls] = append(spans[rolls], span{start, end, c, 1, false})
			}
			for _, use := range cell.Uses {
				spans[use.App] = append(spans[use.App], span{start, end, c, int(use.N), false})
			}
			continue
		}
		if start == -1 && end == -1 {
			if waits(cell.State) && p.never(c) < 0 {
				audit.Missing = append(audit.Missing, c)
			}
			continue
		}
		if !cell.Foreign {
			audit.Makespan = max(audit.Makespan, end)
			spans[rolls] = append(spans[rolls], span{start, end, c, 1, start >= 0 && cell.State == Waiting})
		}
		if p.Window != nil && start >= 0 && cell.State == Waiting {
			if open, _ := p.Window(start); !open {
				audit.Violations = append(audit.Violations, Violation{Cell: c, At: start, App: -1, Why: ByWindow})
			}
		}
		for _, use := range cell.Uses {
			to := end
			if use.Hold > 0 {
				to = min(to, start+use.Hold)
			}
			spans[use.App] = append(spans[use.App], span{start, to, c, int(use.N), start >= 0 && waits(cell.State)})
		}
	}
	for _, f := range failures {
		for _, use := range p.Cells[f.Cell].Uses {
			to := f.At + f.For
			if use.Hold > 0 {
				to = min(to, f.At+use.Hold)
			}
			spans[use.App] = append(spans[use.App], span{f.At, to, f.Cell, int(use.N), false})
		}
	}
	for a, app := range p.Apps {
		audit.sweep(spans[a], app.Limit, app.Down, a, ByApp)
	}
	if p.MaxInFlight > 0 {
		audit.sweep(spans[rolls], p.MaxInFlight, 0, -1, ByCeiling)
	}
	audit.serial(p, spans[rolls])
	return audit
}

// sweep judges every planned start among the spans of one limit. A cell that
// is away twice over (in roll and failed) counts once.
func (audit *Audit) sweep(spans []span, limit, down, app int, why Reason) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var open []span
	for i := 0; i < len(spans); {
		at := spans[i].from
		open = slices.DeleteFunc(open, func(s span) bool { return s.to <= at })
		var started []int
		for ; i < len(spans) && spans[i].from == at; i++ {
			if open = append(open, spans[i]); spans[i].planned {
				started = append(started, spans[i].cell)
			}
		}
		if len(started) == 0 {
			continue
		}
		away := down
		for j, s := range open {
			if s.to > at && !slices.ContainsFunc(open[:j], func(o span) bool { return o.cell == s.cell && o.to > at }) {
				away += s.n
			}
		}
		if away > limit {
			for _, c := range started {
				audit.Violations = append(audit.Violations, Violation{Cell: c, At: at, App: app, Away: away, Limit: limit, Why: why})
			}
		}
	}
}

// serial judges canaries and AZs that go one after another.
func (audit *Audit) serial(p *Problem, rolls []span) {
	slices.SortFunc(rolls, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	canaries := p.Canaries
	for c := range p.Cells {
		canaries -= b2i(p.Cells[c].State == Rolled)
	}
	lastEnd := map[int]time.Duration{} // per AZ
	for _, s := range rolls {
		lastEnd[p.Cells[s.cell].AZ] = max(lastEnd[p.Cells[s.cell].AZ], s.to)
	}
	for i, s := range rolls {
		if !s.planned || i == 0 {
			continue
		}
		// Until enough have ended, each canary and the first after them
		// starts when all before it have.
		if i <= canaries {
			for _, o := range rolls[:i] {
				if o.to > s.from {
					audit.Violations = append(audit.Violations, Violation{Cell: s.cell, At: s.from, App: -1, Why: ByCanaries})
					break
				}
			}
		}
		az, prev := p.Cells[s.cell].AZ, p.Cells[rolls[i-1].cell].AZ
		if p.AZSerial && az != prev && s.from < lastEnd[prev] {
			audit.Violations = append(audit.Violations, Violation{Cell: s.cell, At: s.from, App: -1, Why: ByAZ})
		}
	}
}
