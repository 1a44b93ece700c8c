package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/identity"
	"mooring/model"
)

func (f *fixture) tell(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		tx := f.store.Snapshot().Txn()
		tx.Event(model.Event{Kind: model.EventAppScaled, Text: text, App: "acme/prod/" + text, Actor: "test"})
		_, err := f.store.Commit(t.Context(), tx)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
	}
}

// noise tells of so many things that nobody looks for.
func (f *fixture) noise(t *testing.T, n int) {
	t.Helper()
	for ; n > 0; n -= 1000 {
		tx := f.store.Snapshot().Txn()
		for range min(n, 1000) {
			tx.Event(model.Event{Kind: model.EventAppScaled, Actor: "test"})
		}
		_, err := f.store.Commit(t.Context(), tx)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
	}
}

func texts(events []model.Event) []string {
	var all []string
	for _, event := range events {
		all = append(all, event.Text)
	}
	return all
}

func kinds(events []model.Event) []model.EventKind {
	var all []model.EventKind
	for _, event := range events {
		all = append(all, event.Kind)
	}
	return all
}

func TestEventsAreListedFromEitherEnd(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.tell(t, "a", "b", "c", "d")
	list := func(query client.EventQuery) []model.Event {
		events, err := f.Events(t.Context(), query)
		g.Expect(err).NotTo(HaveOccurred())
		return events
	}
	all := list(client.EventQuery{})
	g.Expect(texts(all)).To(Equal([]string{"a", "b", "c", "d"}))
	g.Expect(texts(list(client.EventQuery{Limit: 2}))).To(Equal([]string{"c", "d"}), "the newest")
	g.Expect(texts(list(client.EventQuery{After: all[0].ID, Limit: 2}))).To(Equal([]string{"b", "c"}), "the first ones after")
	g.Expect(texts(list(client.EventQuery{App: "acme/prod/b", Limit: 1}))).To(Equal([]string{"b"}), "narrowed before it is cut")
	g.Expect(list(client.EventQuery{After: all[3].ID})).To(BeEmpty())
}

func TestEventsAreNarrowed(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tx := f.store.Snapshot().Txn()
	for i, kind := range []model.EventKind{"stuck.opened", "stuck.answered", "plan.done", "plan.started"} {
		tx.Event(model.Event{Kind: kind, Actor: []string{"orchestrator", "robin"}[i%2], At: noon.Add(time.Duration(i) * time.Minute)})
	}
	_, err := f.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	for want, query := range map[string]client.EventQuery{
		"[stuck.opened stuck.answered]":              {Kinds: []string{"stuck"}},
		"[stuck.answered]":                           {Kinds: []string{"stuck.answered", "app"}},
		"[stuck.opened stuck.answered plan.started]": {Kinds: []string{"stuck", "plan.started"}},
		"[stuck.answered plan.started]":              {Actor: "robin"},
		"[plan.done plan.started]":                   {Since: noon.Add(2 * time.Minute)},
	} {
		events, err := f.Events(t.Context(), query)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(fmt.Sprint(kinds(events))).To(Equal(want))
	}
}

// A kind that is written wrong has no events, now or ever: who asks is told so.
func TestKindsThatThereAreNoneOfAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for kind, says := range map[string]string{
		"stuk":       `no events of kind "stuk"; the families of kinds are plan, roll, permit, stuck, `,
		"plan.start": `no events of kind "plan.start"; of plan there are plan.started, plan.begun, `,
		"plan.":      `no events of kind "plan."; of plan there are `,
	} {
		query := client.EventQuery{Kinds: []string{"app", kind}}
		_, err := f.Events(t.Context(), query)
		g.Expect(err).To(refusal(http.StatusBadRequest, says))
		g.Expect(f.StreamEvents(t.Context(), query, func(model.Event) error { return nil })).To(refusal(http.StatusBadRequest, says))
	}
	g.Expect(f.Events(t.Context(), client.EventQuery{Kinds: []string{"plan", "stuck.closed"}})).To(BeEmpty(), "there are none yet")
}

// More than fits into one answer is asked for in turns, each event once.
func TestEventsAreExported(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	const many = 12_000
	for written := 0; written < many; written += 1000 {
		tx := f.store.Snapshot().Txn()
		for range 1000 {
			tx.Event(model.Event{Kind: model.EventAppScaled, Actor: "test"})
		}
		_, err := f.store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	seen, last := 0, ""
	g.Expect(f.ExportEvents(t.Context(), client.EventQuery{}, func(event model.Event) error {
		g.Expect(event.ID > last).To(BeTrue())
		seen, last = seen+1, event.ID
		return nil
	})).To(Succeed())
	g.Expect(seen).To(Equal(many))
}

func TestEventsAreStreamedAsTheyHappen(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.tell(t, "before")
	events := make(chan model.Event, 100)
	follow := func(query client.EventQuery) {
		go f.StreamEvents(t.Context(), query, func(event model.Event) error { events <- event; return nil })
	}
	follow(client.EventQuery{After: "0"})
	var before model.Event
	g.Eventually(events).Should(Receive(&before))
	g.Expect(before.Text).To(Equal("before"))
	f.tell(t, "during")
	g.Eventually(events).Should(Receive(HaveField("Text", "during")))
}

// A stream that breaks goes on where it was, without losing or repeating an
// event, on whichever node answers.
func TestAStreamSurvivesItsNode(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	nodes := []*httptest.Server{}
	urls := []string{}
	for range 2 {
		handler, err := New(Config{Store: f.store, Planner: refusePlans})
		g.Expect(err).NotTo(HaveOccurred())
		nodes = append(nodes, httptest.NewServer(identity.Local().Wrap(handler)))
		urls = append(urls, nodes[len(nodes)-1].URL)
	}
	defer nodes[1].Close()
	defer nodes[1].CloseClientConnections()
	c, err := client.New(client.Config{Endpoints: urls})
	g.Expect(err).NotTo(HaveOccurred())

	seen := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- c.StreamEvents(ctx, client.EventQuery{After: "0"}, func(event model.Event) error { seen <- event.Text; return nil })
	}()
	for i := range 5 {
		f.tell(t, fmt.Sprint("e", i))
		g.Eventually(seen).Should(Receive(Equal(fmt.Sprint("e", i))))
	}
	nodes[0].CloseClientConnections()
	f.tell(t, "e5")
	g.Eventually(seen).Should(Receive(Equal("e5")))
	nodes[0].Listener.Close()
	nodes[0].CloseClientConnections()
	f.tell(t, "e6", "e7")
	g.Eventually(seen, "5s").Should(Receive(Equal("e6")))
	g.Eventually(seen).Should(Receive(Equal("e7")))
	g.Expect(seen).To(BeEmpty())
	cancel()
	g.Eventually(ended).Should(Receive(MatchError(context.Canceled)))
}

func TestAStreamEndsWhenItsReaderHasEnough(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.tell(t, "a")
	enough := errors.New("enough")
	g.Expect(f.StreamEvents(t.Context(), client.EventQuery{After: "0"}, func(model.Event) error { return enough })).To(MatchError(enough))
}
