package dev

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mooring/container/process"
	"mooring/model"
)

// The supervisor starts its own executable in the roles of the fleet. Here
// that is the test binary, which plays each role as simply as possible: it
// waits to be stopped. A cell also leaves a process of its own behind, as a
// cell whose agent was killed would.
func TestMain(m *testing.M) {
	// The race detector's pause at exit would only slow every child down.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "control-plane", "volume-manager":
		play(nil)
	case "cell-agent":
		play(func() error { return leaveInstance(flagAfter("--run-dir")) })
	case "supervise":
		supervise(os.Args[2], os.Args[3])
	default:
		os.Exit(m.Run())
	}
}

func flagAfter(name string) string {
	for i, arg := range os.Args[:len(os.Args)-1] {
		if arg == name {
			return os.Args[i+1]
		}
	}
	return ""
}

func play(begin func() error) {
	ctx, err := WithLifeline(context.Background(), nil)
	if err == nil && begin != nil {
		err = begin()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	os.Exit(0)
}

// leaveInstance starts a process in a group of its own that carries the
// host's mark, if none is there.
func leaveInstance(runDir string) error {
	if len(onHost(runDir)) > 0 {
		return nil
	}
	cmd := exec.Command("sleep", "600")
	cmd.Env = []string{process.HostMark + "=" + runDir, process.InstanceMark + "=left-behind"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func supervise(dir, listen string) {
	s, err := Start(testConfig(dir, listen))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour) // it is killed
	s.Stop()
}

func testConfig(dir, listen string) Config {
	return Config{
		StateDir: dir, Listen: listen,
		Cells: 2, AZs: 2, Domains: 1,
		Memory: model.Gigabyte, Persistent: model.Gigabyte, Ephemeral: model.Gigabyte, Shared: model.Gigabyte,
		LeaseTTL: 10 * time.Second,
		Logger:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// shortDir gives a directory whose path leaves room for the sockets in it,
// however long the test's name is.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "moor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "fleet")
}
