package state

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestSnapshotFindsAndLists(t *testing.T) {
	g := NewWithT(t)
	inst := func(app string, index int, cell, next string) *model.Instance {
		i := &model.Instance{AppGUID: app, Index: index, Placement: model.Placement{CellID: cell}}
		if next != "" {
			i.Next = &model.Placement{CellID: next}
		}
		return i
	}
	set := &model.VolumeSet{GUID: "s1", Name: model.Name{Org: "acme", Space: "prod", Name: "data"}}
	s := SnapshotOf(
		app("a", 3), app("ab", 1), set,
		inst("a", 10, "c1", ""), inst("a", 2, "c2", "c1"), inst("a", 0, "", ""), inst("ab", 0, "c1", ""),
		&model.Volume{GUID: "v9", SetGUID: "s1", Index: 0, CellID: "c1"},
		&model.Volume{GUID: "v1", SetGUID: "s1", Index: 1, CellID: "c2"},
		&model.Volume{GUID: "v2", SetGUID: "s11", Index: 0},
		&model.ActualInstance{AppGUID: "a", Index: 2, CellID: "c2"},
		&model.ActualInstance{AppGUID: "a", Index: 2, CellID: "c1"},
		&model.ActualInstance{AppGUID: "ab", CellID: "c1"},
		&model.ActualVolume{GUID: "v1", CellID: "c2"}, &model.ActualVolume{GUID: "v1", CellID: "c1"},
		&model.Claim{Holder: "late", Since: 10}, &model.Claim{Holder: "x", Since: 9}, &model.Claim{Holder: "b/c", Since: 9},
		&model.Roll{Plan: "p", CellID: "c1", Phase: model.RollDone}, &model.Roll{Plan: "q", CellID: "c1", Phase: model.Acting},
		&model.Roll{Plan: "p", CellID: "c2", Phase: model.Queued},
		&model.Ledger{AppGUID: "a", Permits: []model.Permit{{ID: "p1", Index: 2}}},
		&model.Cordon{CellID: "c1"}, &model.Plan{PlanSpec: model.PlanSpec{Name: "p"}}, &model.Stuck{ID: "st"},
	)

	g.Expect(s.Revision()).To(Equal(int64(1)))
	g.Expect(s.Apps()).To(HaveLen(2))
	g.Expect(s.App("a").Instances).To(Equal(3))
	g.Expect(s.AppNamed(model.Name{Org: "acme", Space: "prod", Name: "ab"}).GUID).To(Equal("ab"))
	g.Expect(s.AppNamed(model.Name{Org: "acme", Space: "prod", Name: "abc"})).To(BeNil())
	g.Expect(s.VolumeSetNamed(set.Name).GUID).To(Equal("s1"))
	g.Expect(s.VolumeSet("s1")).NotTo(BeNil())
	g.Expect(s.VolumeSets()).To(HaveLen(1))

	g.Expect(keys(s.InstancesOf("a"))).To(Equal([]string{"instances/a/000000", "instances/a/000002", "instances/a/000010"}))
	g.Expect(keys(s.InstancesOn("c1"))).To(Equal([]string{"instances/a/000002", "instances/a/000010", "instances/ab/000000"}))
	g.Expect(keys(s.InstancesOn("c2"))).To(Equal([]string{"instances/a/000002"}))
	g.Expect(s.InstancesOn("c")).To(BeEmpty(), "a cell whose name begins another's")
	g.Expect(s.Instances()).To(HaveLen(4))
	g.Expect(s.Instance("a", 10).CellID).To(Equal("c1"))
	g.Expect(s.Instance("a", 1)).To(BeNil())

	g.Expect(keys(s.VolumesOf("s1"))).To(Equal([]string{"volumes/v9", "volumes/v1"}), "by index")
	g.Expect(keys(s.VolumesOn("c2"))).To(Equal([]string{"volumes/v1"}))
	g.Expect(s.Volumes()).To(HaveLen(3))
	g.Expect(s.Volume("v2").SetGUID).To(Equal("s11"))

	g.Expect(keys(s.ActualInstancesOf("a"))).To(Equal([]string{"actual-instances/a/000002/c1", "actual-instances/a/000002/c2"}))
	g.Expect(s.ActualInstancesOn("c1")).To(HaveLen(2))
	g.Expect(s.ActualInstance("a", 2, "c2")).NotTo(BeNil())
	g.Expect(keys(s.ActualVolumesOf("v1"))).To(Equal([]string{"actual-volumes/v1/c1", "actual-volumes/v1/c2"}))
	g.Expect(s.ActualVolumesOn("c2")).To(HaveLen(1))

	g.Expect(keys(s.Claims())).To(Equal([]string{"claims/b:c", "claims/x", "claims/late"}))
	g.Expect(s.Claim("b/c")).NotTo(BeNil())
	g.Expect(s.Ledger("a").Permit(2).ID).To(Equal("p1"))
	g.Expect(s.Ledger("nobody")).To(Equal(&model.Ledger{AppGUID: "nobody"}))
	g.Expect(s.Ledgers()).To(HaveLen(1))
	g.Expect(keys(s.Rolls("p"))).To(Equal([]string{"rolls/p/c1", "rolls/p/c2"}))
	g.Expect(s.Roll("p", "c2").Phase).To(Equal(model.Queued))
	g.Expect(s.RollOn("c1").Plan).To(Equal("q"), "the unfinished one")
	g.Expect(s.RollOn("c2")).To(BeNil(), "queued is not begun")
	g.Expect(s.Plans()).To(HaveLen(1))
	g.Expect(s.Plan("p")).NotTo(BeNil())
	g.Expect(s.Cordon("c1")).NotTo(BeNil())
	g.Expect(s.Cordons()).To(HaveLen(1))
	g.Expect(s.StuckItems()).To(HaveLen(1))
	g.Expect(s.StuckItem("st")).NotTo(BeNil())
}

