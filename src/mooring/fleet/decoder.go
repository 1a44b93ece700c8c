package fleet

import (
	"math"
	"slices"
	"strconv"
)

// decoder reads the values of a fleet file. A value of null is the same as one
// left out.
type decoder struct{ scanner }

// keys are those that an object may have; the first so many it must have.
type keys struct {
	required int
	names    []string
}

// object calls read for each key, which must read its value. A key that is not
// known, is there twice, or is missing is an error.
func (d *decoder) object(k *keys, read func(key string) error) error {
	var seen, given uint
	err := d.each("{", "}", "an object", func() error {
		at, err := d.key(k)
		if err != nil {
			return err
		}
		if seen&(1<<at) != 0 {
			return d.wrong("it is there twice")
		}
		if err := read(k.names[at]); err != nil {
			return err
		}
		d.leave()
		if seen |= 1 << at; !d.null {
			given |= 1 << at
		}
		return nil
	})
	if err != nil || d.null {
		return err
	}
	for at, key := range k.names[:k.required] {
		if given&(1<<at) == 0 {
			d.enter(step{name: key})
			return d.wrong("it is missing")
		}
	}
	return nil
}

// key reads a key and enters it.
func (d *decoder) key(k *keys) (at int, err error) {
	from := d.at
	raw, plain, err := d.quoted()
	if err != nil {
		return 0, err
	}
	at = -1
	if plain {
		at = slices.IndexFunc(k.names, func(name string) bool { return name == string(raw) })
	}
	if at < 0 {
		d.at = from
		name, err := d.text() // written with escapes, or unknown
		if err != nil {
			return 0, err
		}
		if at = slices.Index(k.names, name); at < 0 {
			d.enter(step{name: name})
			return 0, d.wrong("unknown key; %s", k.suggest(name))
		}
	}
	d.enter(step{name: k.names[at]})
	return at, d.colon()
}

func (d *decoder) colon() error {
	if !d.skip(":") {
		return d.misfit(`":"`)
	}
	return nil
}

// list reads a list, item by item.
func list[T any](d *decoder, into *[]T, read func(item *T) error) error {
	items := []T{}
	err := d.each("[", "]", "a list", func() error {
		var item T
		d.enter(step{index: len(items)})
		if err := read(&item); err != nil {
			return err
		}
		if d.null {
			return d.wrong("null where an entry belongs")
		}
		d.leave()
		items = append(items, item)
		return nil
	})
	if err == nil && !d.null {
		*into = items
	}
	return err
}

// durations reads seconds by cell; a cell that is there twice is a mistake.
func (d *decoder) durations(into *map[string]float64) error {
	by := map[string]float64{}
	err := d.each("{", "}", "an object", func() error {
		cell, err := d.text()
		if err != nil {
			return err
		}
		d.enter(step{name: cell, cell: true})
		if _, twice := by[cell]; twice {
			return d.wrong("the cell is listed twice")
		}
		if err := d.colon(); err != nil {
			return err
		}
		var s float64
		if err := d.seconds(&s); err != nil {
			return err
		}
		d.leave()
		if !d.null {
			by[cell] = s
		}
		return nil
	})
	if err == nil && !d.null {
		*into = by
	}
	return err
}

func (d *decoder) word(into *string) (err error) {
	if d.nothing() {
		return nil
	}
	*into, err = d.text()
	return err
}

func (d *decoder) flag(into *bool) error {
	if d.nothing() {
		return nil
	}
	if *into = d.skip("true"); *into || d.skip("false") {
		return nil
	}
	return d.misfit("true or false")
}

func (d *decoder) seconds(into *float64) error {
	if d.nothing() {
		return nil
	}
	raw, err := d.number("a number of seconds")
	if err != nil {
		return err
	}
	if *into, err = strconv.ParseFloat(string(raw), 64); err != nil {
		return d.wrong("%s seconds is no time anything takes", raw)
	}
	return nil
}

// whole reads a whole number, which may be written as in 3.0 or 1e3.
func whole[T int | int64](d *decoder, into *T) error {
	if d.nothing() {
		return nil
	}
	n, err := d.integer("a whole number")
	*into = T(n)
	return err
}

// exact is up to where every whole number has a float64 of its own.
const exact = 1 << 53

func (d *decoder) integer(want string) (int64, error) {
	raw, err := d.number(want)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, d.wrong("%s is not a whole number, or too large", raw)
	}
	return int64(f), nil
}

// limit reads a count or a share such as "25%".
func (d *decoder) limit(into *Limit) error {
	if d.nothing() {
		return nil
	}
	if d.peek() == '"' {
		text, err := d.text()
		if err == nil {
			if err = into.UnmarshalText([]byte(text)); err != nil {
				err = &PathError{d.where(), err}
			}
		}
		return err
	}
	n, err := d.integer(`a count or a share such as "25%"`)
	into.Count = int(n)
	return err
}
