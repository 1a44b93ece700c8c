package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
)

func TestCommitIsReadByTheWriterAtOnceAndByOthersSoon(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	writer, other := open(t, prefix), open(t, prefix)
	for i := range 20 {
		revision := put(t, writer, app("a", i))
		g.Expect(writer.Snapshot().Revision()).To(BeNumerically(">=", revision))
		g.Expect(writer.Snapshot().App("a").Instances).To(Equal(i))
		catchUp(t, other, revision)
		g.Expect(other.Snapshot().App("a").Instances).To(Equal(i))
	}
}

func TestCommitConflicts(t *testing.T) {
	inst := func(app string, index, version int) *model.Instance {
		return &model.Instance{AppGUID: app, Index: index, SpecVersion: version}
	}
	base := []model.Record{app("a", 1), app("b", 1), inst("a", 0, 1), inst("ab", 0, 1)}
	write := func(rec model.Record) func(*Txn) { return func(tx *Txn) { tx.Put(rec) } }
	remove := func(rec model.Record) func(*Txn) { return func(tx *Txn) { tx.Delete(rec) } }
	under := func(prefix string) func(*Txn) { return func(tx *Txn) { tx.RequireUnder(prefix) } }
	require := func(key string) func(*Txn) { return func(tx *Txn) { tx.Require(key) } }

	for name, test := range map[string]struct {
		meanwhile, decision func(*Txn)
		conflict            bool
	}{
		"both put":                      {write(app("a", 2)), write(app("a", 3)), true},
		"both create":                   {write(app("c", 2)), write(app("c", 3)), true},
		"put what was deleted":          {remove(app("a", 1)), write(app("a", 3)), true},
		"delete what was put":           {write(app("a", 2)), remove(app("a", 1)), true},
		"delete what was never there":   {write(app("c", 1)), func(tx *Txn) { tx.Delete(app("c", 1)); tx.Put(app("d", 1)) }, true},
		"different keys":                {write(app("a", 2)), write(app("b", 3)), false},
		"required key put":              {write(app("a", 2)), require("apps/a"), true},
		"required key deleted":          {remove(app("a", 1)), require("apps/a"), true},
		"required absence filled":       {write(app("c", 1)), require("apps/c"), true},
		"required key left alone":       {write(app("b", 2)), require("apps/a"), false},
		"required prefix: changed":      {write(inst("a", 0, 2)), under("instances/a"), true},
		"required prefix: added":        {write(inst("a", 1, 1)), under("instances/a/"), true},
		"required prefix: removed":      {remove(inst("a", 0, 1)), under("instances/a/"), true},
		"required prefix: like-named":   {write(inst("ab", 0, 2)), under("instances/a"), false},
		"required prefix: first filled": {write(inst("z", 0, 1)), under("instances/z/"), true},
		"events never conflict":         {func(tx *Txn) { tx.Event(said("x")) }, func(tx *Txn) { tx.Event(said("y")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := open(t, prefixOf(t))
			put(t, s, base...)
			old := s.Snapshot()

			tx := old.Txn()
			test.meanwhile(tx)
			_, err := s.Commit(t.Context(), tx)
			g.Expect(err).NotTo(HaveOccurred())

			tx = old.Txn()
			tx.Put(app("own", 1))
			test.decision(tx)
			_, err = s.Commit(t.Context(), tx)
			if !test.conflict {
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(s.Snapshot().App("own")).NotTo(BeNil())
				return
			}
			g.Expect(err).To(MatchError(ErrConflict))
			g.Expect(s.Snapshot().App("own")).To(BeNil(), "nothing of a refused transaction is written")
			g.Expect(s.Snapshot().Revision()).To(BeNumerically(">", old.Revision()), "so that deciding again has a chance")
		})
	}
}

func TestCommitReturnsOnlyWhenTheMirrorIsThere(t *testing.T) {
	for name, conflict := range map[string]bool{"committed": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			near, far := open(t, prefix), open(t, prefix)
			catchUp(t, far, put(t, near, app("a", 0)))
			resume := stall(far)
			old := far.Snapshot()
			if conflict {
				put(t, near, app("a", 1))
			}
			answer := make(chan error, 1)
			seen := make(chan int64, 1)
			go func() {
				tx := old.Txn()
				tx.Put(app("a", 2))
				_, err := far.Commit(t.Context(), tx)
				seen <- far.Snapshot().Revision()
				answer <- err
			}()
			if !conflict {
				g.Eventually(func() int { return near.Snapshot().App("a").Instances }, "5s").Should(Equal(2), "it is written")
			}
			g.Consistently(answer, "100ms").ShouldNot(Receive())
			resume()
			var err error
			g.Eventually(answer, "5s").Should(Receive(&err))
			g.Expect(errors.Is(err, ErrConflict)).To(Equal(conflict), "%v", err)
			g.Expect(seen).To(Receive(BeNumerically(">", old.Revision())), "so that the next decision is another")
		})
	}
}

