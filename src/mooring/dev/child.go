package dev

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A child that dies is started again after a pause that doubles from
// minRestartPause to maxRestartPause and is forgotten once it has run for
// steadyAfter.
const (
	minRestartPause = 100 * time.Millisecond
	maxRestartPause = 5 * time.Second
	steadyAfter     = 10 * time.Second
)

// child is one supervised process. It is started again whenever it ends,
// until it is stopped.
type child struct {
	name    string
	args    []string // of this same executable
	logPath string
	log     *slog.Logger

	mu       sync.Mutex
	pid      int // 0 while it is not running
	restarts int

	cancel context.CancelFunc
	done   chan struct{}
}

// startChild starts the process and the goroutine that keeps it running. An
// error means that the first start failed; nothing is left running then.
func startChild(name, logPath string, log *slog.Logger, args ...string) (*child, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &child{name: name, args: args, logPath: logPath, log: log, cancel: cancel, done: make(chan struct{})}
	run, err := c.start()
	if err != nil {
		cancel()
		return nil, err
	}
	go c.keep(ctx, run)
	return c, nil
}

// run is one life of the process. The lifeline is a pipe whose other end the
// process reads: it ends when the supervisor does, however that happens.
type run struct {
	cmd      *exec.Cmd
	lifeline *os.File
	ended    chan string // how it ended, once
	began    time.Time
}

func (c *child) start() (*run, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own executable to start %s: %w", c.name, err)
	}
	logFile, err := os.OpenFile(c.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.name, err)
	}
	defer logFile.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the lifeline of %s: %w", c.name, err)
	}
	defer theirs.Close()

	cmd := exec.Command(self, c.args...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=3", LifelineEnv))
	// A group of its own keeps a terminal's Ctrl-C from reaching it: the
	// supervisor decides the order in which things stop.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	r := &run{cmd: cmd, lifeline: ours, ended: make(chan string, 1), began: time.Now()}
	go func() { r.ended <- exitText(cmd.Wait()) }()
	c.setPID(cmd.Process.Pid)
	return r, nil
}

// keep waits for the process and starts it again until ctx ends.
func (c *child) keep(ctx context.Context, r *run) {
	defer close(c.done)
	pause := minRestartPause
	for {
		select {
		case <-ctx.Done():
			c.end(r)
			return
		case how := <-r.ended:
			r.lifeline.Close()
			c.setPID(0)
			c.log.Warn("process ended, starting it again", "process", c.name, "how", how)
		}
		if time.Since(r.began) > steadyAfter {
			pause = minRestartPause
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, maxRestartPause)
			next, err := c.start()
			if err == nil {
				r = next
				break
			}
			c.log.Error("process does not start", "process", c.name, "error", err)
		}
		c.mu.Lock()
		c.restarts++
		c.mu.Unlock()
	}
}

// end asks the process to stop and waits for it; stopPatience later it is
// killed.
func (c *child) end(r *run) {
	defer r.lifeline.Close()
	defer c.setPID(0)
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(stopPatience):
		c.log.Warn("process does not stop, killing it", "process", c.name, "after", stopPatience)
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
}

// stop ends the process for good and returns when it is gone.
func (c *child) stop() {
	c.cancel()
	<-c.done
}

func (c *child) setPID(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pid = pid
}

func (c *child) process(cell string) Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Process{Name: c.name, Cell: cell, PID: c.pid, Restarts: c.restarts}
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
