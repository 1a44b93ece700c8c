package main

import (
	"fmt"
	"time"

	"mooring/chart"
	"mooring/cli"
	"mooring/fleet"
)

// drawRun writes the timeline of a simulated plan into a file.
func drawRun(path string, f *fleet.Fleet, run *fleet.Run) error {
	s := &run.Summary
	bound := time.Duration(s.LowerBound * float64(time.Second))
	plan := &chart.Plan{
		Title: fmt.Sprintf("A simulated roll of %d cells", len(f.Cells)), Bound: bound, Expected: run.Timeline.Makespan,
		Facts: []chart.Fact{
			{Name: "takes", Value: run.Timeline.Makespan.Round(time.Second).String()},
			{Name: "bound", Value: bound.Round(time.Second).String(), Note: "no order is faster under these policies"},
			{Name: "bottleneck", Value: s.Bottleneck},
			{Name: "strategy", Value: s.Strategy},
		},
	}
	for c := range f.Cells {
		if from := run.Timeline.Start[c]; from >= 0 {
			plan.Rolls = append(plan.Rolls, chart.Roll{
				Cell: f.Cells[c].ID, AZ: f.Cells[c].AZ, Domain: fmt.Sprint("domain ", f.Cells[c].Domain), From: from, To: run.Timeline.End[c],
			})
		}
	}
	for _, id := range s.Never {
		plan.Never = append(plan.Never, chart.Never{Cell: id, Why: "an application on it allows no interruption"})
	}
	return cli.WriteChart(path, plan)
}
