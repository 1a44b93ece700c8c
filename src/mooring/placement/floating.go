package placement

import (
	"cmp"
	"math"

	"mooring/model"
)

// PlaceAZ chooses the AZ for a floating volume, which is r.Disks[0], takes its
// disk there and records it: the AZ with fewest of the group, then with most
// of the class left, among those where some cell can take what will run beside
// the volume. When no AZ will do the error is a *Refusal.
func (x *Index) PlaceAZ(r Request) (Result, error) {
	x.Remove(r.Group, r.Index)
	n, offered := x.need(&r)
	if !offered {
		return Result{}, x.refuseAZ(&r, &n)
	}
	x.focus.turn(x, r.Group)
	pool := x.pools[model.Pooled(r.Pool)]
	best, least := int16(-1), int32(math.MaxInt32)
	for az := range int16(len(x.azs)) {
		members, inPool := x.focus.byAZ[az], x.reaches(az, pool)
		if !inPool || r.AZ != "" && x.azs[az] != r.AZ {
			continue
		}
		least = min(least, members)
		if x.whyNotAZ(az, &r, &n, pool) == (reason{}) && (best < 0 || cmp.Or(
			cmp.Compare(members, x.focus.byAZ[best]),
			cmp.Compare(x.azRoom(best, &n), x.azRoom(az, &n)),
		) < 0) {
			best = az
		}
	}
	if best < 0 {
		return Result{}, x.refuseAZ(&r, &n)
	}
	result := Result{AZ: x.azs[best]}
	if x.focus.byAZ[best] > least {
		result.Broken = UnevenAZ
	}
	x.put(r.Group, r.Index, member{disk: int64(r.Disks[0].Size), az: best, resource: int16(n.disks[0].resource)})
	return result, nil
}

// azRoom gives what an AZ has left of the class of a floating volume.
func (x *Index) azRoom(az int16, n *need) int64 {
	return x.azFree[int(az)*x.width+n.disks[0].resource]
}

// reaches tells whether a pool has cells in an AZ.
func (x *Index) reaches(az int16, pool span) bool {
	for at := pool.from; at < pool.to; at++ {
		if x.buckets[at].az == az {
			return true
		}
	}
	return false
}

// whyNotAZ gives why an AZ cannot take a floating volume; no reason when it can.
func (x *Index) whyNotAZ(az int16, r *Request, n *need, pool span) reason {
	if x.azRoom(az, n) < int64(r.Disks[0].Size) {
		return reason{lack, r.Disks[0].String()}
	}
	s := search{x: x, need: *n, load: full, alone: math.MaxInt32}
	for at := pool.from; at < pool.to && s.best == 0; at++ {
		if x.buckets[at].az == az {
			s.in(&x.buckets[at])
		}
	}
	if s.best == 0 {
		return reason{have, "no cell for what will run beside it"}
	}
	return reason{}
}