func TestSnapshotPresentNeedsCellLeaseAndNobodyWhoDeclaredItLost(t *testing.T) {
	g := NewWithT(t)
	s := SnapshotOf(
		&model.Cell{ID: "here"}, &model.Presence{CellID: "here"},
		&model.Cell{ID: "silent"},
		&model.Cell{ID: "lost", Lost: true}, &model.Presence{CellID: "lost"},
		&model.Presence{CellID: "unregistered"})
	for cell, want := range map[string]bool{"here": true, "silent": false, "lost": false, "unregistered": false, "": false} {
		g.Expect(s.Present(cell)).To(Equal(want), cell)
	}
}

func TestSnapshotOfCopiesItsRecords(t *testing.T) {
	g := NewWithT(t)
	a := app("a", 3)
	s := SnapshotOf(a)
	a.Instances = 5
	g.Expect(s.App("a").Instances).To(Equal(3))
}

func TestApplyLeavesTheSnapshotAsItWas(t *testing.T) {
	g := NewWithT(t)
	before := SnapshotOf(app("a", 1), app("b", 1))
	tx := before.Txn()
	tx.Put(app("a", 2))
	tx.Put(app("c", 1))
	tx.Delete(app("b", 1))
	tx.Event(model.Event{Kind: "one"})
	tx.Event(model.Event{Kind: "two"})
	after := before.Apply(tx)

	g.Expect(keys(before.Apps())).To(Equal([]string{"apps/a", "apps/b"}))
	g.Expect(before.App("a").Instances).To(Equal(1))
	g.Expect(before.Events("", 0)).To(BeEmpty())
	g.Expect(after.Revision()).To(Equal(before.Revision() + 1))
	g.Expect(keys(after.Apps())).To(Equal([]string{"apps/a", "apps/c"}))
	g.Expect(after.App("a").Instances).To(Equal(2))
	g.Expect(kinds(after.Events("", 0))).To(Equal([]string{"one", "two"}))
}

func TestTxnTellsItsChanges(t *testing.T) {
	g := NewWithT(t)
	tx := SnapshotOf(app("a", 1)).Txn()
	g.Expect(tx.Empty()).To(BeTrue())
	tx.Require("apps/a")
	g.Expect(tx.Empty()).To(BeTrue(), "a condition alone writes nothing")
	tx.Put(app("b", 1))
	tx.Delete(app("a", 1))
	tx.Put(app("b", 2)) // the last word on a key counts
	tx.Event(model.Event{Kind: "k"})
	puts, deletes := tx.Changes()
	g.Expect(keys(puts)).To(Equal([]string{"apps/b"}))
	g.Expect(puts[0].(*model.App).Instances).To(Equal(2))
	g.Expect(deletes).To(Equal([]string{"apps/a"}))
	g.Expect(tx.Events()).To(HaveLen(1))
	g.Expect(tx.Empty()).To(BeFalse())
}

