package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// What the flags bound is bounded from the first moment on, before there is a
// state.
func TestAPI_BoundsWhatCallersHold(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listen := freeAddress(t)
	ended := start(ctx, apiCommand(), "--etcd", "http://"+freeAddress(t), "--listen", listen,
		"--max-connections-per-address", "3", "--idle-timeout", "300ms", "--body-timeout", "300ms")
	// open opens a connection that sends this, and returns how it ends.
	open := func(sent string) (said <-chan string) {
		ends := make(chan string, 1)
		c, err := net.DialTimeout("tcp", listen, 5*time.Second)
		g.Expect(err).NotTo(HaveOccurred())
		go func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.WriteString(c, sent)
			content, err := io.ReadAll(c)
			if timeout, is := err.(net.Error); !is || !timeout.Timeout() { //nolint:errorlint // it is what the connection gives
				ends <- string(content)
			}
		}()
		return ends
	}
	status := func() int {
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + listen + "/healthz")
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	g.Eventually(status, "10s").Should(Equal(503), "it waits for the state")
	g.Eventually(open("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "15s").Should(Receive(ContainSubstring("waiting for the state")), "idle")
	g.Eventually(open("PUT /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"), "15s").Should(Receive(), "stalled")
	stalled := []<-chan string{open("G"), open("G"), open("G")}
	g.Eventually(status, "5s").Should(Equal(429))
	for _, said := range stalled {
		g.Eventually(said, "15s").Should(Receive(), "the header has its time as well")
	}
	g.Eventually(status, "10s").Should(Equal(503))
	cancel()
	g.Eventually(ended, "10s").Should(Receive(BeNil()))
}
