package placement

// unit is the level of a cell all of whose memory is taken.
const unit = 1 << 28

// noLevel is the level of a cell that takes no new work.
const noLevel int64 = -1

// levelOf gives how full a cell with some load is: the share of its memory that
// is taken, in units, and 1 for each thing on it, which decides where no memory
// is asked for.
func levelOf(load int64) int64 { return load>>32 + load&(1<<32-1) }

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
