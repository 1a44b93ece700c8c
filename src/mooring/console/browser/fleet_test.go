package browser

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
)

// moor is the executable under test, built once.
var moor string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "moor-board")
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

// fleet is a running `moor dev` with a data service on it.
type fleet struct {
	t   *testing.T
	dir string // where commands run; the state is beside
	url string
	cmd *exec.Cmd
}

// manifest is six instances on fixed volumes, three on floating ones and three
// without. The first app's handler hangs while there is a file "hang-INDEX".
const manifest = `applications:
- name: ledger
  owner: "ledger team, #ledger"
  instances: 6
  memory: 16M
  command: exec sleep 100000
  mounts: [{volume: ledger-data, path: /data}]
  health: {type: process}
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    interrupt: {command: "%[1]s/interrupt.sh", timeout: 60s, progress_timeout: 2s}
    drain: none
    healthy_for: 1s
- name: queue
  instances: 3
  memory: 16M
  command: exec sleep 100000
  mounts: [{volume: queue-log, path: /data}]
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1, drain: none, healthy_for: 1s}
- name: gateway
  instances: 3
  memory: 16M
  command: exec sleep 100000
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1, healthy_for: 1s}
`

const handler = `#!/bin/sh
if [ -e "%[1]s/hang-$CF_INSTANCE_INDEX" ]; then
  echo '{"progress": 0.31, "message": "5300 of 16384 slots moved"}'
  echo "connecting to the peer at 127.83.0.4:10007: no answer"
  exec sleep 3600
fi
echo '{"progress": 0.5, "message": "half of it"}'
sleep 0.3
`

const plan = "name: %s\ncells: all\naction: recreate\n"

// startFleet runs `moor dev` with the data service until the test ends.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	chromium(t) // without one there is no use in it
	dir, err := os.MkdirTemp("", "moor")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	f := &fleet{t: t, dir: filepath.Join(dir, "work"), url: "http://" + address}
	if err := os.Mkdir(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	f.cmd = exec.Command(moor, "dev", "--state-dir", filepath.Join(dir, "state"), "--listen", address)
	f.cmd.Stderr = &stderr
	stdout, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.cmd.Process.Signal(syscall.SIGINT)
		_ = f.cmd.Wait()
		if t.Failed() {
			t.Logf("moor dev said:\n%s\nits logs are kept in %s", stderr.String(), filepath.Join(dir, "state", "logs"))
			return
		}
		_ = os.RemoveAll(dir)
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "ready:") {
	}
	if lines.Text() == "" {
		t.Fatalf("the fleet did not come up:\n%s", stderr.String())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	f.write("app.yml", fmt.Sprintf(manifest, f.dir), 0o644)
	f.write("interrupt.sh", fmt.Sprintf(handler, f.dir), 0o755)
	f.sh("moor create-volume-set ledger-data --class persistent --count 6 --size 10M")
	f.sh("moor create-volume-set queue-log --class shared --count 3 --size 10M")
	f.sh("moor push -f app.yml")
	return f
}

func (f *fleet) write(name, content string, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), mode); err != nil {
		f.t.Fatal(err)
	}
}

// sh runs a command as a person at a terminal of the fleet would, and gives
// what it printed.
func (f *fleet) sh(script string) string {
	f.t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "MOORING_API="+f.url, "PATH="+filepath.Dir(moor)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// roll starts a plan over the whole fleet.
func (f *fleet) roll(name string) {
	f.t.Helper()
	f.write(name+".yml", fmt.Sprintf(plan, name), 0o644)
	f.sh("moor roll " + name + ".yml --reason 'kernel fix'")
}
