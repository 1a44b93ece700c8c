package placement

// outskirts is how many seats around a home are looked at one by one; beyond
// them the whole pool is searched.
const outskirts = 256

// nearby finds a cell for a member in the home of its group, or else in the homes
// around it, that holds no other member, is in an AZ with fewest of those that
// take new work; 0 when there is none.
func (x *Index) nearby(r *Request, n *need, pool span) (cell CellNo, broken Soft) {
	if r.Of == 0 || !r.Domains {
		return 0, 0
	}
	f := &x.focus
	if !f.settled {
		f.settled, f.home = true, x.moveIn(r)
	}
	if f.home == noHome {
		return 0, 0
	}
	fewest, open := x.fewest(r, pool)
	for at := f.home; at != noHome && cell == 0; at = x.homes[at].parent {
		if home := &x.homes[at]; at == f.home || home.to-home.from <= outskirts {
			cell = x.among(home, r, n, open)
		}
	}
	if cell != 0 && fewest < open {
		broken = UnevenAZ
	}
	return cell, broken
}

// fewest gives the fewest members that an AZ of the pool has, and the fewest of
// an AZ where some cell takes new work.
func (x *Index) fewest(r *Request, pool span) (all, open int32) {
	all, open = 1<<31-1, 1<<31-1
	for at := pool.from; at < pool.to; at++ {
		b := &x.buckets[at]
		if r.AZ != "" && x.azs[b.az] != r.AZ {
			continue
		}
		members := x.focus.byAZ[b.az]
		all = min(all, members)
		if x.open[b.ground] > 0 {
			open = min(open, members)
		}
	}
	return all, open
}

// part is the cells of a home that are in one AZ.
type part struct {
	open  int64
	level int64  // of them all
	best  CellNo // the least full of those that can take the member
}

// among finds a cell in a home: of the AZs with no more than fewest members in
// that whose cells are less full on average, the least full.
func (x *Index) among(home *home, r *Request, n *need, fewest int32) CellNo {
	clear(x.parts)
	for _, no := range x.seats[home.from:home.to] {
		az, level := x.azOf[no], x.levels[no]
		if level == noLevel || x.focus.byAZ[az] > fewest || r.AZ != "" && x.azs[az] != r.AZ {
			continue
		}
		p := &x.parts[az]
		p.open++
		p.level += level
		if p.best != 0 && level >= x.levels[p.best] || x.focus.on(no) > 0 {
			continue
		}
		if x.takes(no, n) {
			p.best = no
		}
	}
	var best part
	for _, p := range x.parts {
		if p.best != 0 && (best.best == 0 || p.level*best.open < best.level*p.open) {
			best = p
		}
	}
	return best.best
}
