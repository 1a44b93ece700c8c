package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
	"mooring/client"
	"mooring/identity"
	"mooring/model"
	"mooring/state"
)

// However many previews are asked for, cells are heard at once.
func TestTurns_CellsGoAheadOfAllOthers(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	var planning, most atomic.Int64
	release := make(chan struct{})
	handler, err := New(Config{Store: f.store, LeaseTTL: f.ttl, Planner: func(context.Context, *state.Snapshot, model.PlanSpec, []string, time.Time) (*client.Preview, error) {
		most.Store(max(most.Load(), planning.Add(1)))
		defer planning.Add(-1)
		<-release
		return &client.Preview{}, nil
	}})
	g.Expect(err).NotTo(HaveOccurred())
	turns := handler.(*guarded).turns
	turns.within = 100 * time.Millisecond
	server := httptest.NewServer(identity.Local().Wrap(handler))
	defer func() { server.CloseClientConnections(); server.Close() }()
	flood, err := client.New(client.Config{Endpoints: []string{server.URL}})
	g.Expect(err).NotTo(HaveOccurred())

	const asked = 200
	answers := make(chan error, asked)
	for range asked {
		go func() { _, err := flood.Preview(context.Background(), aPlan("one", "c1")); answers <- err }()
	}
	for range asked - cap(turns.places) {
		var answer error
		g.Eventually(answers, "10s").Should(Receive(&answer))
		g.Expect(answer).To(refusal(http.StatusServiceUnavailable, "more to answer than it can"))
	}
	g.Expect(most.Load()).To(BeEquivalentTo(cap(turns.places)))
	_, err = flood.Cells(t.Context())
	g.Expect(err).To(refusal(http.StatusServiceUnavailable, "more to answer than it can"))
	began := time.Now()
	_, err = flood.Report(t.Context(), "c1", model.Report{Boot: "c1-boot-1", Start: "c1-start-1"})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = flood.Work(t.Context(), "c1", 0, time.Second)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = flood.Register(t.Context(), another(aCell("c2", "z2"), "boot-2", "start-2"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(time.Since(began)).To(BeNumerically("<", 5*time.Second), "nobody that waits is waited for")
	close(release)
	for range cap(turns.places) {
		g.Eventually(answers, "10s").Should(Receive(BeNil()))
	}
	g.Expect(flood.Cells(t.Context())).To(HaveLen(2), "turns are given back")
}

// A caller whose body does not come, or who does not read, holds no turn.
func TestTurns_SlowCallersHoldNone(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	handler := f.handler(t, f.store)
	turns := handler.(*guarded).turns
	server := httptest.NewServer(identity.Local().Wrap(handler))
	defer func() { server.CloseClientConnections(); server.Close() }()
	for range cap(turns.places) + 1 {
		c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		g.Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		_, err = c.Write([]byte("PUT /v1/apps/acme/prod/web HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"))
		g.Expect(err).NotTo(HaveOccurred())
	}
	one, err := client.New(client.Config{Endpoints: []string{server.URL}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(func() error { _, err := one.Cells(t.Context()); return err }, "300ms").Should(Succeed())
	g.Expect(turns.places).To(BeEmpty())

	waiting := httptest.NewRecorder()
	turns.take(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("begun"))
		g.Expect(turns.places).To(BeEmpty(), "what is left is to send it")
	})).ServeHTTP(waiting, httptest.NewRequest(http.MethodGet, "/", nil))
	g.Expect(waiting.Body.String()).To(Equal("begun"))
}

func TestTurns_AreForAllButCellsAndStreams(t *testing.T) {
	g := NewWithT(t)
	for pattern, needed := range rights {
		ahead := needed.right == access.Speak || strings.HasSuffix(pattern, "stream") || strings.HasSuffix(pattern, "logs") || pattern == "GET /healthz"
		g.Expect(takesTurns(pattern, needed)).To(Equal(!ahead), pattern)
	}
}

func TestKept_ABodyIsReadAsItWasSent(t *testing.T) {
	g := NewWithT(t)
	long := strings.Repeat("x", bodyKept+10)
	for _, sent := range []string{"", "short", long} {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(sent))
		body := kept(request.Body)
		var all strings.Builder
		buffer := make([]byte, 4096)
		for {
			n, err := body.Read(buffer)
			all.Write(buffer[:n])
			if err != nil {
				break
			}
		}
		g.Expect(all.String() == sent).To(BeTrue())
	}
	broken := kept(io.NopCloser(failing{errors.New("it broke off")}))
	_, err := broken.Read(make([]byte, 1))
	g.Expect(err).To(MatchError("it broke off"))
}
