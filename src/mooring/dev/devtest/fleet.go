package devtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mooring/client"
	"mooring/dev"
)

// Fleet is a `moor dev` with a directory of its own.
type Fleet struct {
	Dir string // where commands run
	URL string // of the API

	t      testing.TB
	state  string
	env    []string
	flags  []string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	// lifeline ends the fleet when the test binary ends, however that happens.
	lifeline *os.File
}

// Start runs `moor dev` with these flags until the test ends. When the test
// has failed by then, what the fleet said is logged and its directory kept.
func Start(t testing.TB, flags ...string) *Fleet {
	t.Helper()
	return StartWith(t, nil, flags...)
}

// StartWith is Start with NAME=VALUE settings in the fleet's environment.
func StartWith(t testing.TB, env []string, flags ...string) *Fleet {
	t.Helper()
	// Sockets lie in it, whose paths may not be long: a test's own temporary
	// directory is named after the test.
	dir, err := os.MkdirTemp("", "moor")
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress()
	f := &Fleet{
		Dir: filepath.Join(dir, "work"), URL: "http://" + address, t: t, env: env,
		state: filepath.Join(dir, "state"), flags: append([]string{"--listen", address}, flags...),
	}
	if err := os.Mkdir(f.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Stop()
		if t.Failed() {
			t.Logf("moor dev said:\n%s", f.stderr.String())
			t.Logf("the fleet's logs are kept in %s", filepath.Join(f.state, "logs"))
			return
		}
		_ = os.RemoveAll(dir)
	})
	f.Start()
	return f
}

var fleets atomic.Int32

// freeAddress gives where the API of one more fleet listens: at a loopback
// address that no other process has, since it is made of this one's id.
func freeAddress() string {
	pid := os.Getpid()
	host := net.IPv4(127, byte(128+pid>>16), byte(pid>>8), byte(pid))
	return net.JoinHostPort(host.String(), strconv.Itoa(7770+int(fleets.Add(1))))
}

// StateDir gives the fleet's state directory, for `moor dev host` and the like.
func (f *Fleet) StateDir() string { return f.state }

// Start runs `moor dev` again after Stop, and returns when it is ready.
func (f *Fleet) Start() {
	f.t.Helper()
	f.cmd = exec.Command(Moor(), append([]string{"dev", "--state-dir", f.state}, f.flags...)...)
	f.cmd.Env = append(os.Environ(), f.env...)
	f.cmd.Stderr = &f.stderr
	stdout, err := f.cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	f.lifeline = ours
	f.cmd.ExtraFiles = []*os.File{theirs}
	f.cmd.Env = append(f.cmd.Env, dev.LifelineEnv+"=3")
	err = f.cmd.Start()
	theirs.Close()
	if err != nil {
		f.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready:") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return
		}
	}
	_ = f.cmd.Wait() // stderr is complete then
	f.t.Fatalf("the fleet did not come up:\n%s", f.stderr.String())
}

// Stop presses Ctrl-C and waits.
func (f *Fleet) Stop() {
	if f.cmd == nil || f.cmd.Process == nil || f.cmd.ProcessState != nil {
		return
	}
	_ = f.cmd.Process.Signal(syscall.SIGINT)
	_ = f.cmd.Wait()
	f.lifeline.Close()
}

// End ends the supervisor with a signal, as a closed terminal or a crash would.
func (f *Fleet) End(by syscall.Signal) {
	f.t.Helper()
	if err := f.cmd.Process.Signal(by); err != nil {
		f.t.Fatal(err)
	}
	_ = f.cmd.Wait()
}

// Left lists the processes of the fleet that run, by their commands.
func (f *Fleet) Left() []string {
	f.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		f.t.Fatal(err)
	}
	var left []string
	for _, dir := range dirs {
		// What cannot be read is gone meanwhile, or another user's.
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if bytes.Contains(command, []byte(f.state)) || bytes.Contains(environment, []byte(f.state)) {
			left = append(left, filepath.Base(dir)+" "+string(bytes.ReplaceAll(command, []byte{0}, []byte(" "))))
		}
	}
	return left
}

// Client gives a client of the fleet's API.
func (f *Fleet) Client() *client.Client {
	f.t.Helper()
	api, err := client.New(client.Config{Endpoints: []string{f.URL}})
	if err != nil {
		f.t.Fatal(err)
	}
	return api
}

// Write makes a file in the directory where commands run.
func (f *Fleet) Write(name, content string, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), mode); err != nil {
		f.t.Fatal(err)
	}
}

// Sh runs a script as a person at a terminal of the fleet would, and gives
// what it printed.
func (f *Fleet) Sh(script string) (string, error) {
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = f.Dir
	cmd.Env = append(os.Environ(), "MOORING_API="+f.URL, "MOORING_STATE_DIR="+f.state, "PATH="+filepath.Dir(Moor())+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w:\n%s", err, out)
	}
	return string(out), err
}

// Must is Sh for what has to succeed.
func (f *Fleet) Must(script string) string {
	f.t.Helper()
	out, err := f.Sh(script)
	if err != nil {
		f.t.Fatalf("%s\n%v", script, err)
	}
	return out
}

// patience is how long a fleet may take to come to what a test waits for.
const patience = 60 * time.Second

// Eventually runs a script until it prints what is wanted.
func (f *Fleet) Eventually(script, want string) {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		out, err := f.Sh(script)
		if err == nil && strings.Contains(out, want) {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s\nnever printed %q; last it printed:\n%s%v", script, want, out, err)
		}
		time.Sleep(100 * time.Millisecond) // a person looks again
	}
}
