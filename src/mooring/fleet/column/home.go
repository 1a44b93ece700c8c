package column

// Home is a run of columns, From up to but not To, that an app keeps to.
type Home struct{ From, To int }

// Homes lists the homes that an app of n instances may have: runs of as many
// columns as it needs, none of them across the end of a block unless it is
// larger than a block. Runs of one length overlap as little as they can, so
// that apps of one size share all their cells or none.
func (cut *Cut) Homes(n int) []Home {
	var homes []Home
	add := func(from, to int) {
		for from < to {
			need := cut.span(n, from)
			if from+need > to || cut.room(from, from+need) < n {
				need = min(to, cut.spanBack(n, to))
				from = to - need
			}
			homes = append(homes, Home{from, from + need})
			from += need
		}
	}
	for b := range len(cut.Blocks) - 1 {
		from, to := cut.Blocks[b], cut.Blocks[b+1]
		if cut.room(from, to) < n {
			homes = nil
			add(0, len(cut.Cells))
			break
		}
		add(from, to)
	}
	return homes
}

// room counts the cells of a run of columns.
func (cut *Cut) room(from, to int) int {
	cells := 0
	for _, column := range cut.Cells[from:to] {
		cells += len(column)
	}
	return cells
}

// spanBack is span counted backwards from a column.
func (cut *Cut) spanBack(n, to int) int {
	columns := 0
	for n > 0 && to-columns > 0 {
		columns++
		n -= len(cut.Cells[to-columns])
	}
	return max(1, columns)
}
