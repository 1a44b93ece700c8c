package state

import "time"

// Retention says which events are kept. A zero field sets no bound.
type Retention struct {
	Count int           // at most so many
	Age   time.Duration // none older than this
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
