package intake

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
)

// served is a server behind an intake.
type served struct {
	*Intake
	address string
}

// serve serves with these limits until the test ends. Callers are whom the
// header Caller names, with the role of the header Role.
func serve(t *testing.T, limits Limits, next http.HandlerFunc) *served {
	t.Helper()
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	g.Expect(err).NotTo(HaveOccurred())
	s := &served{Intake: New(limits, nil), address: fmt.Sprint("127.0.0.1:", listener.Addr().(*net.TCPAddr).Port)}
	bounded := s.Handler(next)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if name := r.Header.Get("Caller"); name != "" {
			actor := &access.Actor{Name: name, How: "token"}
			if role, err := access.ParseRole(r.Header.Get("Role")); err == nil {
				actor.Roles = []access.Role{role}
			}
			ctx = access.With(ctx, actor)
		}
		bounded.ServeHTTP(w, r.WithContext(ctx))
	})}
	s.Configure(server)
	go func() { _ = server.Serve(s.Listener(listener, false)) }()
	t.Cleanup(func() { server.Close() })
	return s
}

func answerOK(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// dial opens a connection from an address of the loopback.
func (s *served) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := dialer.DialContext(t.Context(), "tcp", s.address)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request of somebody on a connection and returns the status, 0
// when the connection ended instead.
func ask(t *testing.T, c net.Conn, path string, headers ...string) (status int, said string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(c.SetDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
	_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, strings.Join(append(headers, ""), "\r\n"))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(content) + " " + response.Header.Get("Retry-After")
}

// ends waits until the other side has closed a connection, or reset it.
func ends(c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, c)
	if timeout, is := err.(net.Error); is && timeout.Timeout() { //nolint:errorlint // it is what the connection gives
		return err
	}
	return nil
}

func TestIntake_EndsWhatIsIdleOrStalled(t *testing.T) {
	big := strings.Repeat("x", 64<<20)
	s := serve(t, Limits{Idle: 200 * time.Millisecond, Header: 200 * time.Millisecond, Body: 200 * time.Millisecond, Send: 200 * time.Millisecond},
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/big" {
				_, _ = io.WriteString(w, big)
			}
		})
	for what, sent := range map[string]string{
		"nothing is sent":                 "",
		"the header does not end":         "GET / HTTP/1.1\r\nHost: x\r\n",
		"the body does not end":           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab",
		"a chunk does not end":            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"a GET has a body without an end": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
		"it is idle after an answer":      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			g := NewWithT(t)
			c := s.dial(t, "127.0.0.1")
			_, err := io.WriteString(c, sent)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ends(c)).To(Succeed())
		})
	}
	t.Run("the answer is not read", func(t *testing.T) {
		g := NewWithT(t)
		c := s.dial(t, "127.0.0.1")
		_, err := io.WriteString(c, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
		g.Expect(err).NotTo(HaveOccurred())
		g.Eventually(s.opened, "10s").Should(BeZero(), "nothing was read, and it is closed all the same")
	})
	NewWithT(t).Eventually(s.opened, "10s").Should(BeZero())
}

func (i *Intake) opened() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.open
}

// Long polls and streams wait for longer than a body may take.
func TestIntake_LeavesThoseAloneWhoWait(t *testing.T) {
	g := NewWithT(t)
	ended := make(chan error, 1)
	s := serve(t, Limits{Idle: 100 * time.Millisecond, Header: 100 * time.Millisecond, Body: 100 * time.Millisecond},
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(500 * time.Millisecond): // five times what bounds the body
			}
			ended <- r.Context().Err()
			answerOK(w, r)
		})
	response, err := http.Post("http://"+s.address, "text/plain", strings.NewReader("a body"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(io.ReadAll(response.Body)).To(BeEquivalentTo("ok"))
	g.Expect(response.Body.Close()).To(Succeed())
	g.Expect(<-ended).To(Succeed())

	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address, strings.NewReader("a body"))
	g.Expect(err).NotTo(HaveOccurred())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = http.DefaultClient.Do(request) //nolint:bodyclose // there is none
	g.Expect(err).To(HaveOccurred())
	g.Expect(<-ended).To(MatchError(context.Canceled), "who goes away is noticed")
}

