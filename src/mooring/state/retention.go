package state

import (
	"time"

	"mooring/model"
)

// Retention says which events and which finished plans are kept. A zero field
// sets no bound.
type Retention struct {
	Count int           // at most so many events
	Age   time.Duration // none older than this
	// Plans bounds how many finished plans are kept, and PlanAge for how long
	// after they finished, each with the rolls of all its cells.
	Plans   int
	PlanAge time.Duration
}

// pruneBatch bounds what one pruning deletes, so that it never holds up the
// writes that matter. What is left over is found by the next pruning.
const pruneBatch = 1000

// Prune gives a transaction that deletes the oldest events that keep does not
// cover, at most 1000 of them; it is empty when there are none. For the
// leader to commit.
func (s *Snapshot) Prune(keep Retention, now time.Time) *Txn {
	tx := s.Txn()
	surplus, n := 0, 0
	if keep.Count > 0 {
		surplus = s.CountEvents() - keep.Count
	}
	for event := range s.EventsAfter("") {
		old := keep.Age > 0 && now.Sub(event.At) > keep.Age
		if n >= pruneBatch || (n >= surplus && !old) {
			break
		}
		tx.Delete(event)
		n++
	}
	return tx
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
