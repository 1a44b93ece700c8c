package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/container"
	"mooring/container/handler"
	"mooring/model"
)

var task = model.Task{
	PermitID: "permit-1", Kind: model.Drain, Reason: model.ReasonRoll, Action: model.Retire,
	ExpectedBack: model.Duration(90 * time.Second),
	Peers:        []model.Peer{{Index: 1, Address: "10.0.0.2", Ports: map[string]int{"default": 10001}}},
}

// executor plays an instance that runs commands.
type executor func(ctx context.Context, command string, env []string, out io.Writer) error

func (e executor) Exec(ctx context.Context, command container.Command) error {
	return e(ctx, command.Text, command.Env, command.Out)
}

func TestCommandIsToldTheNoticeAndItsOutputIsCutIntoLines(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	env, err := handler.NewNotice(task, usual, now).Env()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(env).To(ConsistOf(
		"MOORING_KIND=drain", "MOORING_REASON=roll", "MOORING_ACTION=retire", "MOORING_PERMIT=permit-1",
		"MOORING_DEADLINE=2026-11-21T12:01:00Z", "MOORING_TIMEOUT_S=60", "MOORING_EXPECTED_BACK_S=90",
		`MOORING_PEERS=[{"index":1,"address":"10.0.0.2","ports":{"default":10001}}]`))

	var lines []string
	attempt := handler.Command(executor(func(_ context.Context, command string, got []string, out io.Writer) error {
		g.Expect(command).To(Equal("bin/drain"))
		g.Expect(got).To(Equal(env))
		fmt.Fprint(out, "one\ntw")
		fmt.Fprint(out, "o\r\n"+strings.Repeat("x", 5000)+"\nlast")
		return nil
	}), "bin/drain", env)
	g.Expect(attempt(t.Context(), func(line string) { lines = append(lines, line) })).To(Succeed())
	g.Expect(lines).To(Equal([]string{"one", "two", strings.Repeat("x", 2048), "last"}))
}

func TestHTTPHandler(t *testing.T) {
	stream := func(w http.ResponseWriter, lines ...string) {
		for _, line := range lines {
			fmt.Fprintln(w, line)
			w.(http.Flusher).Flush()
		}
	}
	cases := map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request)
		want  OmegaMatcher
	}{
		"ready at the end of its answer": {
			func(w http.ResponseWriter, r *http.Request) { stream(w, progress(0.5), "moved") }, Succeed(),
		},
		"ready without a word": {
			func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }, Succeed(),
		},
		"refuses": {
			func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusConflict) },
			MatchError(ContainSubstring("answered 409 Conflict")),
		},
		"fails at the end": {
			func(w http.ResponseWriter, r *http.Request) { stream(w, progress(0.5), `{"error": "replica lags"}`) },
			MatchError("the handler says in its last line that it failed"),
		},
		"breaks off": {
			func(w http.ResponseWriter, r *http.Request) { stream(w, progress(0.5)); panic(http.ErrAbortHandler) },
			MatchError(ContainSubstring("broke off")),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var told handler.Notice
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					json.NewDecoder(r.Body).Decode(&told)
				}
				c.serve(w, r)
			}))
			defer server.Close()
			notice := handler.NewNotice(task, usual, time.Now().Truncate(time.Second).UTC())
			g.Expect(handler.HTTP(server.URL+"/drain", notice)(t.Context(), func(string) {})).To(c.want)
			g.Expect(told).To(Equal(notice))
		})
	}
}

// Errors are shown to everybody who may look at the fleet, output is not.
func TestHTTPHandler_ErrorsSayNothingOfTheApp(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuses/sesame" {
			http.Error(w, "no", http.StatusConflict)
			return
		}
		fmt.Fprintln(w, `{"error": "sesame is wrong"}`)
		if r.URL.Path == "/breaks-off/sesame" {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	for _, endpoint := range []string{server.URL + "/fails/sesame", server.URL + "/refuses/sesame", server.URL + "/breaks-off/sesame", "http://127.0.0.1:1/sesame", "http://%zz/sesame"} {
		var wrote []string
		err := handler.HTTP(endpoint, handler.Notice{})(t.Context(), func(line string) { wrote = append(wrote, line) })
		g.Expect(err).To(MatchError(And(ContainSubstring("handler"), Not(ContainSubstring("sesame")))), endpoint)
		if strings.Contains(endpoint, "/fails/") {
			g.Expect(wrote).To(ConsistOf(ContainSubstring("sesame is wrong")), "what it says is in its output")
		}
	}
}

func TestHTTPHandlerIsCancelledByItsConnection(t *testing.T) {
	g := NewWithT(t)
	noticed := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(noticed)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	g.Expect(handler.HTTP(server.URL, handler.Notice{})(ctx, func(string) {})).NotTo(Succeed())
	g.Eventually(noticed, "10s").Should(BeClosed())
}
