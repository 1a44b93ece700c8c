package release

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/director/fakedirector/deployment"
	"mooring/release/compiled"
)

// vm is a directory in the place of a VM's /var/vcap, with the release's
// packages in it.
type vm struct {
	dir string
	// rewrites are further texts that stand for others on this VM.
	rewrites map[string]string
}

// stubs stand for programs that need root, or a VM: vcap is whoever runs the
// tests, and every directory is a disk.
var stubs = map[string]string{
	"setpriv":    "#!/bin/sh\nwhile [ \"${1#--}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n",
	"chown":      "#!/bin/sh\n",
	"mountpoint": "#!/bin/sh\ntest -e \"$2/.disk\"\n",
}

func TestMain(m *testing.M) {
	status := m.Run()
	compiled.Remove()
	os.Exit(status)
}

// newVM makes a VM with nothing on it but packages.
func newVM(t *testing.T) *vm {
	t.Helper()
	packages, err := compiled.Packages(filepath.Join(top, "src", "mooring"))
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: the path of a socket must be short.
	dir, err := os.MkdirTemp("", "vcap-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, sub := range []string{"store", "data", "sys/run", "sys/log", "stubs", "jobs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range stubs {
		if err := os.WriteFile(filepath.Join(dir, "stubs", name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(packages, filepath.Join(dir, "packages")); err != nil {
		t.Fatal(err)
	}
	return &vm{dir: dir, rewrites: map[string]string{}}
}

// path gives where a path under /var/vcap is.
func (v *vm) path(path string) string { return filepath.Join(v.dir, path) }

// install puts the files of an instance's jobs where BOSH would.
func (v *vm) install(t *testing.T, instance *deployment.Instance) {
	t.Helper()
	for _, job := range instance.Jobs {
		for path, text := range files(job) {
			text = strings.ReplaceAll(text, "/var/vcap", v.dir)
			for from, to := range v.rewrites {
				text = strings.ReplaceAll(text, from, to)
			}
			at := v.path(filepath.Join("jobs", job.Name, path))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// script gives a script of a job, ready to run.
func (v *vm) script(ctx context.Context, job, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, v.path(filepath.Join("jobs", job, path)), args...)
	cmd.Env = append(os.Environ(), "PATH="+v.path("stubs")+":"+os.Getenv("PATH"), "MOORING_API=", "MOORING_ORG=", "MOORING_SPACE=")
	return cmd
}

// run runs a script of a job to its end and gives what it printed.
func (v *vm) run(t *testing.T, job, path string, env []string, args ...string) (string, error) {
	t.Helper()
	// Not the test's own context, which is over before its cleanups stop what
	// was started.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := v.script(ctx, job, path, args...)
	cmd.Env = append(cmd.Env, env...)
	// A pipe would be held open by daemons that a script starts.
	output, err := os.CreateTemp(v.dir, "output-")
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	failed := cmd.Run()
	return readFile(t, output.Name()), failed
}

// must is run for scripts that succeed.
func (v *vm) must(t *testing.T, job, path string, env []string, args ...string) string {
	t.Helper()
	output, err := v.run(t, job, path, env, args...)
	if err != nil {
		t.Fatalf("%s of %s: %v\n%s", path, job, err, output)
	}
	return output
}

// process is what BPM runs.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string
}

// bpm starts the job's process as BPM would, until the test ends.
func (v *vm) bpm(t *testing.T, job string) *process {
	t.Helper()
	var config struct {
		Processes []struct {
			Name, Executable string
			Args             []string
			PersistentDisk   bool           `yaml:"persistent_disk"`
			EphemeralDisk    bool           `yaml:"ephemeral_disk"`
			Limits           map[string]int `yaml:"limits"`
		}
	}
	readYAML(t, v.path(filepath.Join("jobs", job, "config", "bpm.yml")), &config)
	if config.Processes[0].EphemeralDisk { // BPM makes the directory
		if err := os.MkdirAll(v.path("data/"+job), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := &process{cmd: exec.Command(config.Processes[0].Executable, config.Processes[0].Args...), done: make(chan struct{}), log: v.path("sys/log/" + job + ".log")}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Log(job, tail(readFile(t, p.log)))
		}
	})
	return p
}

// tail is the end of a log, for a test that failed.
func tail(log string) string { return log[max(0, len(log)-1500):] }

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// freePort gives a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}
