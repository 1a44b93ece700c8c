package sequence

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// drawProblem draws a small problem of any shape.
func drawProblem(t *rapid.T) *Problem {
	p := &Problem{
		MaxInFlight: rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "ceiling"),
		Canaries:    rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "canaries"),
		AZSerial:    rapid.Bool().Draw(t, "serial"),
	}
	var moves []bool
	for a := range rapid.IntRange(0, 6).Draw(t, "apps") {
		app := App{Name: fmt.Sprintf("app-%d", a), Limit: rapid.SampledFrom([]int{1, 1, 2, 3, 0}).Draw(t, "limit")}
		p.Apps = append(p.Apps, app)
		moves = append(moves, rapid.IntRange(0, 4).Draw(t, "moves") == 0)
	}
	for c := range rapid.IntRange(0, 12).Draw(t, "cells") {
		cell := Cell{
			ID: fmt.Sprintf("cell-%d", c), AZ: rapid.IntRange(0, 2).Draw(t, "az"), Domain: rapid.IntRange(0, 3).Draw(t, "domain"),
			Expected: time.Duration(rapid.IntRange(0, 9).Draw(t, "minutes")) * time.Minute,
		}
		for a := range p.Apps {
			switch n := rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, "instances"); {
			case n == 0:
			case moves[a]:
				cell.Uses = append(cell.Uses, Moves(int32(a), n, p.Apps[a].Limit, 30*time.Second))
			default:
				cell.Uses = append(cell.Uses, Use{App: int32(a), N: int32(n)})
			}
		}
		p.Cells = append(p.Cells, cell)
	}
	return p
}

func drawFailures(t *rapid.T, cells int) []Failure {
	if cells == 0 {
		return nil
	}
	var failures []Failure
	for range rapid.IntRange(0, 3).Draw(t, "failures") {
		failures = append(failures, Failure{
			Cell: rapid.IntRange(0, cells-1).Draw(t, "failed"),
			At:   time.Duration(rapid.IntRange(0, 40).Draw(t, "at")) * 30 * time.Second,
			For:  time.Duration(rapid.IntRange(1, 40).Draw(t, "for")) * 30 * time.Second,
		})
	}
	return failures
}

// minutes is a window that is open for some minutes of every period, which
// began some time ago.
func minutes(open, period, ago int) Window {
	return func(at time.Duration) (bool, time.Duration) {
		since := (at + time.Duration(ago)*time.Minute) % (time.Duration(period) * time.Minute)
		return since < time.Duration(open)*time.Minute, at - since + time.Duration(period)*time.Minute
	}
}

// drawWindow draws a window, now open or not, or none.
func drawWindow(t *rapid.T) Window {
	if rapid.Bool().Draw(t, "always open") {
		return nil
	}
	period := rapid.IntRange(2, 40).Draw(t, "period")
	return minutes(rapid.IntRange(1, period-1).Draw(t, "open"), period, rapid.IntRange(0, period).Draw(t, "began"))
}
