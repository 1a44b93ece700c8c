package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	ucli "github.com/urfave/cli/v2"

	"mooring/cli"
)

// fakeAPI answers what a test tells it to and remembers what it was asked.
type fakeAPI struct {
	*httptest.Server
	mux   *http.ServeMux
	mu    sync.Mutex
	asked []string // "METHOD /path body"
}

func newAPI(t *testing.T) *fakeAPI {
	api := &fakeAPI{mux: http.NewServeMux()}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		api.mu.Lock()
		api.asked = append(api.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		api.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		api.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	return api
}

// answers makes a request be answered with a value as JSON.
func (api *fakeAPI) answers(pattern string, value any) {
	api.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	})
}

// refuses makes a request be answered with a problem.
func (api *fakeAPI) refuses(pattern string, status int, problem string) {
	api.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprint(w, problem)
	})
}

// streams makes a request be answered with server-sent events, then be held
// open until the client goes.
func (api *fakeAPI) streams(pattern, kind string, values ...any) {
	api.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, value := range values {
			data, _ := json.Marshal(value)
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, data)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
}

func (api *fakeAPI) requests() []string {
	api.mu.Lock()
	defer api.mu.Unlock()
	return append([]string{}, api.asked...)
}

// result is what one run of the program left behind.
type result struct {
	status   int
	out, err string
}

// run runs the program against the API, with nothing to read.
func (api *fakeAPI) run(t *testing.T, args ...string) result {
	t.Helper()
	return api.runWith(t, "", args...)
}

// runWith runs the program with something to read.
func (api *fakeAPI) runWith(t *testing.T, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return execute(ctx, in, append([]string{"--api", api.URL, "--org", "acme", "--space", "prod"}, args...))
}

func execute(ctx context.Context, in string, args []string, extra ...*ucli.Command) result {
	var out, errs lockedBuffer
	app := cli.New(extra...)
	app.Reader, app.Writer, app.ErrWriter = strings.NewReader(in), &out, &errs
	status := cli.Execute(ctx, app, append([]string{"moor"}, args...))
	return result{status, out.String(), errs.String()}
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// file writes a file and gives its path.
func file(t *testing.T, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	NewWithT(t).Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

// lines joins lines as a command prints them.
func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }
