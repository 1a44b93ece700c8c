package cell

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"mooring/container/logs"
)

const (
	defaultLines = 100
	maxLines     = 10000
)

// serveLogs begins to listen for the API, which reads logs for people, and sets
// the address and the key to register.
func (a *Agent) serveLogs() (*endpoint, error) {
	address := a.cfg.LogListen
	if address == "" {
		address = net.JoinHostPort(a.cfg.Cell.Address, "0")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for log readers on %s: %w", address, err)
	}
	a.cfg.Cell.LogAddress, a.cfg.Cell.LogKey = listener.Addr().String(), rand.Text()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /logs/{app}/{index}", a.getLogs)
	return &endpoint{listener, mux}, nil
}

// getLogs answers GET /logs/{app_guid}/{index}?lines=N&follow=true with plain
// lines.
func (a *Agent) getLogs(w http.ResponseWriter, r *http.Request) {
	shown := []byte(r.Header.Get("Authorization"))
	if subtle.ConstantTimeCompare(shown, []byte("Bearer "+a.cfg.Cell.LogKey)) != 1 {
		http.Error(w, "logs are read through the API, which knows who may", http.StatusUnauthorized)
		return
	}
	index, err := strconv.Atoi(r.PathValue("index"))
	if err != nil {
		http.Error(w, fmt.Sprintf("index %q is not a number", r.PathValue("index")), http.StatusBadRequest)
		return
	}
	lines := defaultLines
	if text := r.URL.Query().Get("lines"); text != "" {
		if lines, err = strconv.Atoi(text); err != nil || lines < 0 || lines > maxLines {
			http.Error(w, fmt.Sprintf("lines %q is not a number from 0 to %d", text, maxLines), http.StatusBadRequest)
			return
		}
	}
	a.mu.Lock()
	report, found := a.reports[key{r.PathValue("app"), index}]
	a.mu.Unlock()
	if !found || report.GUID == "" {
		http.Error(w, fmt.Sprintf("instance %d of app %s is not on cell %s", index, r.PathValue("app"), a.cfg.Cell.ID), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	out := &flusher{w: w, flush: http.NewResponseController(w)}
	out.flush.Flush()
	follow := r.URL.Query().Get("follow") == "true"
	if err := logs.Copy(r.Context(), out, a.runtime.LogPath(report.GUID), lines, follow); err != nil && r.Context().Err() == nil {
		a.log.Warn("sending a log", "error", err)
	}
}

// flusher sends on at once what is written.
type flusher struct {
	w     http.ResponseWriter
	flush *http.ResponseController
}

func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.flush.Flush()
	}
	return n, err
}
