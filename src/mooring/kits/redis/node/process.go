package node

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running redis-server.
type process struct {
	process *os.Process
	ended   chan struct{}
	err     error // how it ended; valid once ended is closed
}

// start runs the server. It is killed when the launcher dies, and it holds the
// run lock as long as it lives: there is never a second one on the volume.
func start(program, config string, hold *lock) (*process, error) {
	command := exec.Command(program, config)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = []*os.File{hold.file}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &process{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that started the
		// server ends, so that thread waits for it.
		runtime.LockOSThread()
		err := command.Start()
		p.process = command.Process
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w; is redis-server 7 installed?", program, err)
	}
	return p, nil
}

// stop has the server wait for its replicas, flush its log and end. The server
// refuses to end while its log is not complete, after a synchronisation, and
// does not think of it again, so it is asked again and again.
func (p *process) stop() {
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		_ = p.process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
			return
		case <-again.C:
		}
	}
}
