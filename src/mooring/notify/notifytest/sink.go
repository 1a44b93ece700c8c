package notifytest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Sink is a web server that can be out of order.
type Sink struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies [][]byte
	tried  int
}

// NewSink starts one, which answers 200 until it is told otherwise.
func NewSink(t testing.TB) *Sink {
	s := &Sink{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tried++
		if s.status == http.StatusOK {
			s.bodies = append(s.bodies, body)
		}
		w.WriteHeader(s.status)
	}))
	t.Cleanup(s.Close)
	return s
}

// Answer has it answer every request with a status from now on.
func (s *Sink) Answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Attempts counts the requests that reached it.
func (s *Sink) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

// Taken gives the bodies that it answered with 200, in order.
func (s *Sink) Taken() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.bodies...)
}
