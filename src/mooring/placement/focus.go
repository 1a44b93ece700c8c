package placement

// focus counts the members of the one group that is being placed by cell, AZ,
// bucket and domain number. Groups are placed one after another, so counting
// one at a time costs each member four bytes less than keeping counts for all.
type focus struct {
	group    GroupNo
	round    uint32
	stamps   []stamp // by CellNo
	byAZ     []int32
	byBucket []int32
	byNumber []int32
	home     int32
	settled  bool // home is chosen
}

// stamp counts members on a cell; a count of an earlier round is 0.
type stamp struct {
	round uint32
	count int32
}

func newFocus(x *Index) focus {
	numbers := 0
	for i := range x.buckets {
		numbers = max(numbers, int(x.buckets[i].number)+1)
	}
	return focus{
		round: 1, stamps: make([]stamp, len(x.cells)), byAZ: make([]int32, len(x.azs)),
		byBucket: make([]int32, len(x.buckets)), byNumber: make([]int32, numbers),
	}
}

// turn makes g the group in focus.
func (f *focus) turn(x *Index, g GroupNo) {
	if f.group == g {
		return
	}
	f.group = g
	f.settled = false
	f.round++
	clear(f.byAZ)
	clear(f.byBucket)
	clear(f.byNumber)
	members := x.groups[g].members
	for i := range members {
		if members[i].az >= 0 {
			f.change(x, g, &members[i], 1)
		}
	}
}

// change counts a member that came (1) or went (-1).
func (f *focus) change(x *Index, g GroupNo, m *member, by int32) {
	if f.group != g {
		return
	}
	f.byAZ[m.az] += by
	if m.cell == 0 {
		return
	}
	at := x.atOf[m.cell]
	f.byBucket[at] += by
	f.byNumber[x.buckets[at].number] += by
	f.stamps[m.cell] = stamp{round: f.round, count: f.on(m.cell) + by}
}

// on gives how many members are on a cell.
func (f *focus) on(no CellNo) int32 {
	if s := f.stamps[no]; s.round == f.round {
		return s.count
	}
	return 0
}
