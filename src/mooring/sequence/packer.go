package sequence

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// Time is cut into slots for packing: so many to the bound, and so many bounds
// long. What does not fit in is packed behind it.
const (
	slotsPerBound = 512
	horizon       = 4 * slotsPerBound
	words         = horizon / 64
)

// row is a set of slots.
type row [words]uint64

// packer is serial schedule generation: cells, one after another, each at the
// first time at which all of its apps have room for all of its roll. Per app it
// keeps, for each of its places, the slots in which at least so many are taken,
// so that a cell costs a few words per app and no search.
type packer struct {
	cells  []int // those to be packed
	length []int // of each roll, in slots, by cell
	// What a cell needs: the rows from at (as many as the app has places), n
	// of them, for hold slots (0: the whole roll).
	needs [][]need
	rows  []row
	start []int // of each cell, in slots, once packed
	full  map[int]*row
}

type need struct{ at, places, n, hold int32 }

// newPacker packs cells of a problem by what they take. Apps that have a place
// for every cell that wants one are left out.
func newPacker(p *Problem, cells []int, durations []time.Duration, bound time.Duration) *packer {
	k := &packer{
		cells: cells, length: make([]int, len(p.Cells)), needs: make([][]need, len(p.Cells)),
		start: make([]int, len(p.Cells)), full: map[int]*row{},
	}
	slot := max(1, bound/slotsPerBound)
	slots := func(d time.Duration) int { return min(horizon, max(1, int((d+slot/2)/slot))) }
	wanted := make([]int, len(p.Apps))
	for _, c := range cells {
		k.length[c] = slots(durations[c])
		for _, use := range p.Cells[c].Uses {
			wanted[use.App] += int(use.N)
		}
	}
	at := make([]int32, len(p.Apps))
	size := int32(0)
	for a, app := range p.Apps {
		at[a] = -1
		if wanted[a] > app.Limit && app.Limit > 0 {
			at[a] = size
			size += int32(app.Limit)
		}
	}
	ceiling := size
	if p.MaxInFlight > 0 && p.MaxInFlight < len(cells) {
		size += int32(p.MaxInFlight)
	}
	k.rows = make([]row, size)
	for _, c := range cells {
		if size > ceiling {
			k.needs[c] = append(k.needs[c], need{ceiling, int32(p.MaxInFlight), 1, 0})
		}
		for _, use := range p.Cells[c].Uses {
			if at[use.App] < 0 {
				continue
			}
			limit, hold := int32(p.Apps[use.App].Limit), 0
			if use.Hold > 0 {
				hold = slots(use.Hold)
			}
			k.needs[c] = append(k.needs[c], need{at[use.App], limit, min(use.N, limit), int32(hold)})
		}
	}
	return k
}

// pack packs the cells in an order and gives when the last of them ends, in
// slots; start has where each is. Backward, time runs from the end, so that the
// cells are put as late as can be: start and end are still counted from the
// side that was packed from.
func (k *packer) pack(order []int) int {
	clear(k.rows)
	last, behind := 0, horizon
	for _, c := range order {
		at := k.first(c)
		if at+k.length[c] > horizon {
			at, behind = behind, behind+1
		} else {
			k.take(c, at)
		}
		k.start[c] = at
		last = max(last, at+k.length[c])
	}
	return last
}

// first gives the first slot at which a cell can start.
func (k *packer) first(c int) int {
	var bad, busy row
	holds := false
	for _, n := range k.needs[c] {
		if n.hold > 0 && int(n.hold) < k.length[c] {
			holds = true
			continue
		}
		full := &k.rows[n.at+n.places-n.n]
		for w := range busy {
			busy[w] |= full[w]
		}
	}
	bad = spread(&busy, k.length[c])
	if holds {
		clear(k.full)
		for _, n := range k.needs[c] {
			if n.hold == 0 || int(n.hold) >= k.length[c] {
				continue
			}
			moving := k.full[int(n.hold)]
			if moving == nil {
				moving = new(row)
				k.full[int(n.hold)] = moving
			}
			full := &k.rows[n.at+n.places-n.n]
			for w := range moving {
				moving[w] |= full[w]
			}
		}
		for hold, moving := range k.full {
			short := spread(moving, hold)
			for w := range bad {
				bad[w] |= short[w]
			}
		}
	}
	for w := range bad {
		if free := ^bad[w]; free != 0 {
			return w*64 + bits.TrailingZeros64(free)
		}
	}
	return horizon
}

// spread gives the slots at which a roll of some length would run into a busy
// one: each busy slot and the length-1 slots before it.
func spread(busy *row, length int) row {
	out := *busy
	for done := 1; done < length; {
		by := min(done, length-done)
		shift, bit := by/64, uint(by%64)
		for w := range words - shift {
			v := out[w+shift] >> bit
			if bit > 0 && w+shift+1 < words {
				v |= out[w+shift+1] << (64 - bit)
			}
			out[w] |= v
		}
		done += by
	}
	return out
}

// take marks the slots of a cell that starts at one.
func (k *packer) take(c, at int) {
	for _, n := range k.needs[c] {
		length := k.length[c]
		if n.hold > 0 {
			length = min(length, int(n.hold))
		}
		for w := at / 64; w*64 < at+length; w++ {
			mask := ^uint64(0)
			if from := at - w*64; from > 0 {
				mask <<= uint(from)
			}
			if over := (w+1)*64 - at - length; over > 0 {
				mask &= ^uint64(0) >> uint(over)
			}
			for range n.n {
				carry := mask
				for r := n.at; r < n.at+n.places && carry != 0; r++ {
					k.rows[r][w], carry = k.rows[r][w]|carry, k.rows[r][w]&carry
				}
			}
		}
	}
}

// byStart gives the cells in the order of their starts.
func (k *packer) byStart() []int {
	order := slices.Clone(k.cells)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(k.start[a], k.start[b]) })
	return order
}

// byEnd gives the cells in the order of their ends, the last first.
func (k *packer) byEnd() []int {
	order := slices.Clone(k.cells)
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(k.start[b]+k.length[b], k.start[a]+k.length[a])
	})
	return order
}
