package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// node serves one answer to everything and counts how often it was asked.
func node(t *testing.T, serve http.HandlerFunc) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		serve(w, r)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL, asked
}

// absent is the address of a node that does not run.
func absent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func dial(t *testing.T, endpoints ...string) *Client {
	t.Helper()
	c, err := New(Config{Endpoints: endpoints})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// hangUp breaks the connection after the request has arrived.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestAddressesAreChecked(t *testing.T) {
	g := NewWithT(t)
	for _, endpoints := range [][]string{nil, {""}, {"127.0.0.1:7770"}, {"ftp://host"}, {"http://"}} {
		_, err := New(Config{Endpoints: endpoints})
		g.Expect(err).To(HaveOccurred(), "%q", endpoints)
	}
	c, err := New(Config{Endpoints: []string{"http://a:1/, https://b:2"}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.endpoints).To(HaveLen(2))
}

func TestRefusalsAreErrorsWithTheirDetails(t *testing.T) {
	g := NewWithT(t)
	url, _ := node(t, says(422, `{"title":"Unprocessable Entity","status":422,"detail":"app web is refused","errors":[{"message":"is missing","location":"command"},{"message":"too many"}]}`))
	app, err := dial(t, url).App(t.Context(), model.Name{Org: "o", Space: "s", Name: "web"})
	g.Expect(app).To(BeNil())
	g.Expect(err).To(MatchError("app web is refused: command: is missing; too many"))
	g.Expect(HasStatus(err, 422)).To(BeTrue())
	g.Expect(NotFound(err)).To(BeFalse())

	url, _ = node(t, says(502, "<html>bad gateway"))
	_, err = dial(t, url).Apps(t.Context())
	g.Expect(err).To(MatchError(And(ContainSubstring("502"), ContainSubstring("bad gateway"))))
}

func TestAnotherEndpointIsTried(t *testing.T) {
	g := NewWithT(t)
	unavailable, tried := node(t, says(503, `{"detail":"try again"}`))
	well, asked := node(t, says(200, `[]`))
	c := dial(t, absent(t), unavailable, well)
	for range 3 {
		_, err := c.Apps(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(asked.Load()).To(BeEquivalentTo(3))
	g.Expect(tried.Load()).To(BeEquivalentTo(1), "the one that answered is asked first")

	_, err := dial(t, absent(t), unavailable).Apps(t.Context())
	g.Expect(err).To(MatchError(And(ContainSubstring("no endpoint"), ContainSubstring("refused"), ContainSubstring("try again"))))
}

func TestARefusalIsNotTakenElsewhere(t *testing.T) {
	g := NewWithT(t)
	refuses, _ := node(t, says(409, `{"detail":"exists"}`))
	other, asked := node(t, says(200, `{}`))
	_, err := dial(t, refuses, other).StartPlan(t.Context(), PlanRequest{})
	g.Expect(HasStatus(err, 409)).To(BeTrue())
	g.Expect(asked.Load()).To(BeZero())
}

func TestWhatMayHaveBeenDoneIsNotDoneTwice(t *testing.T) {
	g := NewWithT(t)
	breaks, _ := node(t, hangUp)
	other, asked := node(t, says(200, `{}`))
	_, err := dial(t, breaks, other).StartPlan(t.Context(), PlanRequest{})
	g.Expect(err).To(HaveOccurred())
	g.Expect(asked.Load()).To(BeZero(), "the plan may have been started")

	_, err = dial(t, breaks, other).Report(t.Context(), "c1", model.Report{})
	g.Expect(err).NotTo(HaveOccurred(), "a report may be sent twice")

	_, err = dial(t, absent(t), other).StartPlan(t.Context(), PlanRequest{})
	g.Expect(err).NotTo(HaveOccurred(), "what was never sent was not done")
}

func TestAnEndpointThatHangsIsLeft(t *testing.T) {
	g := NewWithT(t)
	release := make(chan struct{})
	hangs, _ := node(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	well, _ := node(t, says(200, `{"ttl":"10s"}`))
	c := dial(t, hangs, well)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Report(ctx, "c1", model.Report{})
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	lease, err := c.Report(t.Context(), "c1", model.Report{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lease.TTL.D()).To(Equal(10 * time.Second))
}

func TestWorkThatDidNotChangeIsNil(t *testing.T) {
	g := NewWithT(t)
	url, _ := node(t, says(204, ""))
	g.Expect(dial(t, url).Work(t.Context(), "c1", 7, time.Second)).To(BeNil())
	url, _ = node(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"revision":8,"instances":[{"command":%q}]}`, r.URL.String())
	})
	work, err := dial(t, url).Work(t.Context(), "c1", 7, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(work.Revision).To(BeEquivalentTo(8))
}

func TestNamesCannotLeaveTheirPath(t *testing.T) {
	g := NewWithT(t)
	var path string
	url, _ := node(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		fmt.Fprint(w, `{}`)
	})
	_, err := dial(t, url).Plan(t.Context(), "../cells?x=1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(path).To(Equal("/v1/plans/..%2Fcells%3Fx=1"))
}

func TestAStreamIsReadAsServerSentEvents(t *testing.T) {
	g := NewWithT(t)
	connections := 0
	var afters []string
	url, _ := node(t, func(w http.ResponseWriter, r *http.Request) {
		afters = append(afters, r.FormValue("after"))
		if connections++; connections == 1 {
			fmt.Fprint(w, "event: cursor\ndata: 10\n\n: still here\n\nevent: event\nid: 11\ndata: {\"id\":\"11\",\ndata: \"kind\":\"a\"}\n\nevent: event\ndata: {\"id\":\"12\", cut off")
			return
		}
		fmt.Fprint(w, "event:event\r\ndata:{\"id\":\"12\",\"kind\":\"b\"}\r\n\r\n")
	})
	var kinds []string
	ctx, cancel := context.WithCancel(t.Context())
	err := dial(t, url).StreamEvents(ctx, EventQuery{}, func(event model.Event) error {
		if kinds = append(kinds, string(event.Kind)); len(kinds) == 2 {
			cancel()
		}
		return nil
	})
	g.Expect(err).To(MatchError(context.Canceled))
	g.Expect(kinds).To(Equal([]string{"a", "b"}), "a message that was cut off is no message")
	g.Expect(afters).To(Equal([]string{"", "11"}), "it goes on after the last event")
}

func TestAStreamThatIsRefusedIsNotTriedAgain(t *testing.T) {
	g := NewWithT(t)
	url, asked := node(t, says(422, `{"detail":"no such filter"}`))
	err := dial(t, url).StreamEvents(t.Context(), EventQuery{App: "x"}, nil)
	g.Expect(err).To(MatchError("no such filter"))
	g.Expect(asked.Load()).To(BeEquivalentTo(1))
}
