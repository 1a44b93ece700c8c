package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"mooring/container"
)

// gate is what the process first is: a shell that waits for one line on
// descriptor 3 and then becomes the command. The line is sent once the PID is
// on record; if the agent dies before, the shell reads the end of the pipe
// and goes, so no process ever runs unrecorded.
const gate = `IFS= read -r go <&3 || exit 125; exec 3<&-; exec /bin/sh -c "$1"`

// Start implements container.Runtime.
func (r *Runtime) Start(ctx context.Context, spec container.Spec) (container.Instance, error) {
	if err := checkID(spec.ID); err != nil {
		return nil, err
	}
	if err := checkPorts(ctx, spec.Listen); err != nil {
		return nil, err
	}
	root := filepath.Join(r.home(spec.ID), "root")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of instance %s: %w", spec.ID, err)
	}
	if err := linkMounts(root, spec.Mounts); err != nil {
		return nil, fmt.Errorf("mounting in instance %s: %w", spec.ID, err)
	}
	output, err := os.OpenFile(r.LogPath(spec.ID), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of instance %s: %w", spec.ID, err)
	}
	defer output.Close()
	instance, err := r.launch(spec, root, output)
	if err != nil {
		return nil, fmt.Errorf("starting instance %s: %w", spec.ID, err)
	}
	return instance, nil
}

// launch starts the gate, records it, and lets it through.
func (r *Runtime) launch(spec container.Spec, root string, output *os.File) (*Instance, error) {
	wait, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer release.Close()
	cmd := exec.Command("/bin/sh", "-c", gate, "mooring", spec.Command)
	cmd.Dir, cmd.Env = root, r.env(spec, root)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{wait}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	wait.Close()
	if err != nil {
		return nil, err
	}
	// Until the gate is opened, closing the pipe is all it takes to undo.
	undo := func(err error) (*Instance, error) {
		release.Close()
		_ = cmd.Wait()
		return nil, err
	}
	leader, err := readStat(cmd.Process.Pid)
	if err != nil {
		return undo(err)
	}
	held, err := open(leader.PID, leader.Start)
	if err != nil {
		return undo(err)
	}
	if err := r.write(record{Spec: spec, PID: leader.PID, Start: leader.Start, Boot: r.boot}); err != nil {
		held.close()
		return undo(err)
	}
	if _, err := release.Write([]byte("go\n")); err != nil {
		held.close()
		return undo(errors.Join(err, r.forget(spec.ID)))
	}
	instance := r.instance(spec, leader, held, cmd)
	go instance.watch()
	return instance, nil
}

// env is the environment of an instance and of what is run beside it.
func (r *Runtime) env(spec container.Spec, root string) []string {
	env := append([]string{}, spec.Env...)
	env = append(env, "HOME="+root)
	return append(env, r.marks(spec.ID)...)
}

// checkPorts says which address somebody else listens on already: an instance
// would fail with it in a way its developer cannot understand.
func checkPorts(ctx context.Context, addresses []string) error {
	for _, address := range addresses {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", address)
		if errors.Is(err, syscall.EADDRINUSE) {
			_, port, _ := net.SplitHostPort(address)
			return fmt.Errorf("port %s is already taken: another process listens on %s; find it with: ss -ltnp 'sport = :%s'", port, address, port)
		}
		if err != nil {
			return fmt.Errorf("an instance cannot listen on %s here: %w", address, err)
		}
		listener.Close()
	}
	return nil
}

// linkMounts makes a link in the root for each mount. What an earlier start
// linked elsewhere is replaced; anything else in the way is an error.
func linkMounts(root string, mounts []container.Mount) error {
	inside, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer inside.Close()
	for _, mount := range mounts {
		path := filepath.Clean("/" + mount.Path)[1:]
		if path == "" {
			return fmt.Errorf("a volume cannot be mounted at %q; use a path such as /data", mount.Path)
		}
		if err := inside.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("making the parents of %s: %w", mount.Path, err)
		}
		if old, err := inside.Lstat(path); err == nil {
			if old.Mode()&os.ModeSymlink == 0 {
				return fmt.Errorf("something that is not a mount is in the way at %s", mount.Path)
			}
			if err := inside.Remove(path); err != nil {
				return err
			}
		}
		if err := inside.Symlink(mount.Source, path); err != nil {
			return err
		}
	}
	return nil
}