// stall keeps the mirror of a store from following etcd until resume.
func stall(s *Store) (resume func()) {
	s.cancel()
	s.done.Wait()
	return func() {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.done.Go(func() { s.follow(s.Snapshot().revision) })
	}
}

func TestCommitRefusesWhatItCannotWrite(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	refuse := func(want string, base *Snapshot, rec model.Record) {
		tx := base.Txn()
		tx.Put(rec)
		_, err := s.Commit(t.Context(), tx)
		g.Expect(err).To(MatchError(ContainSubstring(want)))
	}
	refuse("use Store.Keep", s.Snapshot(), &model.Presence{CellID: "c"})
	refuse("Txn.Event", s.Snapshot(), &model.Event{ID: "e"})
	refuse("begin it on Store.Snapshot()", SnapshotOf(), app("a", 1))
	refuse("begin it on Store.Snapshot()", open(t, s.prefix).Snapshot(), app("a", 1))
	refuse("begin it on Store.Snapshot()", s.Snapshot().Apply(s.Snapshot().Txn()), app("a", 1))
}

// A kind that nobody has said the meaning of is a fault of the program, and
// nothing that goes with it is written.
func TestCommitRefusesEventsOfUnknownKinds(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	tx := s.Snapshot().Txn()
	tx.Put(app("a", 1))
	tx.Event(model.Event{Kind: "app.scaled"})
	tx.Event(model.Event{Kind: "app.scale"})
	_, err := s.Commit(t.Context(), tx)
	g.Expect(err).To(MatchError(ContainSubstring(`append an event of kind "app.scale": model.EventKinds has no such kind`)))
	g.Expect(s.Snapshot().App("a")).To(BeNil())
	g.Expect(s.Snapshot().Events("", 0)).To(BeEmpty())
}

// What an earlier version wrote under a kind that is no longer known stays.
func TestEventsOfKindsThatAreNoLongerKnownAreRead(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	event := model.Event{Kind: "plan.sketched", Actor: "olga", Text: "as it was"}
	value, err := encode(&event)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = raw(t).Put(t.Context(), prefix+eventKeys(1, 1)[0], string(value))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(open(t, prefix).Snapshot().Events("", 0)).To(HaveExactElements(HaveValue(And(
		HaveField("Kind", model.EventKind("plan.sketched")), HaveField("Actor", "olga"), HaveField("Text", "as it was")))))
}

func TestCommitOfNothingWritesNothing(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	before := put(t, s, app("a", 1))
	tx := s.Snapshot().Txn()
	tx.Require("apps/a")
	g.Expect(s.Commit(t.Context(), tx)).To(Equal(before))
	tx.Delete(app("never", 1))
	g.Expect(s.Commit(t.Context(), tx)).To(Equal(before))
}