func TestSnapshotsNeverChangeUnderTheReader(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	put(t, s, serving(app("a", 6))...)
	held := s.Snapshot()
	before := contents(g, held)

	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if contents(g, held) != before {
					t.Error("the snapshot changed")
					return
				}
			}
		})
	}
	writers.Go(func() {
		for i := range 50 {
			put(t, s, app("a", i), app("new", i), &model.ActualInstance{AppGUID: "a", CellID: cellName(i)})
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
	g.Expect(contents(g, held)).To(Equal(before))
	g.Expect(s.Snapshot().App("a").Instances).To(Equal(49))
}

// contents writes out what a snapshot holds of one app.
func contents(g Gomega, s *Snapshot) string {
	text, err := json.Marshal([]any{s.Revision(), s.Apps(), s.InstancesOf("a"), s.ActualInstancesOf("a"), s.ActualInstancesOn(cellName(1))})
	g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func TestEventsAreReadInPagesAndPruned(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := SnapshotOf()
	for i := range 6 { // two in each write, an hour apart
		if i%2 == 1 {
			continue
		}
		tx := s.Txn()
		tx.Event(model.Event{Kind: model.EventKind(rune('a' + i)), At: now.Add(time.Duration(i-5) * time.Hour)})
		tx.Event(model.Event{Kind: model.EventKind(rune('b' + i)), At: now.Add(time.Duration(i-4) * time.Hour)})
		s = s.Apply(tx)
	}
	everything := s.Events("", 0)
	g.Expect(kinds(everything)).To(Equal([]string{"a", "b", "c", "d", "e", "f"}))
	g.Expect(kinds(s.Events("", 2))).To(Equal([]string{"a", "b"}))
	g.Expect(kinds(s.Events(everything[1].ID, 3))).To(Equal([]string{"c", "d", "e"}))
	g.Expect(s.Events(everything[5].ID, 0)).To(BeEmpty())
	g.Expect(kinds(s.RecentEvents(2))).To(Equal([]string{"e", "f"}))
	g.Expect(s.RecentEvents(10)).To(HaveLen(6))
	g.Expect(s.RecentEvents(0)).To(BeEmpty())
	g.Expect(kinds(slices.Collect(s.EventsAfter(everything[3].ID)))).To(Equal([]string{"e", "f"}))
	g.Expect(kinds(slices.Collect(s.EventsBack()))).To(Equal([]string{"f", "e", "d", "c", "b", "a"}))

	left := func(keep Retention) []string { return kinds(s.Apply(s.Prune(keep, now)).Events("", 0)) }
	g.Expect(s.Prune(Retention{}, now).Empty()).To(BeTrue(), "no bound")
	g.Expect(s.Prune(Retention{Count: 6, Age: 6 * time.Hour}, now).Empty()).To(BeTrue(), "within bounds")
	g.Expect(left(Retention{Count: 2})).To(Equal([]string{"e", "f"}))
	g.Expect(left(Retention{Age: 150 * time.Minute})).To(Equal([]string{"d", "e", "f"}))
	g.Expect(left(Retention{Count: 1, Age: 150 * time.Minute})).To(Equal([]string{"f"}), "each bound holds")
}

func TestWhatAReceiverWasNotToldOfIsKept(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := SnapshotOf()
	for i, kind := range []string{"old", "told", "noise", "untold", "noise", "last"} {
		tx := s.Txn()
		event := model.Event{Kind: model.EventKind(kind), At: now.Add(time.Duration(i-6) * time.Hour)}
		if kind != "noise" {
			event.Stuck = &model.Stuck{ID: kind}
		}
		tx.Event(event)
		s = s.Apply(tx)
	}
	events := s.Events("", 0)
	keep := Retention{Count: 1, Spool: 270 * time.Minute}
	left := func() []string { return kinds(s.Apply(s.Prune(keep, now)).Events("", 0)) }
	g.Expect(left()).To(Equal([]string{"last"}), "nobody is to be told")

	deliver := func(receiver, after string) {
		tx := s.Txn()
		tx.Put(&model.Delivery{Receiver: receiver, After: after})
		s = s.Apply(tx)
	}
	deliver("ops", events[4].ID)
	deliver("dev", events[1].ID)
	g.Expect(left()).To(Equal([]string{"untold", "last"}))
	deliver("dev", "0")
	g.Expect(left()).To(Equal([]string{"untold", "last"}), "the others are given up by now")
	keep.Spool = 24 * time.Hour
	g.Expect(left()).To(Equal([]string{"old", "told", "untold", "last"}))
	deliver("dev", events[5].ID)
	g.Expect(left()).To(Equal([]string{"last"}))
}

func TestMoreCellsHaveMoreEventsKept(t *testing.T) {
	g := NewWithT(t)
	s := SnapshotOf(&model.Cell{ID: "c1"}, &model.Cell{ID: "c2"})
	for range 10 {
		tx := s.Txn()
		tx.Event(model.Event{Kind: "said"})
		s = s.Apply(tx)
	}
	for _, c := range []struct {
		keep Retention
		left int
	}{
		{Retention{Count: 3}, 3}, {Retention{Count: 3, PerCell: 2}, 7}, {Retention{PerCell: 2}, 10}, {Retention{Count: 3, PerCell: MostForCells}, 10},
	} {
		g.Expect(s.Apply(s.Prune(c.keep, time.Time{})).Events("", 0)).To(HaveLen(c.left))
	}
}

func keys[T model.Record](records []T) []string {
	var out []string
	for _, rec := range records {
		out = append(out, rec.Key())
	}
	return out
}

func kinds(events []*model.Event) []string {
	var out []string
	for _, event := range events {
		out = append(out, string(event.Kind))
	}
	return out
}

// said is an event that is known by its text.
func said(text string) model.Event { return model.Event{Kind: model.EventAppScaled, Text: text} }

func texts(events []*model.Event) []string {
	var out []string
	for _, event := range events {
		out = append(out, event.Text)
	}
	return out
}
