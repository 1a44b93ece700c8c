package intake

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"mooring/access"
	"mooring/identity"
)

// Handler bounds requests. It stands behind whoever finds out who calls.
func (i *Intake) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !i.mayCall(r) {
			turnAway(w, http.StatusTooManyRequests, "too many connections of this caller are open; close some and try again")
			return
		}
		control := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = control.SetReadDeadline(time.Now().Add(i.limits.Body)) // recorders of tests have none
			r.Body = &body{ReadCloser: r.Body, control: control}
			// What a GET sends is read by nobody, so its end would never come.
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				turnAway(w, http.StatusBadRequest, "a "+r.Method+" has no body; send none")
				return
			}
		}
		next.ServeHTTP(&writer{ResponseWriter: w, control: control, within: i.limits.Send}, r)
	})
}

// mayCall counts the connection of a request for its caller, and returns false
// when that is too much. Who has shown nothing is bounded by the address.
func (i *Intake) mayCall(r *http.Request) bool {
	c, counted := r.Context().Value(connKey{}).(*conn)
	actor, err := access.From(r.Context())
	if !counted || err != nil || actor.How == "nobody" {
		return true
	}
	caller, most := i.callerOf(actor, r)
	if i.heard(c, caller, most) {
		return true
	}
	i.tell("too many connections of this caller are open", "caller", strings.ReplaceAll(caller, "\x00", " "), "address", c.address)
	return false
}

// callerOf names who a connection counts for. What a cell asks about itself
// counts for that cell: a thousand of them may show one certificate.
func (i *Intake) callerOf(actor *access.Actor, r *http.Request) (caller string, most int) {
	caller = actor.How + "\x00" + actor.Name
	rest, about := strings.CutPrefix(r.URL.Path, "/v1/cells/")
	isCell := slices.ContainsFunc(actor.Roles, func(role access.Role) bool { return role.Kind == access.Cell })
	if id, _, deeper := strings.Cut(rest, "/"); about && isCell && deeper {
		return caller + "\x00" + id, i.limits.PerCell
	}
	return caller, i.limits.PerIdentity
}

func turnAway(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Retry-After", "5")
	w.Header().Set("Connection", "close")
	(&identity.Problem{Title: http.StatusText(status), Status: status, Detail: why}).Answer(w)
}

// body ends the deadline of a request's body with the body: the server reads on
// to notice when the caller goes away.
type body struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (b *body) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// writer returns each part of an answer its own time.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	within  time.Duration
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.within))
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(part []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.within))
	return w.ResponseWriter.Write(part)
}

// SetReadDeadline leaves the deadline of the body as it is: what decodes it
// would shorten or extend it.
func (w *writer) SetReadDeadline(time.Time) error { return nil }

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
