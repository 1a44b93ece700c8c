package volume

import (
	"errors"
	"fmt"
	"net/http"
)

// Why an operation was refused. The client gives errors that match these with
// errors.Is; their text names the volume and who holds it.
var (
	// ErrHeld: another cell has the volume attached. Try again when it has
	// been detached there.
	ErrHeld = errors.New("volume is held")
	// ErrFenced: the caller's epoch or boot is older than one that already had
	// the volume. What it does to the volume must end; trying again is useless
	// without newer work.
	ErrFenced = errors.New("volume was taken by a newer holder")
	// ErrNoRoom: the volume does not fit the capacity of its class.
	ErrNoRoom = errors.New("class has no room for the volume")
	// ErrAttached: an attached volume cannot be deleted.
	ErrAttached = errors.New("volume is attached")
	// ErrNotFound: there is no such volume or class here.
	ErrNotFound = errors.New("volume not found")
	// ErrInvalid: the request itself makes no sense.
	ErrInvalid = errors.New("invalid volume request")
)

// ErrAway is what a client's errors match where the volume manager does not
// answer.
var ErrAway = errors.New("the volume manager does not answer")

// away is why the volume manager could not be asked.
type away struct {
	socket string
	cause  error
}

func (a *away) Error() string {
	return fmt.Sprintf("asking the volume manager at %s (is it running?): %v", a.socket, a.cause)
}
func (a *away) Unwrap() []error { return []error{ErrAway, a.cause} }

// codes are the errors on the wire.
var codes = []struct {
	err    error
	code   string
	status int
}{
	{ErrHeld, "held", http.StatusConflict},
	{ErrFenced, "fenced", http.StatusConflict},
	{ErrNoRoom, "no-room", http.StatusInsufficientStorage},
	{ErrAttached, "attached", http.StatusConflict},
	{ErrNotFound, "not-found", http.StatusNotFound},
	{ErrInvalid, "invalid", http.StatusUnprocessableEntity},
}

// refusal is an error with a sentinel that does not repeat the sentinel's text.
type refusal struct {
	why   error
	text  string
	epoch int64 // that the volume was had with, where that is the reason
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.why }

// SeenEpoch returns the epoch that a volume has had, of an error that refuses an
// older one; 0 of any other.
func SeenEpoch(err error) int64 {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.epoch
	}
	return 0
}

// outdated refuses an epoch because the volume has had a newer one, or the same
// one on another cell.
func outdated(why error, seen int64, format string, args ...any) error {
	return &refusal{why: why, text: fmt.Sprintf(format, args...), epoch: seen}
}

func refuse(why error, format string, args ...any) error {
	return &refusal{why: why, text: fmt.Sprintf(format, args...)}
}
