package state

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

func TestPresenceEndsWithItsLease(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	put(t, s, &model.Cell{ID: "c", Boot: "b1", Start: "s1"})
	g.Expect(s.Keep(t.Context(), &model.Presence{CellID: "c", Boot: "b1", Start: "s1"}, time.Second)).To(Succeed())
	g.Expect(s.Snapshot().Present("c")).To(BeTrue(), "it is shown when Keep returns")
	g.Eventually(func() bool { return s.Snapshot().Present("c") }, "10s").Should(BeFalse())

	g.Expect(s.Keep(t.Context(), &model.Presence{CellID: "c", Boot: "b1", Start: "s1"}, time.Second)).To(Succeed())
	g.Expect(s.Snapshot().Present("c")).To(BeTrue(), "an agent that comes back is present again")
}

func TestPresenceIsRenewedThroughAnyNodeOnOneLease(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	p := &model.Presence{CellID: "c", Boot: "b1", Start: "s1"}
	first := open(t, prefix)
	g.Expect(first.Keep(t.Context(), p, time.Minute)).To(Succeed())
	made := first.Snapshot().find(p.Key())
	g.Expect(first.Close()).To(Succeed())

	second := open(t, prefix)
	for range 3 {
		g.Expect(second.Keep(t.Context(), p, time.Minute)).To(Succeed())
	}
	now := second.Snapshot().find(p.Key())
	g.Expect(now.lease).To(Equal(made.lease))
	g.Expect(now.mod).To(Equal(made.mod), "a renewal writes nothing")
	left, err := raw(t).TimeToLive(t.Context(), now.lease)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left.TTL).To(BeNumerically(">", 50))
}

func TestPresenceOfANewerAgentReplacesTheOlder(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	s, stale := open(t, prefix), open(t, prefix)
	older, newer := &model.Presence{CellID: "c", Boot: "b", Start: "s1"}, &model.Presence{CellID: "c", Boot: "b", Start: "s2"}
	put(t, s, &model.Cell{ID: "c", Boot: "b", Start: "s1"})
	g.Expect(s.Keep(t.Context(), older, time.Minute)).To(Succeed())
	lease := s.Snapshot().find(older.Key()).lease
	put(t, s, &model.Cell{ID: "c", Boot: "b", Start: "s2", Registration: 1})
	g.Expect(s.Keep(t.Context(), newer, time.Minute)).To(Succeed())
	g.Expect(s.Snapshot().Presence("c")).To(Equal(newer))

	left, err := raw(t).TimeToLive(t.Context(), lease)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left.TTL).To(Equal(int64(-1)), "the older agent's lease is gone, not left to run out")
	g.Expect(stale.Keep(t.Context(), older, time.Minute)).To(MatchError(ErrSuperseded))
	g.Expect(s.Snapshot().Presence("c")).To(Equal(newer))
}

func TestPresenceIsMadeAnewWhenItsLeaseIsTooShortOrGone(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	p := &model.Presence{CellID: "c", Boot: "b", Start: "s1"}
	lease := func() clientv3.LeaseID { return s.Snapshot().find(p.Key()).lease }
	g.Expect(s.Keep(t.Context(), p, 5*time.Second)).To(Succeed())
	short := lease()
	g.Expect(s.Keep(t.Context(), p, time.Minute)).To(Succeed())
	g.Expect(lease()).NotTo(Equal(short), "the agent counts on the whole time it was told")

	long := lease()
	_, err := raw(t).Revoke(t.Context(), long)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Keep(t.Context(), p, time.Minute)).To(Succeed())
	g.Expect(s.Snapshot().Presence("c")).To(Equal(p))
	g.Expect(lease()).NotTo(Equal(long))
}
