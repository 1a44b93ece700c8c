// Package host acts on hosts: it restarts, reboots, recreates or retires the
// machine under a cell once every instance on it is out of the way. It knows
// nothing of rolls but their ID; whether it is time to act is decided by the
// orchestrator.
package host

import (
	"context"

	"mooring/model"
)

// Request is one host action.
type Request struct {
	// Roll is new for each attempt. A driver that is asked twice for the same
	// Roll does the work once: after a crash of the control plane it is asked
	// again.
	Roll   string
	Plan   string
	Cell   string
	Action model.Action
	// Silent: the host's agent does not answer, or need not, since what was
	// tried before may have taken it.
	Silent bool
	// Say is told what the action waits for before it can begin, "" when it
	// has begun; nil where nobody asks.
	Say func(waits string)
}

// Driver acts on a host.
type Driver interface {
	// Act returns nil once the action is complete (not once the cell is back),
	// and an error that says what to look at when it failed. It returns soon
	// after ctx ends, with ctx's error among its causes.
	Act(ctx context.Context, request Request) error
}

// For gives the driver a plan asks for, or the control plane's own choice when
// the plan names none. With neither, somebody else acts: Wait.
func For(via, fallback model.Via) Driver {
	for _, choice := range []model.Via{via, fallback} {
		switch {
		case choice.Command != "":
			return Command(choice.Command)
		case choice.Wait:
			return Wait{}
		}
	}
	return Wait{}
}