func TestIntake_BoundsTheConnectionsOfAnAddress(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, Limits{PerAddress: 3}, answerOK)
	var first net.Conn
	for range 3 {
		first = s.dial(t, "127.0.0.2")
		status, _ := ask(t, first, "/")
		g.Expect(status).To(Equal(200))
	}
	status, said := ask(t, s.dial(t, "127.0.0.2"), "/")
	g.Expect(status).To(Equal(429))
	g.Expect(said).To(And(ContainSubstring("too many connections are open from this address"), HaveSuffix(" 5")))
	status, _ = ask(t, s.dial(t, "127.0.0.3"), "/")
	g.Expect(status).To(Equal(200), "others are not cut")
	g.Expect(first.Close()).To(Succeed())
	g.Eventually(func() int { status, _ := ask(t, s.dial(t, "127.0.0.2"), "/"); return status }, "10s").Should(Equal(200), "room that was given up")
}

func TestIntake_BoundsTheConnectionsOfACaller(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, Limits{PerIdentity: 2, PerCell: 1}, answerOK)
	olga := []string{"Caller: olga", "Role: operator"}
	one, two := s.dial(t, "127.0.0.2"), s.dial(t, "127.0.0.3")
	for _, c := range []net.Conn{one, two, one, two} {
		status, _ := ask(t, c, "/v1/cells/c1", olga...)
		g.Expect(status).To(Equal(200))
	}
	third := s.dial(t, "127.0.0.4")
	status, said := ask(t, third, "/", olga...)
	g.Expect(status).To(Equal(429))
	g.Expect(said).To(ContainSubstring("too many connections of this caller are open"))
	g.Expect(ends(third)).To(Succeed())
	status, _ = ask(t, s.dial(t, "127.0.0.4"), "/", "Caller: nina", "Role: developer:acme")
	g.Expect(status).To(Equal(200), "others are not cut")
	g.Expect(one.Close()).To(Succeed())
	g.Eventually(func() int { status, _ := ask(t, s.dial(t, "127.0.0.4"), "/", olga...); return status }, "10s").Should(Equal(200))

	// Cells that share one certificate are told apart.
	shared := []string{"Caller: mooring-cell", "Role: cell"}
	for i := range 10 {
		status, _ := ask(t, s.dial(t, "127.0.0.5"), fmt.Sprintf("/v1/cells/c%d/report", i), shared...)
		g.Expect(status).To(Equal(200))
	}
	status, _ = ask(t, s.dial(t, "127.0.0.5"), "/v1/cells/c3/work", shared...)
	g.Expect(status).To(Equal(429))
}

// A proxy that callers share has connections on which now one is heard and now
// another.
func TestIntake_CountsAConnectionForWhoWasHeardLast(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, Limits{PerIdentity: 1}, answerOK)
	c := s.dial(t, "127.0.0.1")
	for _, name := range []string{"olga", "nina", "olga"} {
		status, _ := ask(t, c, "/", "Caller: "+name)
		g.Expect(status).To(Equal(200))
	}
	status, _ := ask(t, s.dial(t, "127.0.0.1"), "/", "Caller: nina")
	g.Expect(status).To(Equal(200))
}

