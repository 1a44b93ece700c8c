package placement

import (
	"strings"

	"mooring/model"
)

// Request asks for a place for one member of a group.
type Request struct {
	Group GroupNo
	Index int
	// Of is how many members the group is to have; 0 when nobody knows.
	Of int
	// Pool that the cell must be in; "" is model.DefaultPool.
	Pool   string
	Memory model.Size
	// Disks the cell must have room for. The first is taken with the place;
	// what else is listed the caller puts there in its own group. A floating
	// class only has to be within the cell's reach.
	Disks []Disk
	// Domains spreads over update domains too; for what will stay.
	Domains bool
	// AZ, if any, is the only one that will do.
	AZ string
	// Only, if any, is the only cell that will do, Avoid the one that will not.
	Only, Avoid CellNo
	// Bound is set for a member whose data is on the cell already: one that is
	// leaving will do.
	Bound bool
}

// Soft is a set of soft constraints that gave way because nothing else fit.
type Soft uint8

// The soft constraints.
const (
	SharedCell   Soft = 1 << iota // another member of the group is on the cell
	UnevenAZ                      // an AZ with fewer members could not take it
	UnevenDomain                  // a domain of the AZ with fewer members could not take it
)

// String says what gave way, for people; "" for nothing.
func (s Soft) String() string {
	var said []string
	for _, c := range []struct {
		soft Soft
		text string
	}{
		{SharedCell, "it shares its cell with another of its set: no other cell can take it"},
		{UnevenAZ, "an AZ that has fewer of its set cannot take it"},
		{UnevenDomain, "an update domain that has fewer of its set cannot take it"},
	} {
		if s&c.soft != 0 {
			said = append(said, c.text)
		}
	}
	return strings.Join(said, "; ")
}

// Result is where a member was placed.
type Result struct {
	Cell CellNo // 0 from PlaceAZ
	AZ   string
	// Broken says which soft constraints gave way.
	Broken Soft
}

// need is a request in numbers.
type need struct {
	memory int64
	disks  []claim
	avoid  CellNo
	bound  bool
}

// claim is an amount of one resource.
type claim struct {
	resource int
	size     int64
}

// fits tells whether a row of free resources covers the need.
func (n *need) fits(free []int64) bool {
	if free[0] < n.memory {
		return false
	}
	for i := range n.disks {
		if d := &n.disks[i]; free[d.resource] < d.size {
			return false
		}
	}
	return true
}

// need puts a request in numbers, in scratch memory that the next call reuses;
// false when no cell offers one of its classes.
func (x *Index) need(r *Request) (need, bool) {
	n := need{memory: int64(r.Memory), disks: x.scratch[:0], avoid: r.Avoid, bound: r.Bound}
	for i := range r.Disks {
		c := claim{resource: x.resource(r.Disks[i].Class), size: int64(r.Disks[i].Size)}
		if c.resource < 0 {
			return n, false
		}
		if x.classes[c.resource-1].Floating {
			c.size = 0
		}
		n.disks = append(n.disks, c)
	}
	x.scratch = n.disks
	return n, true
}
