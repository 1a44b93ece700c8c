package alerting

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/notify"
	"mooring/notify/notifytest"
	"mooring/state"
)

func toWebhook(s *notifytest.Sink) string {
	return fmt.Sprintf(`
receivers:
- {name: hook, webhook: {url: %s}}
routes:
- receivers: [hook]
`, s.URL)
}

func TestEveryChangeIsToldOnce(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	tx := w.store.Snapshot().Txn()
	tx.Put(&model.Cell{ID: "c1", AZ: "z1"})
	_, err := w.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	w.life()
	a, b := hung("a"), hung("b")
	w.open(a)
	w.open(b)
	worse := *a
	worse.What = "it looks worse"
	w.write(model.EventStuckChanged, &worse, worse.What)
	w.close(b)

	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a", "opened b", "changed a", "closed b"}))
	g.Consistently(s.Attempts, "300ms").Should(Equal(4))
	var event notify.CloudEvent
	g.Expect(json.Unmarshal(s.Taken()[0], &event)).To(Succeed())
	g.Expect(event.Data.Stuck.Output).To(Equal([]string{"moving", "waiting"}), "with the evidence")
	g.Expect(event.Data.AZ).To(Equal("z1"))
}

// TestNothingIsLostWhileReceiverAndControlPlaneAreDown takes the webhook down,
// changes things, kills the control plane in the middle of it, changes more
// while nobody tells, and starts another.
func TestNothingIsLostWhileReceiverAndControlPlaneAreDown(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	kill := w.life()
	a, b, c := hung("a"), hung("b"), hung("c")
	w.open(a)
	g.Eventually(told(s), "10s").Should(HaveLen(1))

	s.Answer(http.StatusServiceUnavailable)
	w.open(b)
	g.Eventually(s.Attempts, "10s").Should(BeNumerically(">", 2), "it is tried again")
	g.Eventually(func() string { return w.store.Snapshot().Delivery("hook").Error }, "10s").Should(ContainSubstring("503"))
	w.close(a)
	kill()
	w.open(c)
	w.close(b)
	s.Answer(http.StatusOK)
	w.life()

	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a", "opened b", "closed a", "opened c", "closed b"}))
	g.Eventually(func() bool { return w.store.Snapshot().Delivery("hook").FailingSince.IsZero() }, "10s").Should(BeTrue())
	g.Consistently(s.Attempts, "300ms").Should(Equal(s.Attempts()), "nothing is told twice")
}

func TestALongStoryIsToldWhole(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	w.life()()
	for range 3 { // more events than are looked at at once
		tx := w.store.Snapshot().Txn()
		for range scan / 2 {
			tx.Event(model.Event{At: time.Now(), Kind: "permit.granted", Actor: "orchestrator"})
		}
		_, err := w.store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	w.open(hung("a"))

	w.life()

	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a"}))
}

func TestANewReceiverIsToldOfWhatIsOpen(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	old, open := hung("old"), hung("open")
	w.open(old)
	w.close(old)
	w.open(open)
	s.Answer(http.StatusBadGateway)
	kill := w.life()
	g.Eventually(s.Attempts, "10s").Should(BeNumerically(">", 1))
	kill()
	s.Answer(http.StatusOK)

	w.life()

	g.Eventually(told(s), "10s").Should(Equal([]string{"opened open"}), "and not of what is over")
	w.close(open)
	g.Eventually(told(s), "10s").Should(Equal([]string{"opened open", "closed open"}))
}

func TestAReceiverThatIsTakenOutIsForgotten(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	tx := w.store.Snapshot().Txn()
	tx.Put(&model.Delivery{Receiver: "old", FailingSince: time.Now(), Error: "no such host"})
	tx.Put(&model.Delivery{Receiver: "hook", After: "1"})
	_, err := w.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())

	w.life()

	g.Eventually(func() *model.Delivery { return w.store.Snapshot().Delivery("old") }, "10s").Should(BeNil())
	g.Expect(w.store.Snapshot().Delivery("hook")).NotTo(BeNil())
}

func TestWhatIsRefusedOrTooOldHoldsNothingUp(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	w.giveUp = time.Second
	w.life()
	s.Answer(http.StatusUnprocessableEntity)
	w.open(hung("refused"))
	g.Eventually(s.Attempts, "10s").Should(Equal(1))
	s.Answer(http.StatusOK)
	w.open(hung("a"))
	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a"}))

	s.Answer(http.StatusServiceUnavailable)
	w.open(hung("stale"))
	g.Eventually(func() string { return w.store.Snapshot().Delivery("hook").After }, "10s").
		Should(Equal(w.store.Snapshot().RecentEvents(1)[0].ID), "it is left out")
	s.Answer(http.StatusOK)
	w.open(hung("b"))
	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a", "opened b"}))
}

