package orchestrator

import (
	"fmt"
	"time"

	"mooring/model"
	"mooring/sequence"
)

// windowAt gives a window as sequence sees it: in time since now. One that is
// always open, or cannot be read, is none.
func windowAt(text string, now time.Time) sequence.Window {
	window, err := model.ParseWindow(text)
	if err != nil || window.Zone == nil {
		return nil
	}
	return func(at time.Duration) (bool, time.Duration) {
		open, next := window.Open(now.Add(at))
		return open, next.Sub(now)
	}
}

// pictureTries is how often a picture is drawn at most until it ends when the
// plan is expected to.
const pictureTries = 12

// picture simulates a plan once, on what is expected of each cell. That alone
// would end early or late: what is late holds others up. So all that is still to
// be done takes longer, or shorter, by the same factor, with which the plan ends
// as near as can be to when it is expected to. Where a window lies between, no
// factor may do that exactly.
func (s *survey) picture(turns *sequence.Plan, ends time.Duration) *sequence.Timeline {
	expected := s.problem.Expected()
	draw := func(factor float64) *sequence.Timeline {
		problem, durations := s.unshared(&s.problem), make([]time.Duration, len(expected))
		stretch := func(cell int, whole time.Duration) time.Duration {
			spent := min(whole, problem.Cells[cell].Elapsed)
			return spent + time.Duration(factor*float64(whole-spent))
		}
		for c, whole := range expected {
			durations[c] = stretch(c, whole)
		}
		for _, at := range s.spells {
			use := &problem.Cells[at.cell].Uses[at.use]
			use.Hold = stretch(at.cell, use.Hold)
		}
		return sequence.Simulate(problem, turns, durations)
	}
	off := func(line *sequence.Timeline) time.Duration { return (line.Makespan - ends).Abs() }
	factor, short, long := 1.0, 0.0, 0.0
	best := draw(factor)
	for line, tries := best, 1; tries < pictureTries && line.Makespan > 0 && off(best) > min(ends/1000, time.Second); tries++ {
		if line.Makespan < ends {
			short = factor
		} else {
			long = factor
		}
		switch {
		case short > 0 && long > 0:
			factor = (short + long) / 2
		case s.problem.Window == nil: // what is given back early bends the proportion a little
			factor *= min(2, max(0.5, float64(ends)/float64(line.Makespan)))
		case line.Makespan < ends:
			factor *= 2
		default:
			factor /= 2
		}
		if line = draw(factor); off(line) < off(best) {
			best = line
		}
	}
	return best
}

// onlyStarted leaves cells that a timeline never starts out of durations: nothing
// bounds the plan by what it does not do.
func onlyStarted(durations []time.Duration, line *sequence.Timeline) {
	for c := range durations {
		if line.Start[c] == -1 {
			durations[c] = 0
		}
	}
}

// unfit says which cells of a timeline do not get their turn before the plan's
// window closes; "" when all do.
func (d *decision) unfit(plan *model.Plan, s *survey, line *sequence.Timeline) string {
	window, err := model.ParseWindow(plan.Window)
	if err != nil {
		return ""
	}
	opens := d.now
	if open, next := window.Open(opens); !open {
		opens = next
	}
	closes := window.Closes(opens)
	if closes.IsZero() {
		return ""
	}
	var late []string
	for c := range s.rolls {
		if line.Start[c] >= 0 && !d.now.Add(line.Start[c]).Before(closes) {
			late = append(late, s.problem.Cells[c].ID)
		}
	}
	if len(late) == 0 {
		return ""
	}
	_, again := window.Open(closes)
	return fmt.Sprintf("the plan does not fit the window, which closes %s: %s until %s", closes.Format(time.RFC1123), waitText(late), again.Format(time.RFC1123))
}

// waitText names the first of some cells that wait.
func waitText(cells []string) string {
	switch more := len(cells) - 1; more {
	case 0:
		return "cell " + cells[0] + " waits"
	case 1:
		return fmt.Sprintf("cells %s and %s wait", cells[0], cells[1])
	default:
		return fmt.Sprintf("cell %s and %d more wait", cells[0], more)
	}
}