// Over TLS, and with many requests on one connection, it is the same.
func TestIntake_BoundsHTTP2(t *testing.T) {
	g := NewWithT(t)
	in := New(Limits{PerIdentity: 1, Body: 200 * time.Millisecond}, nil)
	bounded := in.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
		_, _ = io.WriteString(w, r.Proto)
	}))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bounded.ServeHTTP(w, r.WithContext(access.With(r.Context(), &access.Actor{Name: "olga", How: "certificate"})))
	}))
	in.Configure(server.Config)
	server.Listener, server.EnableHTTP2 = in.Listener(server.Listener, true), true
	server.StartTLS()
	defer server.Close()
	first := server.Client()
	for range 3 {
		response, err := first.Get(server.URL)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(io.ReadAll(response.Body)).To(BeEquivalentTo("HTTP/2.0"))
		g.Expect(response.Body.Close()).To(Succeed())
	}
	stalled, _ := io.Pipe()
	response, err := first.Post(server.URL, "text/plain", stalled)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.StatusCode).To(Equal(408), "a body that does not come")
	g.Expect(response.Body.Close()).To(Succeed())

	second := &http.Client{Transport: first.Transport.(*http.Transport).Clone()}
	response, err = second.Get(server.URL)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.StatusCode).To(Equal(429))
	g.Expect(response.Body.Close()).To(Succeed())
}

func TestIntake_StrangersMakeWay(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, Limits{Total: 3}, answerOK)
	stranger := s.dial(t, "127.0.0.2")
	status, _ := ask(t, stranger, "/")
	g.Expect(status).To(Equal(200))
	for i := range 3 {
		status, _ := ask(t, s.dial(t, "127.0.0.3"), "/", fmt.Sprint("Caller: cell-", i))
		g.Expect(status).To(Equal(200), "a flood of strangers keeps nobody out")
	}
	g.Expect(ends(stranger)).To(Succeed())
	status, said := ask(t, s.dial(t, "127.0.0.2"), "/", "Caller: late")
	g.Expect(status).To(Equal(429), "nor do those who are known make way")
	g.Expect(said).To(ContainSubstring("too many connections are open"))
}

// Ten thousand cells behind one address translator, with four connections each
// and one certificate for all.
func TestIntake_CutsNoHonestCell(t *testing.T) {
	g := NewWithT(t)
	in := New(Limits{Total: 57344}, nil)
	var all []*conn
	for cell := range 10_000 {
		for range 4 {
			c := &conn{intake: in, address: netip.MustParsePrefix("192.0.2.1/32")}
			instead, refused := in.admit(c)
			g.Expect(instead).To(BeNil())
			g.Expect(refused).To(BeEmpty())
			g.Expect(in.heard(c, fmt.Sprint("certificate mooring-cell ", cell), in.limits.PerCell)).To(BeTrue())
			all = append(all, c)
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, c := range all {
		in.forget(c)
		in.forget(c)
	}
	g.Expect(in.open).To(BeZero())
	g.Expect(in.byAddress).To(BeEmpty())
	g.Expect(in.byCaller).To(BeEmpty())
	g.Expect(in.strangers.Len()).To(BeZero())
}

func TestAddressOf_AHostOfIPv6IsItsNetwork(t *testing.T) {
	g := NewWithT(t)
	for text, is := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7/32", "[::ffff:192.0.2.7]:1234": "192.0.2.7/32",
		"[2001:db8:1:2:3::4]:1234": "2001:db8:1:2::/64", "[fe80::1%25eth0]:1": "fe80::/64",
	} {
		g.Expect(addressOf(from(text)).String()).To(Equal(is))
	}
}

// from is a connection that comes from an address.
type from string

func (f from) Network() string                { return "tcp" }
func (f from) String() string                 { return string(f) }
func (f from) RemoteAddr() net.Addr           { return f }
func (from) LocalAddr() net.Addr              { return nil }
func (from) Read([]byte) (int, error)         { return 0, io.EOF }
func (from) Write([]byte) (int, error)        { return 0, io.EOF }
func (from) Close() error                     { return nil }
func (from) SetDeadline(time.Time) error      { return nil }
func (from) SetReadDeadline(time.Time) error  { return nil }
func (from) SetWriteDeadline(time.Time) error { return nil }
