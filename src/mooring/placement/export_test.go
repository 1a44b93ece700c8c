package placement

import "mooring/model"

// What only tests ask of an index.

// FreeDisk gives what is left of a fixed class on a cell, -1 where the cell
// does not offer it.
func (x *Index) FreeDisk(no CellNo, class string) model.Size {
	r := x.resource(class)
	if r < 0 {
		return -1
	}
	return model.Size(x.free[int(no)*x.width+r])
}

// SetClosed opens or closes a cell to new work.
func (x *Index) SetClosed(no CellNo, why Closed) {
	x.cells[no].Closed = why
	x.settle(no)
}
