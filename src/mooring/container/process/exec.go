package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"mooring/container"
)

// pipeDelay bounds the wait for the end of a command's output after the
// command and all its children are gone.
const pipeDelay = time.Second

// Exec implements container.Instance.
func (i *Instance) Exec(ctx context.Context, command container.Command) error {
	select {
	case <-i.done:
		return fmt.Errorf("running a command in instance %s: its process has ended", i.spec.ID)
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
	}
	root := filepath.Join(i.runtime.home(i.spec.ID), "root")
	i.mu.Lock()
	i.execs++
	mark := fmt.Sprintf("%s=%s.%d.%d", execMark, i.spec.ID, i.leader.Start, i.execs)
	i.mu.Unlock()

	cmd := exec.Command("/bin/sh", "-c", command.Text)
	cmd.Dir = root
	cmd.Env = append(append(i.runtime.env(i.spec, root), command.Env...), mark)
	cmd.Stdout, cmd.Stderr = command.Out, command.Out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = pipeDelay
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running a command in instance %s: %w", i.spec.ID, err)
	}
	leader, err := readStat(cmd.Process.Pid)
	if err == nil {
		err = i.runtime.await(ctx, leader, mark, command)
	}
	if err != nil {
		_ = cmd.Process.Kill() // for the rare case that it could not even be watched
	}
	// Reaped last: until now the number could not be given to another.
	waited := cmd.Wait()
	if err != nil {
		return err
	}
	if !cmd.ProcessState.Success() {
		return &container.ExitError{Exit: exitOf(unix.WaitStatus(cmd.ProcessState.Sys().(syscall.WaitStatus)))}
	}
	var exit *exec.ExitError
	if errors.As(waited, &exit) || errors.Is(waited, exec.ErrWaitDelay) {
		return nil
	}
	return waited
}

// await waits for a command's end and kills what it left running. When ctx
// ends first, the command gets TERM and after grace KILL.
func (r *Runtime) await(ctx context.Context, leader stat, mark string, command container.Command) error {
	held, err := open(leader.PID, leader.Start)
	if err != nil {
		return fmt.Errorf("waiting for a command: %w", err)
	}
	defer held.close()
	err = held.wait(ctx)
	if err != nil && command.Grace > 0 {
		_ = unix.Kill(-leader.PID, unix.SIGTERM)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), command.Grace)
		_ = held.wait(patience) // over or not, what is left is killed next
		cancel()
	}
	if command.Frequent {
		// Not reaped yet, the command's number still names its group.
		_ = unix.Kill(-leader.PID, unix.SIGKILL)
		return err
	}
	all := family{session: leader.PID, since: leader.Start, marks: []string{HostMark + "=" + r.dir, mark}}
	return errors.Join(err, all.kill(context.WithoutCancel(ctx)))
}
