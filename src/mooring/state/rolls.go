package state

import "mooring/model"

// Ledger gives the permits of an app. It is never nil: an app without permits
// has an empty one.
func (s *Snapshot) Ledger(appGUID string) *model.Ledger {
	if ledger := one[model.Ledger](s, model.LedgerKey(appGUID)); ledger != nil {
		return ledger
	}
	return &model.Ledger{AppGUID: appGUID}
}

// Ledgers lists the ledgers that were ever written, by app GUID.
func (s *Snapshot) Ledgers() []*model.Ledger {
	return under[model.Ledger](s, model.TableLedgers+"/")
}

// Claims lists the line for permits: by Since, then by key.
func (s *Snapshot) Claims() []*model.Claim {
	return all[model.Claim](s, model.TableClaims, byOrder+"_prefix", "")
}

// Claim finds the claim of a holder.
func (s *Snapshot) Claim(holder string) *model.Claim {
	return one[model.Claim](s, model.ClaimKey(holder))
}

// Plans lists every plan, finished ones too.
func (s *Snapshot) Plans() []*model.Plan { return under[model.Plan](s, model.TablePlans+"/") }

// Plan finds a plan.
func (s *Snapshot) Plan(name string) *model.Plan {
	return one[model.Plan](s, model.TablePlans+"/"+name)
}

// Rolls lists the rolls of a plan by cell.
func (s *Snapshot) Rolls(plan string) []*model.Roll {
	return under[model.Roll](s, model.TableRolls+"/"+plan+"/")
}

// Roll finds the roll of a cell in a plan.
func (s *Snapshot) Roll(plan, cellID string) *model.Roll {
	return one[model.Roll](s, model.RollKey(plan, cellID))
}

// RollOn finds the roll that a cell is in: begun and not ended.
func (s *Snapshot) RollOn(cellID string) *model.Roll {
	var found *model.Roll
	each(s.txn, model.TableRolls, byCell, cellID, func(e *entry) bool {
		roll := e.rec.(*model.Roll)
		if roll.Phase != model.Queued && !roll.Phase.Final() {
			found = roll
		}
		return found == nil
	})
	return found
}

// StuckItems lists what is stuck, by ID.
func (s *Snapshot) StuckItems() []*model.Stuck {
	return under[model.Stuck](s, model.TableStuck+"/")
}

// StuckItem finds one thing that is stuck.
func (s *Snapshot) StuckItem(id string) *model.Stuck {
	return one[model.Stuck](s, model.TableStuck+"/"+id)
}

// Deliveries lists how far each receiver of alerts has been told, by name.
func (s *Snapshot) Deliveries() []*model.Delivery {
	return under[model.Delivery](s, model.TableDeliveries+"/")
}

// Delivery finds how far a receiver of alerts has been told.
func (s *Snapshot) Delivery(receiver string) *model.Delivery {
	return one[model.Delivery](s, model.DeliveryKey(receiver))
}

// Durations finds what was measured of a subject, nil when nothing was.
func (s *Snapshot) Durations(subject string) *model.Durations {
	return one[model.Durations](s, model.TableDurations+"/"+subject)
}

// AllDurations lists what was measured, by subject.
func (s *Snapshot) AllDurations() []*model.Durations {
	return under[model.Durations](s, model.TableDurations+"/")
}
