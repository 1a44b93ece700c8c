// Package container says what a cell asks of a runtime: start an instance,
// find it again after the agent crashed, run commands beside it, stop it with
// all that it started. Package process is the runtime that needs no root; a
// runtime with real containers fits behind the same interface.
package container

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Spec is what a runtime needs to know to start an instance.
type Spec struct {
	// ID names the instance to the runtime and becomes a directory name; a
	// cell uses the instance's GUID.
	ID string `json:"id"`
	// Command is run by a shell in the instance's directory.
	Command string `json:"command"`
	// Env is the whole environment, as KEY=VALUE, but for HOME and the marks
	// of the runtime, which the runtime adds.
	Env    []string `json:"env"`
	Mounts []Mount  `json:"mounts,omitempty"`
	// Listen holds the host:port addresses that the instance will listen on.
	// Start refuses when one of them is taken.
	Listen []string `json:"listen,omitempty"`
}

// Mount shows the directory Source of the host at Path in the instance.
type Mount struct {
	Path   string `json:"path"`
	Source string `json:"source"`
}

// Runtime starts instances and finds those that an earlier agent started.
type Runtime interface {
	// Start starts an instance. It is on record before it runs, so an agent
	// that crashes in between leaves nothing that cannot be found. An error
	// means that nothing runs.
	Start(ctx context.Context, spec Spec) (Instance, error)
	// Adopt gives every instance on record whose process still runs, and
	// kills whatever else an earlier agent left: handlers, checks, processes
	// whose instance has ended. It is called once, before the first Start.
	Adopt(ctx context.Context) ([]Instance, error)
	// Remove deletes the directory and the log of an instance that has ended.
	// It is no error when there are none.
	Remove(id string) error
	// LogPath is the file that the instance's output is appended to.
	LogPath(id string) string
}

// Instance is one running, or just ended, instance.
type Instance interface {
	ID() string
	PID() int
	// Done is closed when the process and everything it started are gone.
	Done() <-chan struct{}
	// Exit says how the process ended. Only valid after Done.
	Exit() Exit
	// Stop sends TERM, waits up to grace for everything to end, then sends
	// KILL. Zero grace kills at once, also when another Stop is waiting. It
	// returns when all is gone, or with the context's error.
	Stop(ctx context.Context, grace time.Duration) error
	// Exec runs a command beside the process, with the instance's directory
	// and environment, and waits for it. A command that does not exit with 0
	// is an *ExitError. When ctx ends the command gets TERM and, after its
	// grace, KILL; Exec returns the cause when it is gone.
	Exec(ctx context.Context, command Command) error
}

// Command is something to run beside an instance's process.
type Command struct {
	// Text is run by a shell.
	Text string
	// Env is added to the instance's environment, as KEY=VALUE.
	Env []string
	// Out takes the output.
	Out io.Writer
	// Grace is the time between TERM and KILL when it is told to end.
	Grace time.Duration
	// Frequent commands, such as health checks, are cleared away by their
	// process group alone: looking for what left it costs a look at every
	// process of the host. It is found when the instance ends.
	Frequent bool
}

// Exit says how a process ended.
type Exit struct {
	// Known is false when nobody could see how: the process was adopted and
	// the kernel does not tell.
	Known  bool
	Status int
	Signal unix.Signal // 0 unless a signal ended it
}

// String gives "exit status 3", "signal: killed" or a sentence that says that
// nobody knows.
func (e Exit) String() string {
	switch {
	case !e.Known:
		return "ended, exit status unknown (it was adopted from an earlier agent)"
	case e.Signal != 0:
		return "signal: " + e.Signal.String()
	}
	return fmt.Sprintf("exit status %d", e.Status)
}

// ExitError is how a command ended that did not exit with 0.
type ExitError struct{ Exit Exit }

func (e *ExitError) Error() string { return e.Exit.String() }
