package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// PathError is what is wrong with a fleet file, and where.
type PathError struct {
	Path string // as in "apps[3].cells[0]"; "" for the whole file
	Err  error
}

func (e *PathError) Error() string {
	if e.Path == "" {
		return "fleet: " + e.Err.Error()
	}
	return "fleet: " + e.Path + ": " + e.Err.Error()
}

func (e *PathError) Unwrap() error { return e.Err }

func wrong(path, format string, args ...any) error {
	return &PathError{path, fmt.Errorf(format, args...)}
}

// Read reads one fleet file and checks it. Every error is a *PathError.
func Read(r io.Reader) (*Fleet, error) {
	f := &Fleet{}
	d := &decoder{Decoder: json.NewDecoder(bufio.NewReaderSize(r, 1<<20))}
	err := d.object("", func(key string) error {
		switch key {
		case "cells":
			return list(d, key, &f.Cells)
		case "apps":
			return list(d, key, &f.Apps)
		case "failures":
			return list(d, key, &f.Failures)
		case "rolls":
			return d.durations(key, &f.Rolls)
		case "estimates":
			return d.durations(key, &f.Estimates)
		case "max_in_flight":
			return d.value(key, &f.MaxInFlight)
		case "canaries":
			return d.value(key, &f.Canaries)
		case "az_serial":
			return d.value(key, &f.AZSerial)
		case "move_s":
			return d.value(key, &f.MoveS)
		}
		var ignored json.RawMessage
		return d.value(key, &ignored)
	})
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong("", "something follows the fleet at byte %d", d.InputOffset())
	}
	return f, f.Validate()
}

// decoder walks a file so that every error has its path.
type decoder struct{ *json.Decoder }

// fail wraps an error of the JSON package. Truncation is called by its name.
func (d *decoder) fail(path string, err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the file ends here, at byte %d: it is truncated", d.InputOffset())
	case errors.As(err, &kind):
		if kind.Field != "" {
			path = strings.TrimPrefix(path+"."+kind.Field, ".")
		}
		err = fmt.Errorf("a %s where a value of type %s belongs", kind.Value, kind.Type)
	}
	return &PathError{path, err}
}

func (d *decoder) value(path string, into any) error {
	if err := d.Decode(into); err != nil {
		return d.fail(path, err)
	}
	return nil
}

func (d *decoder) open(path string, want json.Delim) (empty bool, err error) {
	token, err := d.Token()
	switch {
	case err != nil:
		return false, d.fail(path, err)
	case token == nil:
		return true, nil
	case token != want:
		return false, wrong(path, "%v where %v belongs", token, want)
	}
	return false, nil
}

func (d *decoder) shut(path string) error {
	if _, err := d.Token(); err != nil {
		return d.fail(path, err)
	}
	return nil
}

// object calls field for each key, which must read the value.
func (d *decoder) object(path string, field func(key string) error) error {
	null, err := d.open(path, '{')
	if err != nil || null {
		return err
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return d.fail(path, err)
		}
		if err := field(token.(string)); err != nil {
			return err
		}
	}
	return d.shut(path)
}

// durations reads seconds by cell; a cell that is there twice is a mistake.
func (d *decoder) durations(path string, into *map[string]float64) error {
	*into = map[string]float64{}
	return d.object(path, func(cell string) error {
		at := fmt.Sprintf("%s[%q]", path, cell)
		if _, twice := (*into)[cell]; twice {
			return wrong(at, "the cell is listed twice")
		}
		var s float64
		if err := d.value(at, &s); err != nil {
			return err
		}
		(*into)[cell] = s
		return nil
	})
}

func list[T any](d *decoder, path string, into *[]T) error {
	null, err := d.open(path, '[')
	if err != nil || null {
		return err
	}
	*into = nil
	for d.More() {
		var item T
		if err := d.value(fmt.Sprintf("%s[%d]", path, len(*into)), &item); err != nil {
			return err
		}
		*into = append(*into, item)
	}
	return d.shut(path)
}
