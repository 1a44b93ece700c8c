package cell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"mooring/access"
	"mooring/client"
	"mooring/files"
	"mooring/identity"
	"mooring/model"
)

// Instances ask their cell about their own app, as the API would answer, since
// the API does not know them and they do not know its certificate.

// serveOwnApp begins to listen for the instances of this cell, and sets the
// address that they are told.
func (a *Agent) serveOwnApp() (*endpoint, error) {
	listener, err := a.listenForInstances()
	if err != nil {
		return nil, err
	}
	a.instancesAPI = "http://" + listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/apps/{org}/{space}/{name}", a.ownApp(func(app *client.AppView) any { return app }))
	mux.HandleFunc("GET /v1/apps/{org}/{space}/{name}/instances", a.ownApp(func(app *client.AppView) any { return app.Members }))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, known := a.caller(w, r); known {
			refuse(w, http.StatusNotFound, "cell %s answers GET /v1/apps/$MOORING_APP and what is below it at /instances; all else is asked of the API", a.cfg.Cell.ID)
		}
	})
	return &endpoint{listener, mux}, nil
}

// listenForInstances listens on the loopback, where nobody else hears the
// tokens; on the cell's own address if that is one, as where many cells share a
// machine. The port stays the same from one agent to the next, for the
// processes that outlive an agent.
func (a *Agent) listenForInstances() (net.Listener, error) {
	host := "127.0.0.1"
	if access.Loopback(a.cfg.Cell.Address) {
		host = a.cfg.Cell.Address
	}
	path := filepath.Join(a.cfg.RunDir, "instances-address")
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading where instances ask about their app: %w", err)
	}
	if last := strings.TrimSpace(string(before)); strings.HasPrefix(last, net.JoinHostPort(host, "")) {
		listener, err := net.Listen("tcp", last)
		if err == nil {
			return listener, nil
		}
		a.log.Error("instances that run already cannot ask about their app until they start again", "address", last, "error", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("listening for the cell's instances on %s: %w", host, err)
	}
	if err := files.Replace(path, []byte(listener.Addr().String()+"\n"), 0o600, files.Process); err != nil {
		return nil, errors.Join(fmt.Errorf("recording where instances ask about their app: %w", err), listener.Close())
	}
	return listener, nil
}

// ownApp answers an instance with a part of what the control plane says of its
// app.
func (a *Agent) ownApp(part func(*client.AppView) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		own, known := a.caller(w, r)
		if !known {
			return
		}
		asked := model.Name{Org: r.PathValue("org"), Space: r.PathValue("space"), Name: r.PathValue("name")}
		if asked != own {
			refuse(w, http.StatusForbidden, "an instance of app %s may not look at app %s: a cell tells instances about their own app", own, asked)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), maxPatience)
		defer cancel()
		app, err := a.cfg.Control.AppOn(ctx, a.cfg.Cell.ID, own)
		switch {
		case client.NotFound(err):
			refuse(w, http.StatusNotFound, "%v", err)
		case err != nil:
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, "the control plane cannot be asked about app %s now; go on with what is known of it and ask again: %v", own, err)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			_ = json.NewEncoder(w).Encode(part(app)) // an instance that went away needs no answer
		}
	}
}

// caller gives the app of the instance that asks, or refuses.
func (a *Agent) caller(w http.ResponseWriter, r *http.Request) (app model.Name, known bool) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if app, known = a.passes.app(token); !known {
		refuse(w, http.StatusUnauthorized, "no instance that runs on cell %s has this token; send the header Authorization: Bearer $MOORING_TOKEN", a.cfg.Cell.ID)
	}
	return app, known
}

func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	(&identity.Problem{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}).Answer(w)
}
