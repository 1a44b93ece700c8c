// Package devfleet runs a `moor dev` fleet for as long as something is
// measured on it.
package devfleet

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mooring/client"
)

// Fleet is a fleet of real processes, with a directory of its own.
type Fleet struct {
	// API is a client of its control plane, at URL.
	API *client.Client
	URL string
	// Dir is its directory, StateDir that of `moor dev` in it.
	Dir, StateDir string

	cmd *exec.Cmd
}

// Start runs the moor executable with `dev` and flags, and returns once the
// fleet says that it is ready. Stop ends it.
func Start(moor, listen string, flags ...string) (*Fleet, error) {
	dir, err := os.MkdirTemp("", "moor-bench")
	if err != nil {
		return nil, err
	}
	f := &Fleet{URL: "http://" + listen, Dir: dir, StateDir: filepath.Join(dir, "fleet")}
	if err := f.start(moor, append([]string{"dev", "--state-dir", f.StateDir, "--listen", listen}, flags...)); err != nil {
		f.Stop()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) start(moor string, args []string) (err error) {
	if f.API, err = client.New(client.Config{Endpoints: []string{f.URL}}); err != nil {
		return err
	}
	cmd := exec.Command(moor, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the fleet: %w", err)
	}
	f.cmd = cmd
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready:") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return nil
		}
	}
	return fmt.Errorf("the fleet did not come up: %s", said.String())
}

// Stop ends the fleet and takes its directory away.
func (f *Fleet) Stop() {
	if f.cmd != nil {
		_ = f.cmd.Process.Signal(syscall.SIGTERM)
		_ = f.cmd.Wait()
	}
	_ = os.RemoveAll(f.Dir)
}

// Until waits for something that no stream tells of.
func Until(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
