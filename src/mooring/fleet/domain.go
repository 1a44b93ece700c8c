package fleet

import (
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"mooring/placement"
)

// Domain is the update domain of a cell, which a fleet file names by a number or
// a text. The zero value is not chosen yet.
type Domain struct {
	name   string // "" if a number
	number int
	given  bool
}

// Numbered gives the domain of a number.
func Numbered(n int) Domain { return Domain{number: n, given: true} }

// Given tells whether the domain is chosen.
func (d Domain) Given() bool { return d.given }

// String gives the domain as it is written, "" if it is not chosen.
func (d Domain) String() string {
	if d.given && d.name == "" {
		return strconv.Itoa(d.number)
	}
	return d.name
}

// MarshalJSON writes a domain as it was read.
func (d Domain) MarshalJSON() ([]byte, error) {
	if d.name != "" {
		return json.Marshal(d.name)
	}
	return json.Marshal(d.number)
}

// farthest is how far from 0 the number of a domain may be.
const farthest = 1_000_000

func domain(in *jsontext.Decoder, into *Domain) error {
	switch in.PeekKind() {
	case 'n':
		return in.SkipValue()
	case '"':
		name, err := in.ReadToken()
		if err != nil {
			return err
		}
		*into = Domain{name: name.String(), given: true}
		if into.name == "" {
			return wrong(path(in.StackPointer()), "it is empty")
		}
		return nil
	}
	n, err := integer(in, "a number or a string")
	if err == nil && max(n, -n) > farthest {
		err = wrong(path(in.StackPointer()), "%d is too far from 0", n)
	}
	*into = Numbered(int(n))
	return err
}

// numbering gives the domains of a fleet the numbers from 1 that placement and
// planning want: numbers stay what they are, moved up if they begin below 1;
// texts are numbered in the order in which cells name them first, and a number
// among texts counts as one.
type numbering struct {
	shift int
	named []Domain // by number less 1; nil where all are numbers
	of    map[string]int
}

func (f *Fleet) numbering() *numbering {
	n := &numbering{}
	least, texts := 1, false
	for c := range f.Cells {
		if d := f.Cells[c].Domain; d.name != "" {
			texts = true
		} else if d.Given() {
			least = min(least, d.number)
		}
	}
	n.shift = 1 - least
	if !texts {
		return n
	}
	n.of = map[string]int{}
	for c := range f.Cells {
		d := f.Cells[c].Domain
		if _, known := n.of[d.String()]; !known && d.Given() {
			n.named = append(n.named, d)
			n.of[d.String()] = len(n.named)
		}
	}
	return n
}

// number gives the number of a domain, 0 for one that is not chosen.
func (n *numbering) number(d Domain) int {
	switch {
	case !d.Given():
		return 0
	case n.named != nil:
		return n.of[d.String()]
	}
	return d.number + n.shift
}

// domain is the inverse of number.
func (n *numbering) domain(number int) Domain {
	if n.named != nil {
		return n.named[number-1]
	}
	return Numbered(number - n.shift)
}

// at gives the seat of a cell.
func (n *numbering) at(c *Cell) placement.Seat {
	return placement.Seat{Domain: n.number(c.Domain), Column: c.Column}
}

// seat gives a cell its seat.
func (n *numbering) seat(c *Cell, s placement.Seat) {
	c.Domain, c.Column = n.domain(s.Domain), s.Column
}
