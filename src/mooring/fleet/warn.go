package fleet

import (
	"fmt"
	"maps"
	"slices"

	"mooring/sequence"
)

// warn tells what was accepted and deserves a second look.
func (f *Fleet) warn(placed *Placed, warn func(text string)) {
	var unseen []int // apps whose disk is not looked at
	for a := range f.Apps {
		if app := &f.Apps[a]; app.Kind == Floating && app.DiskMB > 0 {
			unseen = append(unseen, a)
		}
	}
	if n := len(unseen); n > 0 {
		warn(fmt.Sprintf("disk_mb of %s is not looked at (first apps[%d], %s): floating volumes are not on the disks of cells",
			count(n, "app"), unseen[0], f.Apps[unseen[0]].Name))
	}
	if n := len(placed.Overfull); n > 0 {
		warn(fmt.Sprintf("the file itself places more than fits on %s (first %s)", count(n, "cell"), placed.Overfull[0]))
	}
	for _, soft := range slices.Sorted(maps.Keys(placed.Broken)) {
		n, are := placed.Broken[soft], "are not where they should be"
		if n == 1 {
			are = "is not where it should be"
		}
		warn(fmt.Sprintf("%s %s (first %s): %s", count(n, "instance"), are, placed.First[soft], soft))
	}
}

// warnUnrolled tells of cells of which nobody said how long their roll takes.
func (f *Fleet) warnUnrolled(warn func(text string)) {
	var unrolled []string
	for c := range f.Cells {
		id := f.Cells[c].ID
		if _, rolls := f.Rolls[id]; !rolls {
			unrolled = append(unrolled, id)
		}
	}
	if n := len(unrolled); f.Rolls != nil && n > 0 {
		warn(fmt.Sprintf("%d of %d cells are not in rolls and will not be rolled (first %s)", n, len(f.Cells), unrolled[0]))
	}
}

// Warn tells of cells that were not rolled because an app forbids it.
func (run *Run) Warn(warn func(text string)) {
	if len(run.Summary.Never) == 0 {
		return
	}
	first := sequence.Nevers(run.Problem)[0]
	warn(fmt.Sprintf("%s can never roll (first %s: %s has %s on it, and %d may be away)",
		count(len(run.Summary.Never), "cell"), run.Problem.Cells[first.Cell].ID, run.Problem.Apps[first.App].Name, count(first.Instances, "instance"), first.Limit))
}

// count gives a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
