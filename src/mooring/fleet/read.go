package fleet

import (
	"fmt"
	"io"
)

// PathError is what is wrong with a fleet file, and where.
type PathError struct {
	Path string // as in "apps[3].cells[0]"; "" for the whole file
	Err  error
}

func (e *PathError) Error() string {
	path := e.Path
	if path == "" {
		path = "$"
	}
	return "fleet: " + path + ": " + e.Err.Error()
}

func (e *PathError) Unwrap() error { return e.Err }

func wrong(path, format string, args ...any) error {
	return &PathError{path, fmt.Errorf(format, args...)}
}

// The keys of the objects of a fleet file.
var (
	fleetKeys = keys{2, []string{"cells", "apps", "rolls", "estimates", "max_in_flight", "canaries", "az_serial", "move_s", "failures"}}
	cellKeys  = keys{2, []string{"id", "az", "domain", "column", "memory_mb", "disk_mb"}}
	appKeys   = keys{4, []string{"name", "instances", "max_interrupted", "kind", "memory_mb", "disk_mb", "move_s", "cells"}}
	failKeys  = keys{3, []string{"cell", "at_s", "for_s"}}
)

// Read reads one fleet file and checks it. Every error is a *PathError.
func Read(r io.Reader) (*Fleet, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, wrong("", "%w", err)
	}
	f, d := &Fleet{}, &decoder{scanner{data: data}}
	if err := d.object(&fleetKeys, func(key string) error { return d.fleet(key, f) }); err != nil {
		return nil, err
	}
	if d.null {
		return nil, wrong("", "null where an object belongs")
	}
	if d.peek(); d.at < len(data) {
		return nil, wrong("", "something follows the fleet at byte %d", d.at)
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return f, nil
}

func (d *decoder) fleet(key string, f *Fleet) error {
	switch key {
	case "cells":
		return list(d, &f.Cells, func(c *Cell) error {
			return d.object(&cellKeys, func(key string) error { return d.cell(key, c) })
		})
	case "apps":
		return list(d, &f.Apps, func(a *App) error {
			return d.object(&appKeys, func(key string) error { return d.app(key, a) })
		})
	case "failures":
		return list(d, &f.Failures, func(e *Failure) error {
			return d.object(&failKeys, func(key string) error { return d.failure(key, e) })
		})
	case "rolls":
		return d.durations(&f.Rolls)
	case "estimates":
		return d.durations(&f.Estimates)
	case "max_in_flight":
		return d.ceiling(&f.MaxInFlight)
	case "canaries":
		return whole(d, &f.Canaries)
	case "az_serial":
		return d.flag(&f.AZSerial)
	}
	return d.move(&f.MoveS)
}

func (d *decoder) cell(key string, c *Cell) error {
	switch key {
	case "id":
		return d.word(&c.ID)
	case "az":
		return d.word(&c.AZ)
	case "domain":
		return d.domain(&c.Domain)
	case "column":
		return whole(d, &c.Column)
	case "memory_mb":
		return d.capacity(&c.MemoryMB)
	}
	return d.capacity(&c.DiskMB)
}

func (d *decoder) app(key string, a *App) error {
	switch key {
	case "name":
		return d.word(&a.Name)
	case "instances":
		return whole(d, &a.Instances)
	case "max_interrupted":
		return d.limit(&a.MaxInterrupted)
	case "kind":
		return d.word((*string)(&a.Kind))
	case "memory_mb":
		return whole(d, &a.MemoryMB)
	case "disk_mb":
		return whole(d, &a.DiskMB)
	case "move_s":
		return d.move(&a.MoveS)
	}
	return list(d, &a.Cells, d.word)
}

func (d *decoder) failure(key string, e *Failure) error {
	switch key {
	case "cell":
		return d.word(&e.Cell)
	case "at_s":
		return d.seconds(&e.At)
	}
	return d.seconds(&e.For)
}

// The readers below refuse a 0 that would be taken for a value left out.

func (d *decoder) ceiling(into *Limit) error {
	if err := d.limit(into); err != nil || d.null || !into.Never() {
		return err
	}
	return d.wrong("is 0, with which no cell would ever roll; leave it out for no ceiling")
}

func (d *decoder) capacity(into *int64) error {
	if err := whole(d, into); err != nil || d.null || *into != 0 {
		return err
	}
	return d.wrong("is 0, with which nothing fits the cell; leave it out for no limit")
}

func (d *decoder) move(into *float64) error {
	if err := d.seconds(into); err != nil || d.null || *into != 0 {
		return err
	}
	return d.wrong("is 0, but a move takes some time; leave it out for %v", Move)
}
