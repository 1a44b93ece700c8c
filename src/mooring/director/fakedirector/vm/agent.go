package vm

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mooring/director/fakedirector/deployment"
)

// What an agent says of the processes of its VM.
const (
	Running  = "running"
	Starting = "starting"
	Failing  = "failing"
	Stopped  = "stopped"
)

// An agent waits so long for processes to stop, and for monit to answer.
const (
	stopTimeout  = 5 * time.Minute
	monitTimeout = time.Minute
)

// Configure puts the files of jobs where they belong, in the place of those that
// were there.
func (vm *VM) Configure(jobs []*deployment.RenderedJob) error {
	vm.jobs = nil
	if err := os.RemoveAll(vm.Path("jobs")); err != nil {
		return err
	}
	for _, job := range jobs {
		vm.jobs = append(vm.jobs, job.Name)
		for path, text := range job.Files {
			at := vm.Path(filepath.Join("jobs", job.Name, path))
			mode := fs.FileMode(0o640)
			if strings.HasPrefix(path, "bin/") {
				mode = 0o750
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o750), os.WriteFile(at, []byte(text), mode)); err != nil {
				return err
			}
		}
		if err := os.WriteFile(vm.Path(filepath.Join("jobs", job.Name, "monit")), []byte(job.Monit), 0o640); err != nil {
			return err
		}
	}
	if slices.Contains(vm.jobs, "bpm") {
		if err := os.WriteFile(vm.Path("bosh/bpm.rb"), []byte(bpmScript), 0o644); err != nil {
			return err
		}
	}
	// As the agent has it: root's, and readable by the group vcap.
	return filepath.WalkDir(vm.Path("jobs"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, 0, user)
	})
}

