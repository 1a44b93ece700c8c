package state

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

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

// EventsAfter gives events in the order they were committed, from the first
// after the ID afterID ("" for the oldest kept).
func (s *Snapshot) EventsAfter(afterID string) iter.Seq[*model.Event] {
	return func(yield func(*model.Event) bool) {
		rest, err := s.txn.LowerBound(model.TableEvents, byOrder, afterID)
		if err != nil {
			panic(fmt.Sprintf("state: list events after %s: %v", afterID, err))
		}
		for raw := rest.Next(); raw != nil; raw = rest.Next() {
			if event := raw.(*entry).rec.(*model.Event); event.ID > afterID && !yield(event) {
				return
			}
		}
	}
}

// EventsBack gives events from the newest to the oldest kept.
func (s *Snapshot) EventsBack() iter.Seq[*model.Event] {
	return func(yield func(*model.Event) bool) {
		back, err := s.txn.GetReverse(model.TableEvents, byOrder+"_prefix", "")
		if err != nil {
			panic(fmt.Sprintf("state: list the last events: %v", err))
		}
		for raw := back.Next(); raw != nil && yield(raw.(*entry).rec.(*model.Event)); raw = back.Next() {
		}
	}
}

// Events lists at most limit (0 for all) of what EventsAfter gives.
func (s *Snapshot) Events(afterID string, limit int) []*model.Event {
	return leading(s.EventsAfter(afterID), limit)
}

// RecentEvents lists the last n events in the order they were committed.
func (s *Snapshot) RecentEvents(n int) []*model.Event {
	var found []*model.Event
	if n > 0 {
		found = leading(s.EventsBack(), n)
	}
	slices.Reverse(found)
	return found
}

// leading lists the first n events, all for 0.
func leading(events iter.Seq[*model.Event], n int) []*model.Event {
	var found []*model.Event
	for event := range events {
		if found = append(found, event); len(found) == n {
			break
		}
	}
	return found
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
