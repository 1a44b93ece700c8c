package fleets

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"mooring/fleet"
	"mooring/fleet/generate"
	"mooring/placement"
)

// Place writes how fast dense fleets are placed, what the index takes, and how
// even the load is.
func Place(cells, seeds int, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "cells\tplaced\tinstances\tplacements/s\tper CPU second\tbytes/instance\tload spread MB\tof 99 %\tlargest MB\tsoft constraints broken\t")
	for at := range 2 * seeds {
		seed, way := at/2, ways[at%2]
		f := generate.Dense(cells, generate.Unknown).Fleet(uint64(seed + 1))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start, cpu := time.Now(), cpuTime()
		placed, err := way.place(f, uint64(seed+1), placement.DefaultDomains)
		if err != nil {
			return err
		}
		took, worked := time.Since(start), cpuTime()-cpu
		spread, most, largest := evenness(f)
		for a := range f.Apps { // what the fleet itself keeps is not the index's
			f.Apps[a].Cells = nil
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		broken := 0
		for _, n := range placed.Broken {
			broken += n
		}
		fmt.Fprintf(out, "%d\t%s\t%d\t%.0f\t%.0f\t%.0f\t%d\t%d\t%d\t%d\t\n", cells, way.name, placed.Instances, float64(placed.Instances)/took.Seconds(), float64(placed.Instances)/worked.Seconds(),
			float64(after.HeapAlloc-before.HeapAlloc)/float64(placed.Instances), spread, most, largest, broken)
		out.Flush()
		runtime.KeepAlive(placed)
	}
	return nil
}

// evenness gives by how much the fullest cell is fuller than the emptiest, the
// same without the half percent at either end, and the largest request, in MB.
func evenness(f *fleet.Fleet) (spread, most, largest int64) {
	load := map[string]int64{}
	for a := range f.Apps {
		largest = max(largest, f.Apps[a].MemoryMB)
		for _, cell := range f.Apps[a].Cells {
			load[cell] += f.Apps[a].MemoryMB
		}
	}
	loads := make([]int64, len(f.Cells))
	for c := range f.Cells {
		loads[c] = load[f.Cells[c].ID]
	}
	slices.Sort(loads)
	ends, last := len(loads)/200, len(loads)-1
	return loads[last] - loads[0], loads[last-ends] - loads[ends], largest
}

// cpuTime is what this process has worked so far: the figure that other load on
// the machine disturbs least.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