func TestNotice_OfALeaderWhoseClockIsWrongIsTriedAsLong(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	w.life()
	w.open(hung("a"))
	g.Eventually(told(s), "10s").Should(Equal([]string{"opened a"}))
	s.Answer(http.StatusServiceUnavailable)
	tx := w.store.Snapshot().Txn()
	tx.Event(model.Event{At: time.Now().Add(-25 * time.Hour), Kind: model.EventStuckOpened, Stuck: hung("b")})
	_, err := w.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	attempts := s.Attempts()
	g.Eventually(s.Attempts, "10s").Should(BeNumerically(">", attempts+1))
	s.Answer(http.StatusOK)
	g.Eventually(told(s), "20s").Should(Equal([]string{"opened a", "opened b"}))
}

func TestEachReceiverHearsOfItsOwn(t *testing.T) {
	g := NewWithT(t)
	ops, acme, down := notifytest.NewSink(t), notifytest.NewSink(t), notifytest.NewSink(t)
	down.Answer(http.StatusServiceUnavailable)
	w := newWorld(t, strings.NewReplacer("OPS", ops.URL, "ACME", acme.URL, "DOWN", down.URL).Replace(`
receivers:
- {name: ops, webhook: {url: OPS}}
- {name: acme, webhook: {url: ACME}}
- {name: down, webhook: {url: DOWN}}
routes:
- receivers: [ops, down]
- match: {org: acme, space: prod}
  receivers: [acme]
`))
	w.life()
	gone := &model.Stuck{ID: "gone", Kind: model.CellGone, CellID: "c1", What: "gone", FlaggedAt: time.Now()}
	other := hung("other")
	other.App = &model.Name{Org: "acme", Space: "dev", Name: "redis"}
	w.open(gone)
	w.open(other)
	w.open(hung("own"))

	g.Eventually(told(ops), "10s").Should(Equal([]string{"opened gone", "opened other", "opened own"}), "whatever the receiver that is down does")
	g.Eventually(told(acme), "10s").Should(Equal([]string{"opened own"}))
}

func TestItEndsWhenTheLeadershipIsLost(t *testing.T) {
	g, s := NewWithT(t), notifytest.NewSink(t)
	w := newWorld(t, toWebhook(s))
	lead, err := w.store.Lead(t.Context(), "alerting", "one")
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), w.store, lead, Config{Config: w.cfg}) }()

	g.Expect(lead.Resign(t.Context())).To(Succeed())

	g.Eventually(ended, "10s").Should(Receive(MatchError(state.ErrLost)))
}

// Whatever is in the state already, no receiver is sent what would act on the
// terminal or the page of who reads it.
func TestNotice_NothingInItActsOnWhatShowsIt(t *testing.T) {
	g := NewWithT(t)
	const evil = "x\x1b[2J\u009b\u202e\r\n"
	stuck := &model.Stuck{
		ID: "a", Kind: model.HandlerHung, What: evil, Advice: evil, Owner: evil, Message: evil, Error: evil, Output: []string{evil}, Blocks: []string{evil}, Data: []string{evil},
		Effects: map[model.Verb]string{model.Skip: evil}, Answer: &model.Answer{By: evil, Reason: evil, Confirm: []string{evil}},
		Task: &model.HostTask{Last: evil}, Handler: &model.Handler{Command: evil, HTTP: evil},
	}
	n := notice(state.SnapshotOf(), "1", notify.Opened, stuck, &model.Event{Text: evil})
	body, err := json.Marshal(n)
	g.Expect(err).NotTo(HaveOccurred())
	var all any
	g.Expect(json.Unmarshal(body, &all)).To(Succeed())
	var look func(any)
	texts := 0
	look = func(value any) {
		switch v := value.(type) {
		case string:
			texts++
			g.Expect(model.CheckLines(v, 1000)).To(Succeed(), v)
		case []any:
			for _, item := range v {
				look(item)
			}
		case map[string]any:
			for _, item := range v {
				look(item)
			}
		}
	}
	look(all)
	g.Expect(texts).To(BeNumerically(">", 15))
	g.Expect(stuck.What).To(Equal(evil), "the state is not changed")
}
