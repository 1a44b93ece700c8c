package state

import (
	"time"

	"mooring/model"
)

// Retention says which events and which finished plans are kept. A zero field
// sets no bound.
type Retention struct {
	Count int // at most so many events
	// PerCell is how many more each cell brings, since a plan of all cells is to
	// be kept whole: up to MostForCells.
	PerCell int
	Age     time.Duration // none older than this
	// Spool: what happened to alerts since so long is kept, whatever else, while
	// there is a receiver that was not told of it.
	Spool time.Duration
	// Plans bounds how many finished plans are kept, and PlanAge for how long
	// after they finished, each with the rolls of all its cells.
	Plans   int
	PlanAge time.Duration
}

// MostForCells bounds how many events are kept because there are many cells: a
// million take up about a gigabyte of memory in each process with a mirror.
const MostForCells = 1_000_000

// pruneBatch bounds what one pruning deletes, so that it never holds up the
// writes that matter. What is left over is found by the next pruning.
const pruneBatch = 1000

// Prune gives a transaction that deletes the oldest events that keep does not
// cover, at most 1000 of them; it is empty when there are none. For the
// leader to commit.
func (s *Snapshot) Prune(keep Retention, now time.Time) *Txn {
	tx := s.Txn()
	surplus, deleted, seen := 0, 0, 0
	if keep.Count > 0 {
		surplus = s.CountEvents() - max(keep.Count, min(keep.Count+keep.PerCell*len(s.Cells()), MostForCells))
	}
	told := s.toldToAll()
	for event := range s.EventsAfter("") {
		old := keep.Age > 0 && now.Sub(event.At) > keep.Age
		if deleted == pruneBatch || seen >= surplus && !old {
			break
		}
		seen++
		if event.Stuck != nil && event.ID > told && now.Sub(s.Seen(event.At)) <= keep.Spool {
			continue // somebody has yet to hear of it
		}
		tx.Delete(event)
		deleted++
	}
	return tx
}

// toldToAll gives the ID of an event up to which every receiver of alerts has
// been told, past all events when there is none.
func (s *Snapshot) toldToAll() string {
	told := "~" // after all IDs
	for _, delivery := range s.Deliveries() {
		told = min(told, delivery.After)
	}
	return told
}

// PrunePlans gives a transaction that deletes what is left of the finished plan
// that finished first of those that keep does not cover, at most 1000 records of
// it, the plan itself last; it is empty when there is none. For the leader to
// commit.
func (s *Snapshot) PrunePlans(keep Retention, now time.Time) *Txn {
	tx := s.Txn()
	var oldest *model.Plan
	finished := 0
	for _, plan := range s.Plans() {
		if !plan.Finished() {
			continue
		}
		finished++
		if oldest == nil || plan.FinishedAt.Before(oldest.FinishedAt) {
			oldest = plan
		}
	}
	surplus := keep.Plans > 0 && finished > keep.Plans
	if oldest == nil || !surplus && (keep.PlanAge == 0 || now.Sub(oldest.FinishedAt) <= keep.PlanAge) {
		return tx
	}
	rolls := s.Rolls(oldest.Name)
	for _, roll := range rolls[:min(len(rolls), pruneBatch)] {
		tx.Delete(roll)
	}
	if len(rolls) < pruneBatch {
		tx.Delete(oldest)
	}
	return tx
}
