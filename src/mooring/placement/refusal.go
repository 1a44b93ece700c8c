package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mooring/model"
)

// Refusal says why a member fits nowhere.
type Refusal struct {
	// Member is the group's name and the index: "redis-data/3".
	Member string
	// Why counts the cells by the constraint that failed on them: "3 cells in
	// pool default: 2 lack 512M of memory, 1 is cordoned".
	Why string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Member + " fits nowhere: " + r.Why }

// reason is why one cell or AZ will not do; the zero value is none.
type reason struct {
	verb verb
	what string
}

// verb is a verb in the singular and the plural.
type verb struct{ one, many string }

var (
	be   = verb{"is", "are"}
	lack = verb{"lacks", "lack"}
	have = verb{"has", "have"}
)

// tally counts reasons in the order in which they first came up.
type tally []struct {
	reason reason
	n      int
}

func (t *tally) add(why reason) {
	for i := range *t {
		if (*t)[i].reason == why {
			(*t)[i].n++
			return
		}
	}
	*t = append(*t, struct {
		reason reason
		n      int
	}{why, 1})
}

// String gives "2 lack 512M of memory, 1 is cordoned", the most common first.
func (t tally) String() string {
	slices.SortStableFunc(t, func(a, b struct {
		reason reason
		n      int
	}) int {
		return cmp.Compare(b.n, a.n)
	})
	said := make([]string, len(t))
	for i, c := range t {
		word := c.reason.verb.many
		if c.n == 1 {
			word = c.reason.verb.one
		}
		said[i] = fmt.Sprintf("%d %s %s", c.n, word, c.reason.what)
	}
	return strings.Join(said, ", ")
}

// refuse explains why no cell takes a member.
func (x *Index) refuse(r *Request) *Refusal {
	refusal := &Refusal{Member: x.member(r)}
	poolName := model.Pooled(r.Pool)
	pool := x.pools[poolName]
	if r.Only != 0 {
		cell := &x.cells[r.Only]
		switch why := x.whyNot(r.Only, r); {
		case why != reason{}:
			refusal.Why = fmt.Sprintf("cell %s %s %s", cell.ID, why.verb.one, why.what)
		case cell.Pool != poolName:
			refusal.Why = fmt.Sprintf("cell %s is in pool %s, not %s", cell.ID, cell.Pool, poolName)
		default:
			refusal.Why = fmt.Sprintf("cell %s is in AZ %s, not %s", cell.ID, cell.AZ, r.AZ)
		}
		return refusal
	}
	var counts tally
	cells := 0
	for at := pool.from; at < pool.to; at++ {
		b := &x.buckets[at]
		if r.AZ != "" && x.azs[b.az] != r.AZ {
			continue
		}
		for leaf := range b.tree.cells {
			cells++
			counts.add(x.whyNot(b.first+CellNo(leaf), r))
		}
	}
	where := "pool " + poolName
	if r.AZ != "" {
		where += " and AZ " + r.AZ
	}
	refusal.Why = count(cells, "cell", where, counts)
	return refusal
}

// refuseAZ explains why no AZ takes a floating volume.
func (x *Index) refuseAZ(r *Request, n *need) *Refusal {
	poolName := model.Pooled(r.Pool)
	var counts tally
	azs := 0
	for az := range int16(len(x.azs)) {
		if !x.reaches(az, x.pools[poolName]) || r.AZ != "" && x.azs[az] != r.AZ {
			continue
		}
		azs++
		if len(n.disks) < len(r.Disks) {
			counts.add(reason{lack, "class " + r.Disks[len(n.disks)].Class})
		} else {
			counts.add(x.whyNotAZ(az, r, n, x.pools[poolName]))
		}
	}
	return &Refusal{Member: x.member(r), Why: count(azs, "AZ", "pool "+poolName, counts)}
}

func (x *Index) member(r *Request) string {
	return fmt.Sprintf("%s/%d", x.groups[r.Group].name, r.Index)
}

// count gives "3 cells in pool default: " and the tally, or that there is none.
func count(n int, noun, where string, counts tally) string {
	switch n {
	case 0:
		return fmt.Sprintf("no %s is in %s", noun, where)
	case 1:
		return fmt.Sprintf("1 %s in %s: %s", noun, where, counts)
	}
	return fmt.Sprintf("%d %ss in %s: %s", n, noun, where, counts)
}

// whyNot gives the first hard constraint that fails on a cell; no reason when
// none does. Pool and AZ are the caller's to check.
func (x *Index) whyNot(no CellNo, r *Request) reason {
	cell := &x.cells[no]
	row := x.free[int(no)*x.width : (int(no)+1)*x.width]
	switch {
	case no == r.Avoid:
		return reason{be, "being left"}
	case !cell.Closed.opensTo(r.Bound):
		return reason{be, string(cell.Closed)}
	}
	for i := range r.Disks {
		d := &r.Disks[i]
		if at := x.resource(d.Class); at < 0 || row[at] < 0 && !x.overfull(cell, d.Class) {
			return reason{lack, "class " + d.Class}
		} else if !x.classes[at-1].Floating && row[at] < int64(d.Size) {
			return reason{lack, d.String()}
		}
	}
	if row[0] < int64(r.Memory) {
		return reason{lack, r.Memory.String() + " of memory"}
	}
	return reason{}
}

// overfull tells a class whose room is overdrawn from one that is not offered.
func (x *Index) overfull(cell *Cell, class string) bool {
	for i := range cell.Classes {
		if cell.Classes[i].Name == class {
			return true
		}
	}
	return false
}
