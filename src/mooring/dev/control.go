package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"mooring/model"
)

// serve takes host actions on a unix socket in the state directory: whoever
// may write there may act on the hosts.
func (s *Supervisor) serve() error {
	path := SocketPath(s.cfg.StateDir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("take host actions on %s: %w", path, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hosts/{id}/{action}", func(w http.ResponseWriter, r *http.Request) {
		err := s.Act(r.PathValue("id"), model.Action(r.PathValue("action")), r.URL.Query().Get("roll"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
	})
	mux.HandleFunc("POST /hosts/{id}/halt", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Halt(r.PathValue("id")); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
	})
	mux.HandleFunc("GET /processes", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.Processes())
	})
	s.socket = listener
	go func() { _ = http.Serve(listener, mux) }()
	return nil
}

// Remote speaks to the supervisor that runs in a state directory.
type Remote struct {
	dir  string
	http http.Client
}

// Connect gives a Remote; whether a supervisor is there shows at the first call.
func Connect(stateDir string) *Remote {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", SocketPath(stateDir))
	}
	return &Remote{dir: stateDir, http: http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Act is Supervisor.Act.
func (r *Remote) Act(ctx context.Context, id string, action model.Action, roll string) error {
	_, err := r.call(ctx, http.MethodPost, fmt.Sprintf("/hosts/%s/%s?roll=%s", id, action, roll))
	return err
}

// Halt is Supervisor.Halt.
func (r *Remote) Halt(ctx context.Context, id string) error {
	_, err := r.call(ctx, http.MethodPost, fmt.Sprintf("/hosts/%s/halt", id))
	return err
}

// Processes is Supervisor.Processes.
func (r *Remote) Processes(ctx context.Context) ([]Process, error) {
	body, err := r.call(ctx, http.MethodGet, "/processes")
	if err != nil {
		return nil, err
	}
	var list []Process
	return list, json.NewDecoder(bytes.NewReader(body)).Decode(&list)
}

func (r *Remote) call(ctx context.Context, method, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := r.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no `moor dev` answers in %s: %w; start one, or say with --state-dir where it runs", r.dir, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(body)))
	}
	return body, err
}
