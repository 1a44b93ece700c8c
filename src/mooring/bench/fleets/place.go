package fleets

import (
	"fmt"
	"io"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"mooring/fleet/generate"
)

// Place writes how fast dense fleets are placed, what the index takes, and how
// even the load is.
func Place(cells, seeds int, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "cells\tinstances\tplacements/s\tper CPU second\tbytes/instance\tload spread MB\tlargest MB\tsoft constraints broken\t")
	for seed := range seeds {
		f := generate.Families(cells, generate.Unknown)[1].Fleet(uint64(seed + 1))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start, cpu := time.Now(), cpuTime()
		placed, err := f.Place()
		if err != nil {
			return err
		}
		took, worked := time.Since(start), cpuTime()-cpu
		names := make([][]string, len(f.Apps)) // what the fleet itself keeps is not the index's
		for a := range f.Apps {
			names[a], f.Apps[a].Cells = f.Apps[a].Cells, make([]string, 0)
		}
		load := map[string]int64{}
		var largest int64
		for a := range f.Apps {
			largest = max(largest, f.Apps[a].MemoryMB)
			for _, cell := range names[a] {
				load[cell] += f.Apps[a].MemoryMB
			}
		}
		low, high := int64(1<<60), int64(0)
		for _, cell := range f.Cells {
			low, high = min(low, load[cell.ID]), max(high, load[cell.ID])
		}
		clear(load)
		runtime.GC()
		runtime.ReadMemStats(&after)
		broken := 0
		for _, n := range placed.Broken {
			broken += n
		}
		fmt.Fprintf(out, "%d\t%d\t%.0f\t%.0f\t%.0f\t%d\t%d\t%d\t\n", cells, placed.Instances, float64(placed.Instances)/took.Seconds(), float64(placed.Instances)/worked.Seconds(),
			float64(after.HeapAlloc-before.HeapAlloc)/float64(placed.Instances), high-low, largest, broken)
		out.Flush()
		runtime.KeepAlive(placed)
	}
	return nil
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
