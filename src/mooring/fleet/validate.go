package fleet

import (
	"fmt"
	"math"
	"slices"

	"mooring/model"
)

// longest is the longest time a fleet file may name, in seconds: ten years.
const longest = 10 * 366 * 24 * 3600

// Validate says what is wrong with a fleet and where, as a *PathError.
func (f *Fleet) Validate() error {
	cells, err := f.checkCells()
	if err != nil {
		return err
	}
	if err := f.checkApps(cells); err != nil {
		return err
	}
	for _, m := range []struct {
		path string
		by   map[string]float64
	}{{"rolls", f.Rolls}, {"estimates", f.Estimates}} {
		if err := checkTimes(m.path, m.by, cells); err != nil {
			return err
		}
	}
	for i, failure := range f.Failures {
		path := fmt.Sprintf("failures[%d]", i)
		if _, known := cells[failure.Cell]; !known {
			return wrong(path+".cell", "unknown cell %q", failure.Cell)
		}
		if err := checkTime(path+".at_s", failure.At); err != nil {
			return err
		}
		if err := checkTime(path+".for_s", failure.For); err != nil {
			return err
		}
	}
	if f.Canaries < 0 {
		return wrong("canaries", "%d is negative", f.Canaries)
	}
	return checkTime("move_s", f.MoveS)
}

// checkCells gives the position of each cell by its ID.
func (f *Fleet) checkCells() (map[string]int, error) {
	cells := make(map[string]int, len(f.Cells))
	if len(f.Cells) == 0 {
		return nil, wrong("cells", "there are none")
	}
	for i := range f.Cells {
		cell, path := &f.Cells[i], func(field string) string { return fmt.Sprintf("cells[%d].%s", i, field) }
		if cell.ID == "" {
			return nil, wrong(path("id"), "it is missing")
		}
		if first, twice := cells[cell.ID]; twice {
			return nil, wrong(path("id"), "duplicate %q, which cells[%d] has already", cell.ID, first)
		}
		cells[cell.ID] = i
		switch {
		case cell.AZ == "":
			return nil, wrong(path("az"), "it is missing")
		case cell.Column < 0:
			return nil, wrong(path("column"), "%d is negative", cell.Column)
		case cell.Column > 0 && !cell.Domain.Given():
			return nil, wrong(path("column"), "it is given, but no domain")
		}
		if err := checkSize(path("memory_mb"), cell.MemoryMB); err != nil {
			return nil, err
		}
		if err := checkSize(path("disk_mb"), cell.DiskMB); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

func (f *Fleet) checkApps(cells map[string]int) error {
	names := make(map[string]int, len(f.Apps))
	var memory, disk int64
	for i := range f.Apps {
		app, path := &f.Apps[i], func(field string) string { return fmt.Sprintf("apps[%d].%s", i, field) }
		if app.Name == "" {
			return wrong(path("name"), "it is missing")
		}
		if first, twice := names[app.Name]; twice {
			return wrong(path("name"), "duplicate %q, which apps[%d] has already", app.Name, first)
		}
		names[app.Name] = i
		switch {
		case app.Instances < 0:
			return wrong(path("instances"), "%d is negative", app.Instances)
		case app.Instances > len(f.Cells):
			return wrong(path("instances"), "%d instances, but the fleet has only %d cells", app.Instances, len(f.Cells))
		case !slices.Contains([]Kind{Fixed, Floating, None}, app.Kind):
			return wrong(path("kind"), "%q is not fixed, floating or none", app.Kind)
		case app.MaxInterrupted.Count < 0:
			return wrong(path("max_interrupted"), "%d is negative", app.MaxInterrupted.Count)
		case app.Cells != nil && len(app.Cells) != app.Instances:
			return wrong(path("cells"), "%d cells for %d instances", len(app.Cells), app.Instances)
		}
		if err := checkSum(path("memory_mb"), app.Instances, app.MemoryMB, &memory); err != nil {
			return err
		}
		if err := checkSum(path("disk_mb"), app.Instances, app.DiskMB, &disk); err != nil {
			return err
		}
		if err := checkTime(path("move_s"), app.MoveS); err != nil {
			return err
		}
		for index, id := range app.Cells {
			if _, known := cells[id]; !known {
				return wrong(path(fmt.Sprintf("cells[%d]", index)), "unknown cell %q", id)
			}
		}
	}
	return nil
}

// most is how many megabytes can be counted in bytes.
const most = math.MaxInt64 / int64(model.Megabyte)

func checkSize(path string, mb int64) error {
	switch {
	case mb < 0:
		return wrong(path, "%d is negative", mb)
	case mb > most:
		return wrong(path, "%d MB are more than can be counted", mb)
	}
	return nil
}

// checkSum adds what the instances of an app ask for to the sum of those before.
func checkSum(path string, instances int, mb int64, sum *int64) error {
	if err := checkSize(path, mb); err != nil || mb == 0 {
		return err
	}
	if int64(instances) > (most-*sum)/mb {
		return wrong(path, "%d times %d MB, and what other apps ask for, are more than can be counted", instances, mb)
	}
	*sum += int64(instances) * mb
	return nil
}

func checkTimes(path string, by map[string]float64, cells map[string]int) error {
	for id, s := range by {
		at := fmt.Sprintf("%s[%q]", path, id)
		if _, known := cells[id]; !known {
			return wrong(at, "unknown cell")
		}
		if err := checkTime(at, s); err != nil {
			return err
		}
	}
	return nil
}

func checkTime(path string, s float64) error {
	switch {
	case s < 0:
		return wrong(path, "%v seconds is negative", s)
	case s > longest || math.IsNaN(s):
		return wrong(path, "%v seconds is no time anything takes", s)
	}
	return nil
}
