package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// fleet is a running `moor dev`.
type fleet struct {
	api    string // address of its API
	state  string
	log    string
	supers *os.Process
	ended  chan struct{}
}

// startFleet starts `moor dev` with its state under dir and returns when every
// cell is there. PATH of the instances begins with bin.
func startFleet(ctx context.Context, moor, bin, dir string) (*fleet, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	f := &fleet{api: "http://" + listen, state: filepath.Join(dir, "state"), log: filepath.Join(dir, "moor-dev.log"), ended: make(chan struct{})}
	log, err := os.Create(f.log)
	if err != nil {
		return nil, fmt.Errorf("making the fleet's log: %w", err)
	}
	defer log.Close()
	command := exec.Command(moor, "dev", "--state-dir", f.state, "--listen", listen, "--cells", fmt.Sprint(cellsTotal), "--azs", "2")
	command.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	command.Stdout, command.Stderr = log, log
	// Ctrl-C is for the demo, which then stops the fleet in good order; the
	// fleet stops too when the demo dies.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the death signal is sent when this thread ends
		err := command.Start()
		f.supers = command.Process
		started <- err
		if err == nil {
			_ = command.Wait()
			close(f.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the fleet: %w", err)
	}
	if err := f.waitReady(ctx); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fleet) waitReady(ctx context.Context) error {
	return eventually(ctx, 60*time.Second, func() error {
		text, err := os.ReadFile(f.log)
		if err != nil {
			return fmt.Errorf("reading the fleet's log: %w", err)
		}
		if strings.Contains(string(text), "ready: ") {
			return nil
		}
		select {
		case <-f.ended:
			return fmt.Errorf("the fleet did not start: %s", text)
		default:
			return errors.New("the fleet is not ready; see " + f.log)
		}
	})
}

// stop ends the fleet in good order, or, when that takes too long, at once.
func (f *fleet) stop() {
	_ = f.supers.Signal(syscall.SIGTERM)
	select {
	case <-f.ended:
	case <-time.After(30 * time.Second):
		_ = f.supers.Kill()
		<-f.ended
	}
}

// freeAddress finds a port for the API.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a port for the API: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
