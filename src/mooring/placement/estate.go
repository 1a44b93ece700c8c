package placement

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

// estate is the homes of a pool by size, from the smallest.
type estate []size

// size is homes that are much alike: where no seat is empty each has room for so
// many members, evenly over the AZs and on cells of their own.
type size struct {
	span // of Index.homes
	room int
}

// cutHomes cuts the cells that have seats into homes: each column into halves
// down to single domains, and columns by twos up to the whole pool.
func (x *Index) cutHomes() {
	x.homeOf, x.estates = make([]int32, len(x.cells)), map[string]estate{}
	byPool := map[string][]CellNo{}
	for no := range x.cells {
		x.homeOf[no] = noHome
		if cell := &x.cells[no]; cell.Column > 0 && cell.Domain > 0 {
			byPool[cell.Pool] = append(byPool[cell.Pool], CellNo(no))
		}
	}
	for _, pool := range slices.Sorted(maps.Keys(byPool)) {
		x.estates[pool] = x.cutPool(byPool[pool])
	}
}

// cutPool cuts the homes of one pool.
func (x *Index) cutPool(cells []CellNo) estate {
	domains, columns, azs := 1, 1, map[int16]bool{}
	for _, no := range cells {
		domains, columns = max(domains, x.cells[no].Domain), max(columns, x.cells[no].Column)
		azs[x.azOf[no]] = true
	}
	slices.SortFunc(cells, func(a, b CellNo) int {
		x, y := x.cells[a].Seat, x.cells[b].Seat
		return cmp.Or(cmp.Compare(x.Column, y.Column), cmp.Compare(x.Domain, y.Domain), cmp.Compare(a, b))
	})
	first := int32(len(x.seats))
	x.seats = append(x.seats, cells...)
	var estate estate
	for parts := 1 << (bits.Len(uint(domains)) - 1); parts > 0; parts /= 2 {
		estate = append(estate, x.cutSize(first, domains/parts*len(azs), func(s Seat) (int, int) {
			return s.Column, (s.Domain*parts - 1) / domains
		}))
	}
	for wide := 2; wide < 2*columns; wide *= 2 {
		estate = append(estate, x.cutSize(first, wide*domains*len(azs), func(s Seat) (int, int) {
			return (s.Column - 1) / wide, 0
		}))
	}
	for _, size := range estate[:len(estate)-1] {
		around := size.to // the first home of the next size
		for at := size.from; at < size.to; at++ {
			for x.homes[around].to < x.homes[at].to {
				around++
			}
			x.homes[at].parent = around
		}
	}
	for at := estate[0].from; at < estate[0].to; at++ {
		for _, no := range x.seats[x.homes[at].from:x.homes[at].to] {
			x.homeOf[no] = at
		}
	}
	return estate
}

// cutSize cuts the seats of a pool, from first on, into a home for each part
// they are in.
func (x *Index) cutSize(first int32, room int, part func(Seat) (int, int)) size {
	from := int32(len(x.homes))
	for at := first; at < int32(len(x.seats)); {
		head, sub := part(x.cells[x.seats[at]].Seat)
		to := at + 1
		for ; to < int32(len(x.seats)); to++ {
			if a, b := part(x.cells[x.seats[to]].Seat); a != head || b != sub {
				break
			}
		}
		x.homes = append(x.homes, home{span: span{at, to}, parent: noHome})
		at = to
	}
	return size{span: span{from, int32(len(x.homes))}, room: room}
}
