package notify

import (
	"context"
	"errors"
	"time"

	"mooring/model"
)

// Change is what became of something stuck.
type Change string

// The changes that receivers are told of.
const (
	Opened  Change = "opened"
	Changed Change = "changed" // what is wrong reads differently now
	Closed  Change = "closed"
	// Renewed: still open. Only for receivers that forget what they are not
	// told again.
	Renewed Change = "renewed"
)

// Notice is one change of one thing that is stuck.
type Notice struct {
	// ID names the change. It is the same whenever the change is told again,
	// so that a receiver can leave out what it had before.
	ID     string
	Change Change
	At     time.Time
	// Text is one sentence: what is stuck or, once closed, why it no longer is.
	Text string
	// Stuck is the thing as it was at the change.
	Stuck *model.Stuck
	// AZ of the cell concerned, "" when unknown.
	AZ string
}

// Receiver is somewhere to send notices to. It is used by one goroutine.
type Receiver interface {
	// Send delivers notices, all of them or none, within ctx. An error that
	// wraps ErrRefused says that sending the same again is useless.
	Send(ctx context.Context, notices []Notice) error
	// Renew is how often what is open has to be sent again; 0 is never.
	Renew() time.Duration
}

// ErrRefused says that a receiver understood a notice and will not have it.
var ErrRefused = errors.New("the receiver refuses the notice")
