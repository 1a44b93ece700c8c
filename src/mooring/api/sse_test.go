package api

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// While the state changes all the time and what the stream is about does not,
// nothing is sent: HTTP/2 then ended the stream when the deadline of the last
// message passed.
func TestStream_StaysOpenWhileOnlyOtherThingsChange(t *testing.T) {
	g := NewWithT(t)
	const within, quiet = 200 * time.Millisecond, 50 * time.Millisecond
	done := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &sender{w: w, within: within, quiet: quiet, last: time.Now()}
		for began := time.Now(); time.Since(began) < 5*within; {
			if err := out.await(r.Context(), func(ctx context.Context) error {
				select {
				case <-time.After(quiet / 5): // a change
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}, func() error { return nil }); err != nil {
				done <- err
				return
			}
		}
		done <- out.send("end", "", []byte("1"))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	g.Expect(err).NotTo(HaveOccurred())
	defer answer.Body.Close()
	g.Expect(answer.ProtoMajor).To(Equal(2))
	var comments int
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "event: end") {
		if strings.HasPrefix(lines.Text(), ":") {
			comments++
		}
	}
	g.Expect(lines.Err()).NotTo(HaveOccurred())
	g.Expect(<-done).To(Succeed())
	g.Expect(comments).To(BeNumerically(">=", 3), "a comment each time that nothing was sent for a while")
}

// A stream that says nothing for longer than a message may take is not ended
// for it.
func TestStream_OutlivesTheDeadlineOfItsLastMessage(t *testing.T) {
	g := NewWithT(t)
	const within = 100 * time.Millisecond
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := &sender{w: w, within: within}
		_ = out.send("begin", "", []byte("1"))
		<-time.After(3 * within)
		_ = out.send("end", "", []byte("1"))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	g.Expect(err).NotTo(HaveOccurred())
	defer answer.Body.Close()
	var said []string
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if event, found := strings.CutPrefix(lines.Text(), "event: "); found {
			said = append(said, event)
		}
	}
	g.Expect(said).To(Equal([]string{"begin", "end"}))
	g.Expect(lines.Err()).NotTo(HaveOccurred())
}
