package api

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"mooring/model"
	"mooring/state"
)

// admit makes the transaction that makes an agent the cell: whatever an
// earlier agent reported is forgotten, and what it reports from now on is
// refused. It is pure.
func admit(snap *state.Snapshot, id string, registration *model.Registration, now time.Time) (*state.Txn, *model.Cell, error) {
	if err := checkRegistration(id, registration); err != nil {
		return nil, nil, err
	}
	cell := registration.Cell
	cell.Registration++
	cell.RegisteredAt, cell.Lost, cell.LostAt, cell.GateOpenedAt, cell.Column, cell.Refused = now, false, time.Time{}, time.Time{}, 0, ""
	kind, text := model.EventCellRegistered, fmt.Sprintf("cell %s is new in %s", id, cell.AZ)
	before := snap.Cell(id)
	if before != nil {
		if before.Lost && before.Boot == cell.Boot {
			return nil, nil, conflict("cell %s was declared lost; it may register after the host has booted again", id)
		}
		if before.AZ != cell.AZ && len(snap.VolumesOn(id)) > 0 {
			return nil, nil, conflict("cell %s was in AZ %s and has volumes there; it cannot come back in %s", id, before.AZ, cell.AZ)
		}
		cell.GateOpenedAt, cell.Refused = before.GateOpenedAt, before.Refused
		cell.Registration = max(before.Registration, registration.Registration) + 1
		if !registration.DomainGiven {
			cell.Domain = before.Domain
		}
		if cell.AZ == before.AZ && cell.Pool == before.Pool && cell.Domain == before.Domain {
			cell.Column = before.Column
		}
		if text = fmt.Sprintf("cell %s is back with a new boot", id); before.Boot == cell.Boot {
			text = fmt.Sprintf("the agent of cell %s has started again", id)
		}
	} else if !registration.DomainGiven {
		cell.Domain = 0
	}
	tx := snap.Txn()
	tx.Put(&cell)
	for _, actual := range snap.ActualInstancesOn(id) {
		// What the cell was still stopping goes on being told apart from a stray.
		if before == nil || before.Boot != cell.Boot || actual.Stray || placed(snap, id, actual) {
			tx.Delete(actual)
		}
	}
	for _, actual := range snap.ActualVolumesOn(id) {
		tx.Delete(actual)
	}
	tx.Event(model.Event{At: now, Kind: kind, Actor: "cell", CellID: id, Text: text})
	return tx, &cell, nil
}

// maxRegistration bounds the number that an agent may say it had: there is room
// above it for ever.
const maxRegistration = 1 << 53

func checkRegistration(id string, r *model.Registration) error {
	var other error
	if r.ID != id {
		other = fault("id", "is %q, and the path names cell %s", r.ID, id)
	}
	if r.Registration < 0 || r.Registration > maxRegistration {
		other = errors.Join(other, fault("registration", "is %d; give the number of the agent's last registration, 0 for none", r.Registration))
	}
	if strings.Contains(r.Boot+r.Start, "/") {
		other = errors.Join(other, fault("boot", "boot and start must not contain '/'"))
	}
	return invalid("cell "+id+" cannot register", r.Validate(), other)
}
