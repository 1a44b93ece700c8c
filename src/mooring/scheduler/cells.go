package scheduler

import (
	"fmt"

	"mooring/model"
	"mooring/placement"
)

// part is the cells that take their seats among each other.
type part struct{ pool, az string }

// assignSeats gives each cell that has none its seat, for good: an update
// domain, unless it was given one, and a column.
func (r *round) assignSeats() {
	r.seats = map[string]placement.Seat{}
	taken := map[part]map[placement.Seat]bool{}
	var fresh []*model.Cell
	for _, cell := range r.snap.Cells() {
		at := part{model.Pooled(cell.Pool), cell.AZ}
		if taken[at] == nil {
			taken[at] = map[placement.Seat]bool{}
		}
		if cell.Domain < 1 || cell.Column < 1 {
			fresh = append(fresh, cell)
			continue
		}
		taken[at][seatOf(cell)] = true
	}
	for _, cell := range fresh {
		others := taken[part{model.Pooled(cell.Pool), cell.AZ}]
		seat := placement.NextSeat(others, cell.Domain, r.rules.Domains)
		others[seat] = true
		r.seats[cell.ID] = seat
		assigned := *cell
		assigned.Domain, assigned.Column = seat.Domain, seat.Column
		tx := r.snap.Txn()
		tx.Put(&assigned)
		tx.Event(r.event(model.EventCellSeated, fmt.Sprintf("cell %s is in update domain %d, column %d of %s", cell.ID, seat.Domain, seat.Column, cell.AZ), cell.ID))
		r.add(tx)
	}
}

// seatOf gives the seat a cell has.
func seatOf(cell *model.Cell) placement.Seat {
	return placement.Seat{Domain: cell.Domain, Column: cell.Column}
}
