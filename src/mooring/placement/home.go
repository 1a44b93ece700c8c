package placement

import "mooring/model"

// home is a run of seats that a group keeps to. Homes are nested: two of them
// share all seats of one, or none.
//
// Update domains keep the members of one group apart in the order of a plan.
// But a fleet whose groups are mixed freely over the cells of each domain moves
// from domain to domain in step: every cell waits for the slowest of its many
// neighbours. Groups that keep to one column hold up that column alone, and it
// is no later than the one of them that fills it would be in any case. So
// columns do not wait for each other, whatever the rolls turn out to take. Small
// groups keep to a part of a column for the same reason, and groups larger than
// a column to a run of columns.
type home struct {
	span         // of Index.seats
	parent int32 // the smallest home around it; noHome for the whole pool
	// open counts its cells that take new work, level sums up theirs, and mean
	// is how full they are on average.
	open  int32
	level int64
	mean  int64
}

const noHome int32 = -1

// moveIn chooses the home of a group that is to have r.Of members: of those of
// the smallest size that is large enough the one where most of the members are
// or, when there are none yet, the one that is least full.
func (x *Index) moveIn(r *Request) int32 {
	pool := model.Pooled(r.Pool)
	estate := x.estates[pool]
	if len(estate) == 0 {
		return noHome
	}
	smallest := 0
	for smallest < len(estate)-1 && estate[smallest].room < r.Of {
		smallest++
	}
	if at := x.livesIn(r.Group, pool, smallest); at != noHome {
		return at
	}
	for _, size := range estate[smallest:] {
		best, small := noHome, noHome
		for at := size.from; at < size.to; at++ {
			if open := int(x.homes[at].open); open >= r.Of {
				best = x.emptier(best, at)
			} else if open > 0 {
				small = x.emptier(small, at)
			}
		}
		if best != noHome {
			return x.lift(best, small, r)
		}
	}
	return noHome
}

// emptier gives that of two homes whose cells are less full, the first when they
// are as full.
func (x *Index) emptier(a, b int32) int32 {
	if a == noHome || x.homes[b].mean < x.homes[a].mean {
		return b
	}
	return a
}

// behind is how much emptier a home that is too small for a request may be than
// the one that is chosen.
const behind = unit / 4

// lift gives the best home for a request, unless one that is too small for it
// has fallen far behind: then the home around that one. A column that is still
// filling with cells is left to small groups for a while, so that the first of
// its cells do not draw large groups out of theirs; but not for ever, since it
// may never get more.
func (x *Index) lift(best, small int32, r *Request) int32 {
	if small == noHome || x.homes[best].mean-x.homes[small].mean <= behind {
		return best
	}
	for at := small; at != noHome; at = x.homes[at].parent {
		if int(x.homes[at].open) >= r.Of {
			return at
		}
	}
	return best
}

// livesIn gives the home of a size, counted from the smallest, in which most
// members of a group are; noHome when it has none.
func (x *Index) livesIn(g GroupNo, pool string, size int) int32 {
	best, counts := noHome, map[int32]int(nil)
	for _, m := range x.groups[g].members {
		if m.cell == 0 || x.homeOf[m.cell] == noHome || x.cells[m.cell].Pool != pool {
			continue
		}
		at := x.homeOf[m.cell]
		for range size {
			at = x.homes[at].parent
		}
		if counts == nil {
			counts = map[int32]int{}
		}
		counts[at]++
		if best == noHome || counts[at] > counts[best] || counts[at] == counts[best] && at < best {
			best = at
		}
	}
	return best
}
