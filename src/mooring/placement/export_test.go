package placement

// SetClosed opens or closes a cell to new work.
func (x *Index) SetClosed(no CellNo, why Closed) {
	x.cells[no].Closed = why
	x.settle(no)
}
