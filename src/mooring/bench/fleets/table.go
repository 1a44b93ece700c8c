package fleets

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"mooring/fleet/generate"
)

// line writes the medians of some results and gives their breaches.
func line(out *tabwriter.Writer, family generate.Family, way way, results []result) int {
	median := func(of func(r result) float64) float64 {
		values := make([]float64, len(results))
		for i, r := range results {
			values[i] = of(r)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	worst, breaches := 0.0, 0
	for _, r := range results {
		worst = max(worst, r.ratio)
		breaches += r.breaches
	}
	fmt.Fprintf(out, "%d\t%s\t%d\t%s\t%s\t%.3f\t%.3f", family.Cells, family.Name, family.PerCell, way.name, estimates(family.Error), median(func(r result) float64 { return r.ratio }), worst)
	for _, column := range []struct {
		format string
		of     func(r result) float64
		shown  bool
	}{
		{"%.2f", func(r result) float64 { return r.attainable }, way.random && family.Plain()},
		{"%.0f", func(r result) float64 { return r.bound }, true},
		{"%.0f", func(r result) float64 { return r.ours }, true},
		{"%.0f", func(r result) float64 { return r.failing }, true},
		{"%.0f", func(r result) float64 { return r.inOrder }, family.Plain()},
		{"%.0f", func(r result) float64 { return r.threads }, family.Plain()},
		{"%.0f", func(r result) float64 { return r.waves }, family.Plain()},
		{"%.0f", func(r result) float64 { return r.fifo }, family.Plain()},
		{"%.1f", func(r result) float64 { return r.inOrder / r.ours }, family.Plain()},
		{"%.1f", func(r result) float64 { return r.inOrderRandom / r.ours }, family.Plain()},
		{"%.0f", func(r result) float64 { return r.planMS }, true},
		{"%.0f", func(r result) float64 { return r.p50 }, true},
		{"%.0f", func(r result) float64 { return r.p99 }, true},
	} {
		text := "-"
		if column.shown {
			text = fmt.Sprintf(column.format, median(column.of))
		}
		fmt.Fprint(out, "\t", text)
	}
	fmt.Fprintf(out, "\t%d\t%s\t\n", breaches, results[len(results)-1].strategy)
	return breaches
}

// estimates gives the error of a family's estimates in words.
func estimates(off float64) string {
	switch off {
	case 0:
		return "known"
	case generate.Unknown:
		return "unknown"
	}
	return fmt.Sprintf("±%.0f%%", off*100)
}