func TestCommitOfThousandsOfRecordsIsOneRevision(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	s, other := open(t, prefix), open(t, prefix)
	var records []model.Record
	for i := range 6000 { // more than one page, and far more than etcd's own limit
		records = append(records, &model.ActualInstance{AppGUID: "a", Index: i, CellID: "c", Error: fmt.Sprint("text ", i)})
	}
	before := other.Snapshot().Revision()
	revision := put(t, s, records...)
	g.Expect(other.Wait(t.Context(), before)).To(Succeed())
	g.Expect(other.Snapshot().Revision()).To(Equal(revision))
	g.Expect(other.Snapshot().ActualInstancesOn("c")).To(HaveLen(6000))
	g.Expect(open(t, prefix).Snapshot().ActualInstancesOn("c")).To(HaveLen(6000))
}

func TestCountersOfManyWritersLoseNothing(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	stores := []*Store{open(t, prefix), open(t, prefix)}
	put(t, stores[0], app("a", 0))
	catchUp(t, stores[1], stores[0].Snapshot().Revision())
	const writers, each = 4, 15
	var mu sync.Mutex
	wrote := map[int]int64{} // the revision that each value was acknowledged at
	var last int64
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			s := stores[w%2]
			for n := 0; n < each; {
				snap := s.Snapshot()
				next := snap.App("a").Instances + 1
				tx := snap.Txn()
				tx.Put(app("a", next))
				revision, err := s.Commit(t.Context(), tx)
				if errors.Is(err, ErrConflict) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n++
				mu.Lock()
				if before, twice := wrote[next]; twice {
					t.Errorf("%d was written at revision %d and again at %d", next, before, revision)
				}
				wrote[next], last = revision, max(last, revision)
				mu.Unlock()
			}
		})
	}
	done.Wait()
	g.Expect(wrote).To(HaveLen(writers * each))
	for _, s := range stores {
		catchUp(t, s, last)
		g.Expect(s.Snapshot().App("a").Instances).To(Equal(writers * each))
	}
}

func TestEventsStandInTheOrderOfTheirCommits(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	stores := []*Store{open(t, prefix), open(t, prefix)}
	old := []*Snapshot{stores[0].Snapshot(), stores[1].Snapshot()}
	var committed []string
	var last int64
	for i := range 10 {
		tx := old[i%2].Txn() // decided long before it is committed
		for place := range 3 {
			event := said(fmt.Sprint(i, ".", place))
			event.ID = "not the caller's to choose"
			tx.Event(event)
			committed = append(committed, event.Text)
		}
		var err error
		last, err = stores[i%2].Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	stores = append(stores, open(t, prefix)) // one that reads instead of watching
	for _, s := range stores {
		catchUp(t, s, last)
		g.Expect(texts(s.Snapshot().Events("", 0))).To(Equal(committed))
		g.Expect(s.Snapshot().Events("", 0)).To(Equal(stores[0].Snapshot().Events("", 0)))
	}
	_, err := stores[0].Commit(t.Context(), stores[0].Snapshot().Prune(Retention{Count: 4}, time.Time{}))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(texts(stores[0].Snapshot().Events("", 0))).To(Equal(committed[26:]))
}

// Whatever is decided, Apply foretells what Commit makes of it.
func TestApplyForetellsCommit(t *testing.T) {
	s := open(t, prefixOf(t))
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		before := s.Snapshot()
		tx := before.Txn()
		for range rapid.IntRange(0, 6).Draw(t, "writes") {
			a := app(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "app"), rapid.IntRange(0, 9).Draw(t, "n"))
			if rapid.Bool().Draw(t, "put") {
				tx.Put(a)
			} else {
				tx.Delete(a)
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "events") {
			tx.Event(said(rapid.StringMatching("[a-z]{3}").Draw(t, "text")))
		}
		foretold := before.Apply(tx)
		if _, err := s.Commit(s.ctx, tx); err != nil {
			t.Fatal(err)
		}
		after := s.Snapshot()
		g.Expect(after.Apps()).To(Equal(foretold.Apps()))
		g.Expect(texts(after.Events("", 0))).To(Equal(texts(foretold.Events("", 0))))
	})
}