// Run runs a script of every job that has it, all at the same time, with these
// variables added to its environment. It returns what failed in the agent's
// words.
func (vm *VM) Run(ctx context.Context, script string, env []string) error {
	var group errgroup.Group
	failed := make([]error, len(vm.jobs))
	for i, job := range vm.jobs {
		group.Go(func() error {
			failed[i] = vm.runScript(ctx, job, script, env)
			return nil
		})
	}
	_ = group.Wait()
	var names, reasons []string
	ran := 0
	for i, err := range failed {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		ran++
		if err != nil {
			names, reasons = append(names, vm.jobs[i]), append(reasons, err.Error())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d %s scripts failed. Failed Jobs: %s. (%s)", len(names), ran, script, strings.Join(names, ", "), strings.Join(reasons, "; "))
}

// runScript runs one; fs.ErrNotExist says that the job does not have it.
func (vm *VM) runScript(ctx context.Context, job, script string, env []string) error {
	path := filepath.Join("jobs", job, "bin", script)
	if _, err := os.Stat(vm.Path(path)); err != nil {
		return fs.ErrNotExist
	}
	log := vm.Path(filepath.Join("sys/log", job))
	if err := os.MkdirAll(log, 0o755); err != nil {
		return err
	}
	cmd := vm.Command(ctx, filepath.Join("/var/vcap", path))
	cmd.Env = append(cmd.Env, env...)
	for suffix, stream := range map[string]func(*os.File){
		"stdout": func(f *os.File) { cmd.Stdout = f },
		"stderr": func(f *os.File) { cmd.Stderr = f },
	} {
		file, err := os.OpenFile(filepath.Join(log, script+"."+suffix+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		stream(file)
	}
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(filepath.Join(log, script+".stderr.log"))
		return fmt.Errorf("%s: %w: %s", job, err, tail(string(text)))
	}
	return nil
}

// tail is the end of a log.
func tail(log string) string { return strings.TrimSpace(log[max(0, len(log)-500):]) }

// monitrc is what monit is told besides the jobs. Stemcells have it look every
// ten seconds; everything else is as there.
const monitrc = `set daemon 1
set pidfile /var/vcap/monit/monit.pid
set idfile /var/vcap/monit/monit.id
set statefile /var/vcap/monit/monit.state
set logfile /var/vcap/monit/monit.log
set httpd port 2822 and use address 127.0.0.1
  allow localhost
include /var/vcap/monit/job/*
`

// Start has monit start the processes of the jobs and watch them.
func (vm *VM) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, monitTimeout)
	defer cancel()
	if err := os.RemoveAll(vm.Path("monit/job")); err != nil {
		return err
	}
	if err := os.MkdirAll(vm.Path("monit/job"), 0o755); err != nil {
		return err
	}
	for i, job := range vm.jobs {
		text, err := os.ReadFile(vm.Path(filepath.Join("jobs", job, "monit")))
		if err != nil {
			return err
		}
		if err := os.WriteFile(vm.Path(fmt.Sprintf("monit/job/%04d_%s.monitrc", i, job)), text, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(vm.Path("monit/monitrc"), []byte(monitrc), 0o600); err != nil {
		return err
	}
	if err := errors.Join(vm.endMonit(ctx), os.RemoveAll(vm.Path("monit/stopped"))); err != nil {
		return err
	}
	if text, err := vm.output(ctx, "monit", "-c", "/var/vcap/monit/monitrc"); err != nil {
		return fmt.Errorf("starting monit: %w: %s", err, text)
	}
	if err := vm.until(ctx, "monit answers", func() (bool, error) {
		_, err := vm.services(ctx)
		return err == nil, nil
	}); err != nil {
		return err
	}
	// It does not watch what it was told to stop before it ended.
	if text, err := vm.output(ctx, "monit", "-c", "/var/vcap/monit/monitrc", "start", "all"); err != nil {
		return fmt.Errorf("starting processes: %w: %s", err, text)
	}
	return nil
}

// endMonit ends the monit that runs, which leaves the processes alone.
func (vm *VM) endMonit(ctx context.Context) error {
	text, err := os.ReadFile(vm.Path("monit/monit.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	if _, err := vm.output(ctx, "kill", strconv.Itoa(pid)); err != nil {
		return nil // it has ended
	}
	return vm.until(ctx, "monit ends", func() (bool, error) {
		_, err := vm.output(ctx, "kill", "-0", strconv.Itoa(pid))
		return err != nil, nil
	})
}

// Stop has monit stop the processes, and waits until they are.
func (vm *VM) Stop(ctx context.Context) error {
	if _, err := os.Stat(vm.Path("monit/monit.pid")); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever started
	}
	if text, err := vm.output(ctx, "monit", "-c", "/var/vcap/monit/monitrc", "stop", "all"); err != nil {
		return fmt.Errorf("stopping processes: %w: %s", err, text)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := vm.until(ctx, "processes stop", func() (bool, error) {
		services, err := vm.services(ctx)
		return err == nil && !slices.ContainsFunc(services, func(s service) bool { return s.Monitor != 0 || s.Pending != 0 }), nil
	}); err != nil {
		return err
	}
	return os.WriteFile(vm.Path("monit/stopped"), nil, 0o644)
}

// State says how the processes are.
func (vm *VM) State(ctx context.Context) string {
	if _, err := os.Stat(vm.Path("monit/stopped")); err == nil {
		return Stopped
	}
	services, err := vm.services(ctx)
	if err != nil {
		return "unknown"
	}
	state := Running
	for _, s := range services {
		switch {
		case s.Monitor == 2:
			return Starting
		case s.Monitor != 1 || s.Status != 0:
			state = Failing
		}
	}
	return state
}

// NotRunning returns the names of the processes that are not running.
func (vm *VM) NotRunning(ctx context.Context) []string {
	services, _ := vm.services(ctx)
	var names []string
	for _, s := range services {
		if s.Monitor != 1 || s.Status != 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

// service is a process as monit sees it: Monitor is 0 when it is not watched, 1
// when it is and 2 while it is being started; Status is 0 while all is well.
type service struct {
	Type    int    `xml:"type,attr"`
	Name    string `xml:"name"`
	Status  int    `xml:"status"`
	Monitor int    `xml:"monitor"`
	Pending int    `xml:"pendingaction"`
}

// process is monit's number for that type of service.
const process = 3

func (vm *VM) services(ctx context.Context) ([]service, error) {
	var monit struct {
		Services []service `xml:"service"`
	}
	text, err := vm.Command(ctx, "curl", "--silent", "--fail", "--max-time", "5", "http://127.0.0.1:2822/_status?format=xml").Output()
	if err != nil {
		return nil, fmt.Errorf("asking monit: %w", err)
	}
	decoder := xml.NewDecoder(strings.NewReader(string(text)))
	decoder.CharsetReader = func(_ string, text io.Reader) (io.Reader, error) { return text, nil } // names here are ASCII
	if err := decoder.Decode(&monit); err != nil {
		return nil, fmt.Errorf("reading monit's answer: %w", err)
	}
	return slices.DeleteFunc(monit.Services, func(s service) bool { return s.Type != process }), nil
}

// until waits until a condition holds, looking at it again and again.
func (vm *VM) until(ctx context.Context, what string, holds func() (bool, error)) error {
	for {
		ok, err := holds()
		if err != nil || ok {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-vm.ended:
			return fmt.Errorf("waiting until %s on %s: the VM has ended", what, vm.name)
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s on %s: %w", what, vm.name, ctx.Err())
		}
	}
}

// Errand runs the script of an errand and returns what it printed.
func (vm *VM) Errand(ctx context.Context, job string) (string, error) {
	text, err := vm.output(ctx, filepath.Join("/var/vcap/jobs", job, "bin/run"))
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return text, fmt.Errorf("Errand '%s' completed with error (exit code %d)", job, exit.ExitCode())
	}
	return text, err
}
