// Package process runs instances as plain processes of the host, without
// root: each in a session and process group of its own, in a directory of its
// own, with its output appended to a file. What an instance started is found
// again by its session, by marks in the environment and by parentage.
//
// Under the runtime's directory:
//
//	instances/ID/process.json  what was started, and its PID and start time
//	instances/ID/root/         the instance's directory, HOME and mounts
//	instances/ID/log           its output
//
// Processes outlive the agent that started them; the next one adopts them.
package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"mooring/boot"
	"mooring/container"
)

// The marks that every process carries in its environment.
const (
	// HostMark holds the runtime's directory: a supervisor finds by it
	// whatever runs for one cell.
	HostMark = "MOORING_HOST"
	// InstanceMark holds the instance's ID.
	InstanceMark = "CF_INSTANCE_GUID"
	// execMark tells the commands run beside an instance from each other and
	// from the instance.
	execMark = "MOORING_EXEC"
)

// Runtime runs instances as processes. It implements container.Runtime.
type Runtime struct {
	dir  string // absolute
	boot string // of this host: PIDs mean nothing in another one
	log  *slog.Logger
}

// New gives a runtime that keeps its records in dir, which is made if need be.
// One agent at a time may use a directory.
func New(dir string, log *slog.Logger) (*Runtime, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the run directory %s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Join(absolute, "instances"), 0o700); err != nil {
		return nil, fmt.Errorf("making the run directory (may the agent write there?): %w", err)
	}
	here, err := boot.ID()
	if err != nil {
		return nil, err
	}
	return &Runtime{dir: absolute, boot: here, log: log}, nil
}

func (r *Runtime) home(id string) string { return filepath.Join(r.dir, "instances", id) }

// LogPath implements container.Runtime.
func (r *Runtime) LogPath(id string) string { return filepath.Join(r.home(id), "log") }

// family is everything of an instance: its session, and what carries its marks.
func (r *Runtime) family(id string, leader stat) family {
	return family{session: leader.PID, since: leader.Start, marks: r.marks(id)}
}

func (r *Runtime) marks(id string) []string {
	return []string{HostMark + "=" + r.dir, InstanceMark + "=" + id}
}

// Remove implements container.Runtime.
func (r *Runtime) Remove(id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := os.RemoveAll(r.home(id)); err != nil {
		return fmt.Errorf("removing the directory of instance %s: %w", id, err)
	}
	return nil
}

// Adopt implements container.Runtime.
func (r *Runtime) Adopt(ctx context.Context) ([]container.Instance, error) {
	records, err := r.records()
	if err != nil {
		return nil, err
	}
	var adopted []container.Instance
	sessions := map[int]bool{}
	for _, found := range records {
		instance, err := r.adopt(ctx, found)
		if err != nil {
			return nil, err
		}
		if instance != nil {
			adopted = append(adopted, instance)
			sessions[found.PID] = true
		}
	}
	return adopted, r.sweep(ctx, sessions)
}

// adopt gives the instance of a record, nil when its process has ended. What
// is left of an instance whose process has ended is killed.
func (r *Runtime) adopt(ctx context.Context, found record) (*Instance, error) {
	if found.Boot != r.boot {
		return nil, r.forget(found.Spec.ID)
	}
	leader := stat{PID: found.PID, Start: found.Start}
	held, err := open(found.PID, found.Start)
	if err == nil {
		if now, err := readStat(found.PID); err == nil && !now.dead() {
			r.log.Info("adopted instance", "instance", found.Spec.ID, "pid", found.PID)
			instance := r.instance(found.Spec, leader, held, nil)
			go instance.watch()
			return instance, nil
		}
		held.close()
	} else if !errors.Is(err, errGone) {
		return nil, fmt.Errorf("adopting instance %s: %w", found.Spec.ID, err)
	}
	rest := r.family(found.Spec.ID, leader)
	if now, err := readStat(found.PID); err == nil && now.Start != found.Start {
		// The number belongs to somebody else now, so the session has ended.
		rest.session = 0
	}
	if err := rest.kill(ctx); err != nil {
		return nil, fmt.Errorf("killing what instance %s left: %w", found.Spec.ID, err)
	}
	return nil, r.forget(found.Spec.ID)
}

// sweep kills everything that carries the marks of this runtime and is not in
// one of the sessions to keep.
func (r *Runtime) sweep(ctx context.Context, keep map[int]bool) error {
	all, err := processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		if keep[p.Session] || p.PID == os.Getpid() || !r.owns(p.PID) {
			continue
		}
		held, err := open(p.PID, p.Start)
		if err != nil {
			continue
		}
		r.log.Info("killing a stray process", "pid", p.PID)
		if held.signal(unix.SIGKILL) == nil {
			err = held.wait(ctx)
		}
		held.close()
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("waiting for stray process %d to end: %w", p.PID, err)
		}
	}
	return nil
}

// owns reports whether the process was started by a runtime on this
// directory. The agent itself and its supervisor may carry HostMark, so an
// instance must be named as well.
func (r *Runtime) owns(pid int) bool {
	host, instance := false, false
	for _, variable := range environ(pid) {
		host = host || string(variable) == HostMark+"="+r.dir
		instance = instance || strings.HasPrefix(string(variable), InstanceMark+"=")
	}
	return host && instance
}

// KillAll kills every instance on record under dir and every process with its
// marks, and forgets the records. It is for a supervisor whose agent is gone,
// and for an agent that starts in a new boot of its cell. A directory that
// does not exist holds nothing to kill.
func KillAll(ctx context.Context, dir string, log *slog.Logger) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	runtime, err := New(dir, log)
	if err != nil {
		return err
	}
	adopted, err := runtime.Adopt(ctx)
	if err != nil {
		return err
	}
	for _, instance := range adopted {
		if err := instance.Stop(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// Kill kills one instance on record under dir and all that it started, whether
// or not its agent lives; an agent that does sees it end. It is no error when
// there is no such instance.
func Kill(ctx context.Context, dir, id string, log *slog.Logger) error {
	runtime, err := New(dir, log)
	if err != nil {
		return err
	}
	rec, err := runtime.read(id)
	if errors.Is(err, fs.ErrNotExist) || err == nil && rec.Boot != runtime.boot {
		return nil
	}
	if err != nil {
		return err
	}
	all := runtime.family(id, stat{PID: rec.PID, Start: rec.Start})
	if now, err := readStat(rec.PID); err == nil && now.Start != rec.Start {
		all.session = 0 // the number belongs to somebody else now
	}
	if err := all.kill(ctx); err != nil {
		return fmt.Errorf("killing instance %s: %w", id, err)
	}
	return nil
}

// checkID refuses what is not one plain file name.
func checkID(id string) error {
	if id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/\x00") {
		return fmt.Errorf("instance id %q cannot name a directory", id)
	}
	return nil
}
