package fleet

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decoder adds to the coming encoding/json/v2, which reads the file, what is
// special about fleets: it says which required key is missing and which 0 is a
// mistake, and passes over what others have noted in the file. A value of null
// is the same as one left out.
type decoder struct {
	passed map[string]*passed
	order  []*passed
}

// passed is a key that the format does not have, by the shape of its path.
type passed struct {
	first string
	times int
}

// options has the types of a fleet read as a fleet file has them.
func (d *decoder) options() json.Options {
	return json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(func(in *jsontext.Decoder, f *Fleet) error { return d.object(in, f.fields()) }),
		json.UnmarshalFromFunc(func(in *jsontext.Decoder, c *Cell) error { return d.object(in, c.fields()) }),
		json.UnmarshalFromFunc(func(in *jsontext.Decoder, a *App) error { return d.object(in, a.fields()) }),
		json.UnmarshalFromFunc(func(in *jsontext.Decoder, e *Failure) error { return d.object(in, e.fields()) }),
		json.UnmarshalFromFunc(whole[int]), json.UnmarshalFromFunc(whole[int64]),
		json.UnmarshalFromFunc(limit), json.UnmarshalFromFunc(domain), json.UnmarshalFromFunc(durations),
	))
}

// field is a key that an object may have and where its value goes.
type field struct {
	key      string
	into     any
	required bool
	zero     string // what is wrong with a 0, if it would be taken for a value left out
}

// object reads an object that has these fields.
func (d *decoder) object(in *jsontext.Decoder, fields []field) error {
	if in.PeekKind() != '{' {
		return misfit(in, "an object")
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != '}' {
		key, err := in.ReadToken()
		if err != nil {
			return err
		}
		field := find(fields, key.String())
		if field == nil {
			if err := d.unknown(in, fields, key.String()); err != nil {
				return err
			}
			continue
		}
		given := in.PeekKind() != 'n'
		if err := json.UnmarshalDecode(in, field.into); err != nil {
			return err
		}
		if given {
			field.required = false
			if field.zero != "" && reflect.ValueOf(field.into).Elem().IsZero() {
				return wrong(path(in.StackPointer()), "is 0, %s", field.zero)
			}
		}
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for i := range fields {
		if fields[i].required {
			return wrong(path(in.StackPointer().AppendToken(fields[i].key)), "it is missing")
		}
	}
	return nil
}

func find(fields []field, key string) *field {
	for i := range fields {
		if fields[i].key == key {
			return &fields[i]
		}
	}
	return nil
}

// unknown passes over the value of a key that the format does not have, unless
// one that it has was probably meant.
func (d *decoder) unknown(in *jsontext.Decoder, fields []field, key string) error {
	at := in.StackPointer()
	if meant := nearest(fields, key); meant != "" {
		return wrong(path(at), "unknown key; did you mean %s?", meant)
	}
	shape := shape(at)
	if d.passed[shape] == nil {
		d.passed[shape] = &passed{first: path(at)}
		d.order = append(d.order, d.passed[shape])
	}
	d.passed[shape].times++
	return in.SkipValue()
}

// warn tells of keys that were passed over, once for each shape of path.
func (d *decoder) warn(warn func(text string)) {
	for _, passed := range d.order {
		text := passed.first + ": not a key of the format; it is passed over"
		if passed.times > 1 {
			text += fmt.Sprintf(" (%d times in all)", passed.times)
		}
		warn(text)
	}
}

// misfit is the error of a value where something else belongs.
func misfit(in *jsontext.Decoder, want string) error {
	kind := in.PeekKind()
	if err := in.SkipValue(); err != nil {
		return err
	}
	return wrong(path(in.StackPointer()), "%s where %s belongs", kinds[kind], want)
}

// whole reads a whole number, which may be written as in 3.0 or 1e3.
func whole[T int | int64](in *jsontext.Decoder, into *T) error {
	n, err := integer(in, "a whole number")
	*into = T(n)
	return err
}

// exact is up to where every whole number has a float64 of its own.
const exact = 1 << 53

// integer reads a whole number, 0 for null.
func integer(in *jsontext.Decoder, want string) (int64, error) {
	switch in.PeekKind() {
	case 'n':
		return 0, in.SkipValue()
	case '0':
	default:
		return 0, misfit(in, want)
	}
	number, err := in.ReadToken()
	if err != nil {
		return 0, err
	}
	text := number.String()
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, wrong(path(in.StackPointer()), "%s is not a whole number, or too large", text)
	}
	return int64(f), nil
}

// limit reads a count or a share such as "25%".
func limit(in *jsontext.Decoder, into *Limit) error {
	if in.PeekKind() != '"' {
		n, err := integer(in, `a count or a share such as "25%"`)
		into.Count = int(n)
		return err
	}
	share, err := in.ReadToken()
	if err != nil {
		return err
	}
	if err := into.UnmarshalText([]byte(share.String())); err != nil {
		return wrong(path(in.StackPointer()), "%w", err)
	}
	return nil
}

// durations reads seconds by cell; a cell that has null has none.
func durations(in *jsontext.Decoder, into *map[string]float64) error {
	var by map[string]*float64
	if err := json.UnmarshalDecode(in, &by); err != nil || by == nil {
		return err
	}
	*into = make(map[string]float64, len(by))
	for cell, s := range by {
		if s != nil {
			(*into)[cell] = *s
		}
	}
	return nil
}
