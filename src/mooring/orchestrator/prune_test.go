package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

// TestOldEventsAreDeletedByWhoeverLeads fills the stream beyond its bounds: a
// backlog of more than one batch, and events that are too old.
func TestOldEventsAreDeletedByWhoeverLeads(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	tell := func(n int, at time.Time) {
		tx := store.Snapshot().Txn()
		for range n {
			tx.Event(model.Event{At: at, Kind: "test.said", Actor: "test"})
		}
		_, err := store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	tell(30, time.Now().Add(-2*time.Hour))
	tell(1200, time.Now())
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)

	go func() {
		ended <- Run(t.Context(), store, lead, Config{Keep: state.Retention{Count: 1220, Age: time.Hour}})
	}()

	events := func() int { return len(store.Snapshot().Events("", 0)) }
	g.Eventually(events, "20s").Should(Equal(1200), "the old ones go, the rest is within the bound")
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive())

	lead, err = store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	go func() { ended <- Run(t.Context(), store, lead, Config{Keep: state.Retention{Count: 10}}) }()

	g.Eventually(events, "20s").Should(Equal(10), "more than one batch")
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive())
}
