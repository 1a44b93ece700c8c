package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command is a driver that runs itself by sh -c with MOORING_ACTION,
// MOORING_CELL, MOORING_PLAN and MOORING_ROLL set. It runs in a process group
// of its own, which is killed when the context ends.
type Command string

// lastGasp is how long output is waited for after the process group was
// killed: a process that left the group may hold the pipe open.
const lastGasp = 2 * time.Second

// Act runs the command to its end. An exit status other than 0 is an error
// that carries the last lines of the output.
func (c Command) Act(ctx context.Context, request Request) error {
	output := &tail{limit: 2048}
	cmd := exec.CommandContext(ctx, "sh", "-c", string(c))
	cmd.Env = append(os.Environ(),
		"MOORING_ACTION="+string(request.Action),
		"MOORING_CELL="+request.Cell,
		"MOORING_PLAN="+request.Plan,
		"MOORING_ROLL="+request.Roll,
	)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = lastGasp

	err := cmd.Run()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	said := strings.TrimSpace(output.String())
	if said == "" {
		said = "it printed nothing"
	}
	return fmt.Errorf("%s of %s by %q: %w: %s", request.Action, request.Cell, string(c), err, said)
}
