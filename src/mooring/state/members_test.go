package state

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

// halfDeaf opens a store that has two ways to etcd, of which one begins to
// carry requests and no answers.
func halfDeaf(t *testing.T, prefix string) *Store {
	t.Helper()
	wire := newWire(t, etcd.Endpoints()[0])
	s := openAt(t, prefix, wire.endpoint(), etcd.Endpoints()[0])
	calls := 0
	NewWithT(t).Eventually(func() int {
		wire.mu.Lock()
		before := wire.heard
		wire.mu.Unlock()
		if _, err := s.client.Get(t.Context(), "any"); err != nil {
			t.Error(err)
		}
		wire.mu.Lock()
		defer wire.mu.Unlock()
		if wire.heard > before {
			calls++
		}
		return calls
	}, "10s", "1ms").Should(BeNumerically(">", 5), "calls go round both")
	wire.deafen(t)
	return s
}

// A commit whose answer is lost is made again at another member, where it meets
// itself: it is known to be written then, and a conflict with others is one.
func TestCommit_WhoseAnswerIsLostIsMadeAgain(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	s, other := halfDeaf(t, prefix), open(t, prefix)
	put(t, other, app("shared", 1))
	g.Eventually(func() *model.App { return s.Snapshot().App("shared") }, "5s", "10ms").ShouldNot(BeNil())
	began := time.Now()
	for i := range 4 { // fewer seconds than after which gRPC drops the connection
		s.members.trust() // so that both ways are taken
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		tx := s.Snapshot().Txn()
		guid := fmt.Sprint("app-", i)
		tx.Put(app(guid, 1))
		if i >= 2 {
			tx.Event(said(guid))
		}
		revision, err := s.Commit(ctx, tx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.Snapshot().App(guid)).NotTo(BeNil())
		g.Expect(s.Snapshot().find("apps/" + guid).mod).To(Equal(revision))

		stale := s.Snapshot().Txn()
		stale.Put(app("shared", 7))
		stale.Event(said("stale"))
		put(t, other, app("shared", 10+i))
		s.members.trust()
		_, err = s.Commit(ctx, stale)
		g.Expect(err).To(MatchError(ErrConflict))
		g.Expect(s.Snapshot().App("shared").Instances).To(Equal(10 + i))
		cancel()
	}
	g.Expect(time.Since(began)).To(BeNumerically(">", leastPatience), "an answer was lost")
	g.Expect(s.Snapshot().Events("", 0)).To(HaveLen(2))
}

func TestCommit_IsGivenUpWhereNoMemberAnswers(t *testing.T) {
	g := NewWithT(t)
	wire := newWire(t, etcd.Endpoints()[0])
	s := openAt(t, prefixOf(t), wire.endpoint())
	wire.deafen(t)
	tx := s.Snapshot().Txn()
	tx.Put(app("a", 1))
	ended := make(chan error, 1)
	go func() { _, err := s.Commit(t.Context(), tx); ended <- err }()
	var err error
	g.Eventually(ended, "20s").Should(Receive(&err))
	g.Expect(err).To(MatchError(ContainSubstring("did not answer")))
	g.Expect(errors.Is(err, ErrConflict)).To(BeFalse())
}

func TestPresence_IsKeptThroughAMemberThatDoesNotAnswer(t *testing.T) {
	g := NewWithT(t)
	s := halfDeaf(t, prefixOf(t))
	for i := range 6 {
		s.members.trust()
		p := &model.Presence{CellID: cellName(i), Boot: "b", Start: "s1"}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		g.Expect(s.Keep(ctx, p, time.Minute)).To(Succeed())
		g.Expect(s.Keep(ctx, p, time.Minute)).To(Succeed())
		cancel()
		g.Expect(s.Snapshot().Presence(p.CellID)).To(Equal(p))
	}
}

// Other watchers of one member that is silent resume at another.
func TestWatch_IsResumedElsewhere(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	near := open(t, prefix)
	var watching []*Store
	for range 4 {
		watching = append(watching, halfDeaf(t, prefix))
	}
	revision := put(t, near, app("a", 1))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, s := range watching {
		g.Expect(s.Wait(ctx, revision-1)).To(Succeed())
	}
}

func TestMembers_ASilentOneIsPassedOverAndTriedAgainByOneCall(t *testing.T) {
	g := NewWithT(t)
	m := &members{}
	addresses := []string{"a", "b", "c"}
	_, silent := m.attempt(t.Context())
	silent.address = "b"
	silent.giveUp()
	for turn := range 6 {
		g.Expect(addresses[m.choose(addresses, turn)]).NotTo(Equal("b"))
	}
	g.Expect(m.choose(addresses, 1)).To(Equal(2), "its turn is the next one's")

	m.avoided["b"] = time.Now().Add(-time.Second)
	g.Expect(m.choose(addresses, 1)).To(Equal(1), "one call tries it")
	g.Expect(m.choose(addresses, 1)).To(Equal(2), "the others do not wait for that")
	silent.answer()
	g.Expect(m.choose(addresses, 1)).To(Equal(1))

	for _, address := range []string{"c", "a", "b"} {
		_, a := m.attempt(t.Context())
		a.address = address
		a.giveUp()
	}
	g.Expect(m.choose(addresses, 0)).To(Equal(2), "where all are silent, the one that was found so first")
}

// An etcd that is slow as a whole is given more time instead of more requests.
func TestMembers_PatienceGrowsOnlyWhereNobodyAnswers(t *testing.T) {
	g := NewWithT(t)
	m := &members{}
	began := func() *attempt { _, a := m.attempt(t.Context()); return a }
	one, other := began(), began()
	other.answer()
	g.Expect(one.giveUp().Waited).To(Equal(leastPatience))
	g.Expect(began().patience).To(Equal(leastPatience), "one is silent, another is not")

	together := []*attempt{began(), began(), began()}
	for _, a := range together {
		a.giveUp()
	}
	g.Expect(began().patience).To(Equal(leastPatience*3/2), "those that gave up together count once")
	for range 10 {
		began().giveUp()
	}
	g.Expect(began().patience).To(Equal(mostPatience))
	began().answer()
	g.Expect(began().patience).To(Equal(leastPatience))
}

func TestRepeatable_IsWhatOnlyReads(t *testing.T) {
	g := NewWithT(t)
	s := halfDeaf(t, prefixOf(t))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 6 {
		s.members.trust()
		_, err := s.client.Txn(ctx).Then(clientv3.OpGet("any")).Commit()
		g.Expect(err).NotTo(HaveOccurred())
		_, err = s.client.Get(ctx, "any")
		g.Expect(err).NotTo(HaveOccurred())
		_, err = s.client.Put(ctx, s.prefix+"wizards/x", `{"format":1,"data":{}}`)
		if unanswered := (*UnansweredError)(nil); err != nil {
			g.Expect(errors.As(err, &unanswered)).To(BeTrue(), "%v", err)
		}
	}
}

// trust forgets what is known.
func (m *members) trust() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.avoided, m.patience = nil, 0
}
