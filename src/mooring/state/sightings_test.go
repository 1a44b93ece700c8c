package state

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestSeen_IsByTheClockOfWhoeverLooks(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": 5 * time.Hour, "behind": -5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			s := open(t, prefix)
			written := time.Now().Add(skew).UTC()
			began := time.Now()
			put(t, s, &model.Stuck{ID: "a", FlaggedAt: written})
			item := s.Snapshot().StuckItem("a")
			seen := s.Snapshot().Seen(item.FlaggedAt)
			g.Expect(seen).To(BeTemporally("~", began, 10*time.Second))
			g.Expect(s.Snapshot().Witnessed(item.FlaggedAt)).To(BeTrue())

			again := *item
			again.What = "says more"
			put(t, s, &again)
			g.Expect(s.Snapshot().Seen(item.FlaggedAt)).To(Equal(seen), "it is no later for having been written again")

			late := open(t, prefix)
			g.Expect(late.Snapshot().Seen(item.FlaggedAt)).To(BeTemporally(">", seen), "to whoever comes later it begins then")
			g.Expect(late.Snapshot().Witnessed(item.FlaggedAt)).To(BeFalse())
		})
	}
}

func TestSightings_OfWhatIsNoMoreAreForgotten(t *testing.T) {
	g := NewWithT(t)
	s := NewSightings()
	now := time.Now()
	kept := &model.Stuck{ID: "kept", FlaggedAt: now.Add(time.Hour)}
	s.Note(kept, now)
	for i := range sightingsSpare {
		s.Note(&model.Stuck{ID: fmt.Sprint(i), FlaggedAt: now.Add(2*time.Hour + time.Duration(i))}, now)
	}
	g.Expect(s.grown()).To(BeTrue())
	s.keep(func(visit func(model.Record)) { visit(kept) })
	g.Expect(s.grown()).To(BeFalse())
	g.Expect(s.of(kept.FlaggedAt)).To(Equal(now))
	g.Expect(s.seen).To(HaveLen(1))
}

func TestPrune_KeepsWhatSomebodyHasYetToHearWhateverTheClockOfItsWriter(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	tx := s.Snapshot().Txn()
	tx.Put(&model.Delivery{Receiver: "hook", After: "0"})
	tx.Event(model.Event{At: time.Now().Add(-48 * time.Hour), Kind: model.EventStuckOpened, Stuck: &model.Stuck{ID: "a"}})
	_, err := s.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	keep := Retention{Age: time.Hour, Spool: 24 * time.Hour}
	g.Expect(s.Snapshot().Prune(keep, time.Now()).Empty()).To(BeTrue())
}
