package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// moor is the executable under test, built once.
var moor string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "moor-e2e")
	if err != nil {
		panic(err)
	}
	moor = filepath.Join(dir, "moor")
	build := exec.Command("go", "build", "-o", moor, "mooring/cmd/moor")
	build.Stderr = os.Stderr
	status := 1
	if build.Run() == nil {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// fleet is a `moor dev` with a directory of its own.
type fleet struct {
	t      *testing.T
	dir    string // where commands run; the state is beside
	listen string
	api    string // URL
	flags  []string
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// startFleet runs `moor dev` until the test ends.
func startFleet(t *testing.T, flags ...string) *fleet {
	t.Helper()
	dir, err := os.MkdirTemp("", "moor")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	f := &fleet{t: t, dir: filepath.Join(dir, "work"), listen: listener.Addr().String(), flags: flags}
	f.api = "http://" + f.listen
	if err := os.Mkdir(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.stop()
		if t.Failed() {
			t.Logf("moor dev said:\n%s", f.stderr.String())
			t.Logf("the fleet's logs are kept in %s", filepath.Join(f.stateDir(), "logs"))
			return
		}
		_ = os.RemoveAll(dir)
	})
	f.start()
	return f
}

func (f *fleet) stateDir() string { return filepath.Join(filepath.Dir(f.dir), "state") }

// start runs `moor dev` and returns when it says that it is ready.
func (f *fleet) start() {
	f.t.Helper()
	f.cmd = exec.Command(moor, append([]string{"dev", "--state-dir", f.stateDir(), "--listen", f.listen}, f.flags...)...)
	f.cmd.Stderr = &f.stderr
	stdout, err := f.cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready:") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return
		}
	}
	f.t.Fatalf("the fleet did not come up:\n%s", f.stderr.String())
}

// stop presses Ctrl-C and waits.
func (f *fleet) stop() {
	if f.cmd == nil || f.cmd.Process == nil || f.cmd.ProcessState != nil {
		return
	}
	_ = f.cmd.Process.Signal(syscall.SIGINT)
	_ = f.cmd.Wait()
}

// sh runs a script as a person at a terminal of the fleet would, and gives
// what it printed.
func (f *fleet) sh(script string) (string, error) {
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "MOORING_API="+f.api, "PATH="+filepath.Dir(moor)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w:\n%s", err, out)
	}
	return string(out), err
}

// must is sh for what has to succeed.
func (f *fleet) must(script string) string {
	f.t.Helper()
	out, err := f.sh(script)
	if err != nil {
		f.t.Fatalf("%s\n%v", script, err)
	}
	return out
}

// eventually runs a script until it prints what is wanted.
func (f *fleet) eventually(script, want string) {
	f.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		out, err := f.sh(script)
		if err == nil && strings.Contains(out, want) {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s\nnever printed %q; last it printed:\n%s%v", script, want, out, err)
		}
		time.Sleep(100 * time.Millisecond) // a person looks again
	}
}
