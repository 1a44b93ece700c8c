package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"mooring/access"
	"mooring/identity"
)

const (
	// turnsPerProcessor is how many requests that nobody's lease depends on are
	// worked at together, for each processor.
	turnsPerProcessor = 8
	// turnWithin is how long such a request waits for its turn.
	turnWithin = 10 * time.Second
	// bodyKept is how much of a body is read before the turn.
	bodyKept = 1 << 20
)

// turns bound how many requests are worked at together, so that however many
// come, what cells say of themselves finds a processor: a cell that is not heard
// in time stops what could run elsewhere.
type turns struct {
	places chan struct{}
	within time.Duration
}

func newTurns() *turns {
	return &turns{places: make(chan struct{}, turnsPerProcessor*runtime.GOMAXPROCS(0)), within: turnWithin}
}

// takesTurns reports whether requests of a route wait for a turn. Those of cells
// go ahead of all others; streams hold no processor while they wait.
func takesTurns(pattern string, needed need) bool {
	waits := strings.HasSuffix(pattern, "/stream") || strings.HasSuffix(pattern, "/logs")
	return needed.right != access.Speak && !waits && pattern != "GET /healthz"
}

// take returns requests their turn: it begins once all of the request is there
// and ends when the answer is, so that a slow caller holds up nobody.
func (t *turns) take(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = kept(r.Body)
		if !t.wait(r.Context()) {
			w.Header().Set("Retry-After", "1")
			(&identity.Problem{Title: http.StatusText(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable,
				Detail: "this node has more to answer than it can; nothing was changed, try again"}).Answer(w)
			return
		}
		turn := &turn{ResponseWriter: w, end: sync.OnceFunc(func() { <-t.places })}
		defer turn.end()
		next.ServeHTTP(turn, r)
	})
}

// wait waits for a place, and returns false when there is none in time.
func (t *turns) wait(ctx context.Context) bool {
	select {
	case t.places <- struct{}{}:
		return true
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, t.within)
	defer cancel()
	select {
	case t.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// kept is a body whose beginning has been read. What kept it from being read
// shows to whoever reads it.
func kept(body io.ReadCloser) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	content, err := io.ReadAll(io.LimitReader(body, bodyKept))
	var rest io.Reader = body
	if err != nil {
		rest = failing{err}
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(content), rest), body}
}

// failing is a reader of nothing.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// turn ends with the first part of the answer: what is left is to send it.
type turn struct {
	http.ResponseWriter
	end func()
}

// Write implements http.ResponseWriter.
func (t *turn) Write(part []byte) (int, error) {
	t.end()
	return t.ResponseWriter.Write(part)
}

// Unwrap is for http.ResponseController.
func (t *turn) Unwrap() http.ResponseWriter { return t.ResponseWriter }
