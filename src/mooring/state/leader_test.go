package state

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestLeadershipIsHeldByOneAndFenced(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	first, second := open(t, prefix), open(t, prefix)
	lead, err := first.Lead(t.Context(), "scheduler", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(as(t, first, lead)).To(Succeed())

	next := make(chan *Leadership, 1)
	go func() {
		l, err := second.Lead(t.Context(), "scheduler", "node-2")
		if err != nil {
			t.Error(err)
		}
		next <- l
	}()
	g.Consistently(next, "100ms").ShouldNot(Receive())
	other, err := second.Lead(t.Context(), "orchestrator", "node-2")
	g.Expect(err).NotTo(HaveOccurred(), "another role has another leader")
	g.Expect(other.Resign(t.Context())).To(Succeed())

	// The lease runs out, as it does for a leader that is cut off.
	_, err = raw(t).Revoke(t.Context(), lead.lease)
	g.Expect(err).NotTo(HaveOccurred())
	err = as(t, first, lead)
	g.Expect(err).To(MatchError(And(ContainSubstring("scheduler"), ContainSubstring("lost"))))
	g.Expect(errors.Is(err, ErrConflict)).To(BeTrue())
	g.Eventually(lead.Lost(), "10s").Should(BeClosed())

	var successor *Leadership
	g.Eventually(next, "5s").Should(Receive(&successor))
	g.Expect(as(t, second, successor)).To(Succeed())
	g.Expect(as(t, first, lead)).To(MatchError(ErrConflict), "also when somebody else leads")
}

func TestContextOfALeadershipEndsWithIt(t *testing.T) {
	g := NewWithT(t)
	store := open(t, prefixOf(t))
	lead, err := store.Lead(t.Context(), "r", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	leading, end := lead.Context(t.Context())
	defer end()
	over, end := lead.Context(t.Context())
	end()
	g.Expect(context.Cause(over)).To(Equal(context.Canceled))
	g.Consistently(leading.Done(), "50ms").ShouldNot(BeClosed())

	revision := store.Snapshot().Revision()
	g.Expect(store.WaitUntil(leading, revision, time.Now().Add(10*time.Millisecond))).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- store.WaitUntil(leading, revision, time.Time{}) }()
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "5s").Should(Receive(And(MatchError(ErrLost), MatchError(ContainSubstring("as r")))))
}

func TestResignLetsAnotherLeadAtOnce(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	first, second := open(t, prefix), open(t, prefix)
	lead, err := first.Lead(t.Context(), "r", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Expect(lead.Lost()).To(BeClosed())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // less than the lease
	defer cancel()
	_, err = second.Lead(ctx, "r", "node-2")
	g.Expect(err).NotTo(HaveOccurred())
}

func TestARestartedProcessLeadsWithoutWaitingForItsOldLease(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	before, after := open(t, prefix), open(t, prefix)
	lead, err := before.Lead(t.Context(), "r", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	again, err := after.Lead(ctx, "r", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(as(t, before, lead)).To(MatchError(ErrConflict))
	g.Expect(as(t, after, again)).To(Succeed())
}

func TestLeadEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	first, second := open(t, prefix), open(t, prefix)
	_, err := first.Lead(t.Context(), "r", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = second.Lead(ctx, "r", "node-2")
	g.Expect(err).To(MatchError(ContainSubstring("become leader of r")))
	g.Expect(second.Close()).To(Succeed())
	_, err = second.Lead(t.Context(), "r", "node-2")
	g.Expect(err).To(MatchError(ErrClosed))
}

// as commits something as a leader.
func as(t *testing.T, s *Store, lead *Leadership) error {
	tx := s.Snapshot().Txn()
	tx.Put(app("a", int(time.Now().UnixNano()%1000)))
	tx.As(lead)
	_, err := s.Commit(t.Context(), tx)
	return err
}

func TestLeadersAreKnownToAll(t *testing.T) {
	g := NewWithT(t)
	store := open(t, prefixOf(t))
	g.Expect(store.Leaders(t.Context())).To(BeEmpty())
	lead, err := store.Lead(t.Context(), "scheduler", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	waiting, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan struct{})
	go func() {
		defer close(gaveUp)
		_, _ = store.Lead(waiting, "scheduler", "node-2")
	}()
	_, err = store.Lead(t.Context(), "orchestrator", "node-3")
	g.Expect(err).NotTo(HaveOccurred())

	g.Consistently(func() (map[string]string, error) { return store.Leaders(t.Context()) }, "200ms").
		Should(Equal(map[string]string{"scheduler": "node-1", "orchestrator": "node-3"}), "who waits does not lead")
	cancel()
	<-gaveUp
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(func() (map[string]string, error) { return store.Leaders(t.Context()) }, "10s").
		Should(Equal(map[string]string{"orchestrator": "node-3"}))
}
