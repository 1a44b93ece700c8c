package sequence

import (
	"fmt"
	"time"
)

// Prior is what a roll is expected to take when nothing is known about it.
const Prior = 6 * time.Minute

// State is where a cell stands in the plan.
type State uint8

// The states of a cell. A stuck cell is stepped around: the plan goes on with
// the cells that do not need what it holds.
const (
	Waiting      State = iota // to be rolled
	Running                   // in roll, holding budget
	Rolled                    // done, skipped or aborted: nothing more will happen
	Stuck                     // stopped before it took anything, or gave everything back
	StuckHolding              // stopped (or just slow) while its instances are away
	Begun                     // let go, and waiting for budgets: no gate holds it back any more
)

// waits says whether a cell has its budgets still to take.
func waits(s State) bool { return s == Waiting || s == Begun }

// Cell is one cell of a Problem.
type Cell struct {
	ID string
	// AZ and Domain number the availability zone and the update domain in it.
	AZ, Domain int
	// Expected is how long the roll will take; 0 means unknown.
	Expected time.Duration
	// Elapsed is how long a Running cell has been in roll.
	Elapsed time.Duration
	State   State
	// Foreign: the cell is in roll for somebody else. It spends its budgets and
	// gives them back, and counts under no gate, in no bound and no makespan.
	Foreign bool
	// Uses lists the budgets that a roll of the cell spends, each app once.
	// An instance that is down already is counted in App.Down and not here.
	Uses []Use
}

// Use is what a roll of the cell spends of one budget: N instances of an app
// that are away at a time.
type Use struct {
	App, N int32
	// Hold bounds for how long, from the start of the roll: the time of its
	// moves. 0 means until the roll ends.
	Hold time.Duration
}

// Moves gives what a roll spends of an app's budget for k instances that leave
// the cell and serve elsewhere, each after a move. They need not leave together,
// as what stays has to: as many go at a time as the limit allows, one step
// after another. Only a limit of 0 keeps them where they are.
func Moves(app int32, k, limit int, move time.Duration) Use {
	use := Use{App: app, N: int32(k)}
	steps := time.Duration(1)
	if limit > 0 {
		use.N, steps = int32(min(k, limit)), time.Duration(max(1, (k+limit-1)/limit))
	}
	if move <= ages/steps {
		use.Hold = steps * move
	}
	return use
}

// ages is longer than any roll.
const ages = 100 * 365 * 24 * time.Hour

// App is one budget. An app whose policy limits interrupts and drains apart is
// two of these when both occur in one plan.
type App struct {
	Name string
	// Limit is how many instances may be away at once.
	Limit int
	// Down counts instances that are away for reasons outside the plan:
	// crashed, starting, or disrupted by somebody else.
	Down int
}

// Problem is all that planning needs to know.
type Problem struct {
	Cells []Cell
	Apps  []App
	// MaxInFlight is how many cells may be in roll at once; 0 means any.
	MaxInFlight int
	// Canaries is how many cells are rolled first, one at a time.
	Canaries int
	// AZSerial makes the AZs go strictly one after another, as they do inside
	// one converging task of a Director.
	AZSerial bool
	// Window is when rolls may start; nil means always. An order is planned,
	// and a bound given, as if it were.
	Window Window
}

// Validate says what about the problem makes no sense.
func (p *Problem) Validate() error {
	if p.MaxInFlight < 0 || p.Canaries < 0 {
		return fmt.Errorf("max in flight %d and canaries %d must not be negative", p.MaxInFlight, p.Canaries)
	}
	for a, app := range p.Apps {
		if app.Limit < 0 || app.Down < 0 {
			return fmt.Errorf("app %d (%s): limit %d and down %d must not be negative", a, app.Name, app.Limit, app.Down)
		}
	}
	seen := make([]int32, len(p.Apps))
	for c := range p.Cells {
		cell := &p.Cells[c]
		if cell.AZ < 0 || cell.Expected < 0 || cell.Elapsed < 0 {
			return fmt.Errorf("cell %d (%s): AZ %d, expected %v and elapsed %v must not be negative", c, cell.ID, cell.AZ, cell.Expected, cell.Elapsed)
		}
		if cell.Foreign && (cell.State == Waiting || cell.State == Stuck) {
			return fmt.Errorf("cell %d (%s): it is in roll for somebody else, but has not begun", c, cell.ID)
		}
		for _, use := range cell.Uses {
			if use.App < 0 || int(use.App) >= len(p.Apps) || use.N < 1 || use.Hold < 0 {
				return fmt.Errorf("cell %d (%s): uses %d of app %d, of %d apps, for %v", c, cell.ID, use.N, use.App, len(p.Apps), use.Hold)
			}
			if seen[use.App] == int32(c)+1 {
				return fmt.Errorf("cell %d (%s): lists app %d (%s) twice", c, cell.ID, use.App, p.Apps[use.App].Name)
			}
			seen[use.App] = int32(c) + 1
		}
	}
	return nil
}

// Expected gives what each cell is expected to take, unknown ones filled with
// the mean of the known, or Prior when nothing is known.
func (p *Problem) Expected() []time.Duration {
	var sum time.Duration
	known := 0
	for c := range p.Cells {
		if d := p.Cells[c].Expected; d > 0 {
			sum += d
			known++
		}
	}
	fill := Prior
	if known > 0 {
		fill = sum / time.Duration(known)
	}
	expected := make([]time.Duration, len(p.Cells))
	for c := range expected {
		if expected[c] = p.Cells[c].Expected; expected[c] == 0 {
			expected[c] = fill
		}
	}
	return expected
}

// left gives what remains to be done of each cell, given what each takes in
// all: nothing for cells that are rolled, can never be or are somebody else's.
func (p *Problem) left(durations []time.Duration) []time.Duration {
	left := make([]time.Duration, len(p.Cells))
	for c := range left {
		cell := &p.Cells[c]
		switch {
		case cell.State == Rolled || cell.Foreign || p.never(c) >= 0:
		case cell.State == Running:
			left[c] = max(0, durations[c]-cell.Elapsed)
		default:
			left[c] = durations[c]
		}
	}
	return left
}

// Never names a cell that can never roll and an app that forbids it.
type Never struct {
	Cell, App int
	// Instances is how many of the app's instances the cell has, Limit how
	// many may be away.
	Instances, Limit int
}

// Nevers lists every waiting cell that can never roll, with every app that
// forbids it: one whose limit is 0, or less than what it has on that cell.
func Nevers(p *Problem) []Never {
	var nevers []Never
	for c := range p.Cells {
		if p.Cells[c].State != Waiting {
			continue
		}
		for _, use := range p.Cells[c].Uses {
			if limit := p.Apps[use.App].Limit; int(use.N) > limit {
				nevers = append(nevers, Never{Cell: c, App: int(use.App), Instances: int(use.N), Limit: limit})
			}
		}
	}
	return nevers
}

// never gives the first app that keeps cell c from ever rolling, or -1. A cell
// that is in roll already was forced.
func (p *Problem) never(c int) int {
	if p.Cells[c].State != Waiting {
		return -1
	}
	for _, use := range p.Cells[c].Uses {
		if int(use.N) > p.Apps[use.App].Limit {
			return int(use.App)
		}
	}
	return -1
}
