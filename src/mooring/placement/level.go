package placement

// unit is the level of a cell all of whose memory is taken.
const unit = 1 << 28

// noLevel is the level of a cell that takes no new work.
const noLevel int64 = -1

// levelOf gives how full a cell with some load is: the share of its memory that
// is taken, in units, and 1 for each thing on it, which decides where no memory
// is asked for.
func levelOf(load int64) int64 { return load>>32 + load&(1<<32-1) }

// rise gives how much a request for memory raises the level of a cell.
func (x *Index) rise(no CellNo, memory int64) int64 {
	return int64(float64(memory)/scale(x.cells[no].Memory)*unit) + 1
}

// evenly tells whether the cell chosen in a part of a home, when it takes so much
// more memory, is at most two of the largest requests fuller than the others are
// on average. Were it one, every hundredth member would have to leave the home of
// its group where apps come one by one; what stands out is evened out by those
// that come later.
func (x *Index) evenly(p *part, memory int64) bool {
	return x.levels[p.best]+x.rise(p.best, memory) <= p.level/p.open+2*x.rise(p.best, max(x.largest, memory))
}

// sumUp brings what is summed up over a cell up to date with its level.
func (x *Index) sumUp(no CellNo, level int64) {
	before := x.levels[no]
	if before == level {
		return
	}
	x.levels[no] = level
	open, by := int32(0), level-before
	switch noLevel {
	case before:
		open, by = 1, level
	case level:
		open, by = -1, -before
	}
	x.open[x.buckets[x.atOf[no]].ground] += open
	for at := x.homeOf[no]; at != noHome; at = x.homes[at].parent {
		home := &x.homes[at]
		home.open += open
		home.level += by
		home.mean = home.level / int64(max(home.open, 1))
	}
}
