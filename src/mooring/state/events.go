package state

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/model"
)

// eventID is an event's place in the stream of all events: the revision that
// wrote it, then its place in that write. IDs sort as text.
func eventID(revision int64, place int) string { return fmt.Sprintf("%012d-%05d", revision, place) }

// eventKeys gives n keys to write events at. An event's ID holds the revision
// that its own write makes, so it cannot be part of the key; the ID is put
// together when the event is read. The keys need only be unlike any other and
// end in the event's place.
func eventKeys(after int64, n int) []string {
	var nonce [8]byte
	rand.Read(nonce[:]) // never fails
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s/%012d-%s-%05d", model.TableEvents, after, hex.EncodeToString(nonce[:]), i)
	}
	return keys
}

// eventPlace reads an event's place in its write from its key.
func eventPlace(key string) (int, error) {
	place, err := strconv.Atoi(key[strings.LastIndexByte(key, '-')+1:])
	if err != nil || place < 0 {
		return 0, fmt.Errorf("the key does not end in the event's place in its write; delete the key")
	}
	return place, nil
}

// Events lists events in the order they were committed, from the first after
// the ID afterID ("" for the oldest kept), at most limit of them (0 for all).
func (s *Snapshot) Events(afterID string, limit int) []*model.Event {
	var found []*model.Event
	rest, err := s.txn.LowerBound(model.TableEvents, byOrder, afterID)
	if err != nil {
		panic(fmt.Sprintf("state: list events after %s: %v", afterID, err))
	}
	for raw := rest.Next(); raw != nil; raw = rest.Next() {
		event := raw.(*entry).rec.(*model.Event)
		if event.ID <= afterID {
			continue
		}
		found = append(found, event)
		if len(found) == limit {
			break
		}
	}
	return found
}

// RecentEvents lists the last n events in the order they were committed.
func (s *Snapshot) RecentEvents(n int) []*model.Event {
	back, err := s.txn.GetReverse(model.TableEvents, byOrder+"_prefix", "")
	if err != nil {
		panic(fmt.Sprintf("state: list the last events: %v", err))
	}
	var found []*model.Event
	for raw := back.Next(); raw != nil && len(found) < n; raw = back.Next() {
		found = append(found, raw.(*entry).rec.(*model.Event))
	}
	slices.Reverse(found)
	return found
}

// Retention says which events are kept. A zero field sets no bound.
type Retention struct {
	Count int // at most so many
	// PerCell is how many more each cell brings, since a plan of all cells is to
	// be kept whole: up to MostForCells.
	PerCell int
	Age     time.Duration // none older than this
	// Spool: what happened to alerts since so long is kept, whatever else, while
	// there is a receiver that was not told of it.
	Spool time.Duration
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
	events := s.Events("", 0)
	surplus, deleted := 0, 0
	if keep.Count > 0 {
		bound := max(keep.Count, min(keep.Count+keep.PerCell*len(s.Cells()), MostForCells))
		surplus = len(events) - bound
	}
	told := s.toldToAll()
	for i, event := range events {
		old := keep.Age > 0 && now.Sub(event.At) > keep.Age
		if deleted == pruneBatch || (i >= surplus && !old) {
			break
		}
		if event.Stuck != nil && event.ID > told && now.Sub(event.At) <= keep.Spool {
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

// CountEvents gives how many events are kept.
func (s *Snapshot) CountEvents() int {
	all, err := s.txn.Get(model.TableEvents, "id_prefix", model.TableEvents+"/")
	if err != nil {
		panic(fmt.Sprintf("state: count the events: %v", err))
	}
	count := 0
	for all.Next() != nil {
		count++
	}
	return count
}
