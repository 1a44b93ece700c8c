package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

//go:embed page
var embedded embed.FS

// Config is what the board needs. Source is required.
type Config struct {
	Source Source
	// Forecast says when a plan under way is expected to end; without it the
	// board does not.
	Forecast func(snap *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast
	// MayAct reports whether the viewer may give answers and steer plans. It
	// decides only what the page offers: the API decides what it takes. Nil
	// offers everything to everyone.
	MayAct func(*http.Request) bool
	// MayRead reports whether the viewer may read what the instances of an app
	// write. Nil lets everyone read everything.
	MayRead func(*http.Request, model.Name) bool
	// SignIn checks the tokens that people sign in with. Without it nobody signs
	// in: everybody is let in, or known otherwise.
	SignIn SignIn
	// Failed says why the source follows the state no more; nil or a nil error
	// while it does.
	Failed func() error
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

type console struct {
	hub      *hub
	mayAct   func(*http.Request) bool
	mayRead  func(*http.Request, model.Name) bool
	identify SignIn
	failed   func() error
	now      func() time.Time
	files    map[string]file
}

// file is one file of the page.
type file struct {
	content  []byte
	kind     string
	checksum string
}

// New gives the handler of the board: the page at / and below /console/, and
// its stream at /console/live. The stream ends with its request's context.
func New(cfg Config) (http.Handler, error) {
	if cfg.Source == nil {
		return nil, errors.New("the board needs a source of snapshots")
	}
	c := &console{mayAct: cfg.MayAct, mayRead: cfg.MayRead, identify: cfg.SignIn, failed: cfg.Failed, now: cfg.Now}
	if c.mayAct == nil {
		c.mayAct = func(*http.Request) bool { return true }
	}
	if c.mayRead == nil {
		c.mayRead = func(*http.Request, model.Name) bool { return true }
	}
	if c.failed == nil {
		c.failed = func() error { return nil }
	}
	if c.now == nil {
		c.now = func() time.Time { return time.Now().UTC() }
	}
	c.hub = newHub(cfg.Source, newForecaster(cfg.Forecast, c.now))
	var err error
	if c.files, err = readPage(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, "index.html") })
	mux.HandleFunc("GET /console/live", c.live)
	if c.identify != nil {
		mux.HandleFunc("GET /console/signin", c.form)
		mux.HandleFunc("POST /console/signin", c.signIn)
		mux.HandleFunc("POST /console/signout", c.signOut)
	}
	mux.HandleFunc("GET /console/runbooks/{name}", c.runbook)
	mux.HandleFunc("GET /console/{file...}", func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, r.PathValue("file")) })
	return mux, nil
}

func readPage() (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(embedded, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		files[strings.TrimPrefix(name, "page/")] = file{
			content: content, kind: kindOf(name), checksum: `"` + hex.EncodeToString(sum[:8]) + `"`,
		}
		return nil
	})
	return files, err
}

// kindOf gives the media type of a file. A host's own list of types may say
// otherwise of scripts, which browsers then refuse.
func kindOf(name string) string {
	if path.Ext(name) == ".js" {
		return "text/javascript; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// confine has a page load and talk to nothing but the server it came from, and
// stand in no other page.
func confine(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

// serve sends a file of the page.
func (c *console) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, known := c.files[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("ETag", f.checksum)
	header.Set("Cache-Control", "no-cache") // asked for again, and sent only when another
	confine(header)
	if r.Header.Get("If-None-Match") == f.checksum {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	// A reader that went away cannot be told.
	_, _ = w.Write(f.content)
}
