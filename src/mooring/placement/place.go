package placement

import (
	"cmp"
	"math"

	"mooring/model"
)

// Place chooses the cell for a member of a group, takes what it needs there
// and records it. A place the member had before is given up first. When no
// cell will do nothing is taken, and the error is a *Refusal.
func (x *Index) Place(r Request) (Result, error) {
	x.Remove(r.Group, r.Index)
	n, offered := x.need(&r)
	span := x.pools[model.Pooled(r.Pool)]
	if !offered {
		return Result{}, x.refuse(&r)
	}
	x.focus.turn(x, r.Group)
	cell, broken := x.choose(&r, &n, span)
	if cell == 0 {
		return Result{}, x.refuse(&r)
	}
	m := member{memory: int64(r.Memory), cell: cell, az: x.azOf[cell]}
	if len(n.disks) > 0 {
		m.disk, m.resource = int64(r.Disks[0].Size), int16(n.disks[0].resource)
	}
	x.put(r.Group, r.Index, m)
	return Result{Cell: cell, AZ: x.cells[cell].AZ, Broken: broken}, nil
}

// choose finds the cell for a member, 0 when none will do, and tells which soft
// constraints gave way.
func (x *Index) choose(r *Request, n *need, pool span) (CellNo, Soft) {
	if r.Only != 0 {
		if !x.takes(r.Only, n) || !x.inside(r.Only, pool, r) {
			return 0, 0
		}
		return r.Only, x.broken(r, r.Only, pool)
	}
	if cell, broken := x.nearby(r, n, pool); cell != 0 {
		return cell, broken
	}
	cell, ideal := x.alone(r, n, pool)
	if cell == 0 {
		cell = x.shared(r, n, pool)
	}
	if cell == 0 || ideal {
		return cell, 0
	}
	return cell, x.broken(r, cell, pool)
}

// Fits tells whether a cell meets every hard constraint of a request; nil if
// so, else a *Refusal about that cell.
func (x *Index) Fits(r Request, cell CellNo) error {
	r.Only = cell
	n, offered := x.need(&r)
	if offered && x.takes(cell, &n) && x.inside(cell, x.pools[model.Pooled(r.Pool)], &r) {
		return nil
	}
	return x.refuse(&r)
}

// inside tells whether a cell is in the pool and AZ asked for.
func (x *Index) inside(cell CellNo, pool span, r *Request) bool {
	at := x.atOf[cell]
	return pool.from <= at && at < pool.to && (r.AZ == "" || x.cells[cell].AZ == r.AZ)
}

// takes tells whether a cell is open and has room.
func (x *Index) takes(cell CellNo, n *need) bool {
	return x.cells[cell].Closed.opensTo(n.bound) && cell != n.avoid &&
		n.fits(x.free[int(cell)*x.width:(int(cell)+1)*x.width])
}

// rank orders buckets by the soft constraints that come before load.
func (x *Index) rank(at int32, r *Request) uint64 {
	b := x.coords[at]
	rank := uint64(x.focus.byAZ[b.az]) << 42
	if r.Domains {
		rank |= uint64(x.focus.byBucket[at])<<21 | uint64(x.focus.byNumber[b.number])
	}
	return rank
}

// alone finds the cell among those that hold no other member, 0 if none. first
// tells that it is in a bucket of the lowest rank, so that nothing gave way.
func (x *Index) alone(r *Request, n *need, pool span) (cell CellNo, first bool) {
	ranks := x.ranks[:pool.to-pool.from]
	lowest := uint64(math.MaxUint64)
	for i := range ranks {
		ranks[i] = math.MaxUint64
		at := pool.from + int32(i)
		if r.AZ != "" && x.azs[x.buckets[at].az] != r.AZ {
			continue
		}
		ranks[i] = x.rank(at, r)
		lowest = min(lowest, ranks[i])
	}
	// Every bucket of the lowest rank is asked: load decides between them. If
	// none has room it is the turn of the next rank.
	s := search{x: x, need: *n, load: full}
	for first = true; lowest != math.MaxUint64; first = false {
		next := uint64(math.MaxUint64)
		for i, rank := range ranks {
			switch {
			case rank == lowest:
				s.in(&x.buckets[pool.from+int32(i)])
			case rank > lowest:
				next = min(next, rank)
			}
		}
		if s.best != 0 {
			return s.best, first
		}
		lowest = next
	}
	return 0, false
}

// shared finds the cell when each that can take the member holds another of
// its group. That is rare, so it simply looks at every cell of the pool.
func (x *Index) shared(r *Request, n *need, pool span) CellNo {
	var best CellNo
	var bestOn int32
	var bestRank uint64
	var bestLoad int64
	for at := pool.from; at < pool.to; at++ {
		b := &x.buckets[at]
		if !n.fits(b.tree.node(1)[1:]) || r.AZ != "" && x.azs[b.az] != r.AZ {
			continue
		}
		rank := x.rank(at, r)
		for leaf := range b.tree.cells {
			no := b.first + CellNo(leaf)
			if !x.takes(no, n) {
				continue
			}
			on, load := x.focus.on(no), b.tree.node(b.tree.size + leaf)[0]
			if best == 0 || cmp.Or(cmp.Compare(on, bestOn), cmp.Compare(rank, bestRank), cmp.Compare(load, bestLoad)) < 0 {
				best, bestOn, bestRank, bestLoad = no, on, rank, load
			}
		}
	}
	return best
}

// broken tells which soft constraints a choice does not keep.
func (x *Index) broken(r *Request, cell CellNo, pool span) Soft {
	var soft Soft
	if x.focus.on(cell) > 0 {
		soft |= SharedCell
	}
	if r.Only != 0 {
		return soft
	}
	chosen := x.atOf[cell]
	az := x.buckets[chosen].az
	for at := pool.from; at < pool.to; at++ {
		switch b := &x.buckets[at]; {
		case b.az != az && r.AZ == "" && x.focus.byAZ[b.az] < x.focus.byAZ[az]:
			soft |= UnevenAZ
		case b.az == az && r.Domains && x.focus.byBucket[at] < x.focus.byBucket[chosen]:
			soft |= UnevenDomain
		}
	}
	return soft
}
