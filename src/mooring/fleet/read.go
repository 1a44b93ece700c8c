package fleet

import (
	"io"

	"github.com/go-json-experiment/json"
)

// Read reads one fleet file and checks it. Every error is a *PathError. warn is
// told of keys that are not of the format, which are passed over.
func Read(r io.Reader, warn func(text string)) (*Fleet, error) {
	f, d := &Fleet{}, &decoder{passed: map[string]*passed{}}
	if err := json.UnmarshalRead(r, f, d.options()); err != nil {
		return nil, misread(err)
	}
	d.warn(warn)
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return f, nil
}

// What is wrong with a 0 that would be taken for a value left out.
var (
	noRoll = "with which no cell would ever roll; leave it out for no ceiling"
	noRoom = "with which nothing fits the cell; leave it out for no limit"
	noMove = "but a move takes some time; leave it out for " + Move.String()
)

func (f *Fleet) fields() []field {
	return []field{
		{key: "cells", into: &f.Cells, required: true},
		{key: "apps", into: &f.Apps, required: true},
		{key: "rolls", into: &f.Rolls},
		{key: "estimates", into: &f.Estimates},
		{key: "max_in_flight", into: &f.MaxInFlight, zero: noRoll},
		{key: "canaries", into: &f.Canaries},
		{key: "az_serial", into: &f.AZSerial},
		{key: "move_s", into: &f.MoveS, zero: noMove},
		{key: "failures", into: &f.Failures},
	}
}

func (c *Cell) fields() []field {
	return []field{
		{key: "id", into: &c.ID, required: true},
		{key: "az", into: &c.AZ, required: true},
		{key: "domain", into: &c.Domain},
		{key: "column", into: &c.Column},
		{key: "memory_mb", into: &c.MemoryMB, zero: noRoom},
		{key: "disk_mb", into: &c.DiskMB, zero: noRoom},
	}
}

func (a *App) fields() []field {
	return []field{
		{key: "name", into: &a.Name, required: true},
		{key: "instances", into: &a.Instances, required: true},
		{key: "max_interrupted", into: &a.MaxInterrupted, required: true},
		{key: "kind", into: (*string)(&a.Kind), required: true},
		{key: "memory_mb", into: &a.MemoryMB},
		{key: "disk_mb", into: &a.DiskMB},
		{key: "move_s", into: &a.MoveS, zero: noMove},
		{key: "cells", into: &a.Cells},
	}
}

func (e *Failure) fields() []field {
	return []field{
		{key: "cell", into: &e.Cell, required: true},
		{key: "at_s", into: &e.At, required: true},
		{key: "for_s", into: &e.For, required: true},
	}
}
