// Package boot says which boot of this host it is.
package boot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// What changes with a boot, relative to the root of the file system.
const (
	// kernelFile is new with each boot of the kernel. Containers share it.
	kernelFile = "proc/sys/kernel/random/boot_id"
	// namespaceFile names the PID namespace. Its number may be used again once
	// the namespace is gone.
	namespaceFile = "proc/self/ns/pid"
	// initFile tells when PID 1 started: the kernel's own on a host of its own,
	// the container's in a container.
	initFile = "proc/1/stat"
)

// settingsFiles are where the agent of BOSH keeps the settings of its VM: on
// a tmpfs where the VM is told to, or on its disk. Only root may look there.
var settingsFiles = []string{"var/vcap/bosh/settings/settings.json", "var/vcap/bosh/settings.json"}

// space is what identities are made in. Another one, or other parts, make
// every cell look as if it had booted.
var space = uuid.MustParse("5f1d1c57-3c0a-4c0e-9a55-0c6d0e3f6b1e")

// ID returns the identity of this boot of this host, a UUID. It is another one
// after a reboot, and in a VM that was made anew, although VMs that are
// containers share a kernel. Within one boot it is always the same for one
// user and one PID namespace, so a PID and a monotonic time mean the same
// wherever the identity is the same.
//
// A user from whom the kernel hides PID 1 gets an identity without its start,
// and one who may not read the VM's settings an identity without those. The
// error says what could not be read, and why.
func ID() (string, error) { return idUnder("/") }

// idUnder is ID of the host with this root of the file system.
func idUnder(root string) (string, error) {
	kernel, err := os.ReadFile(filepath.Join(root, kernelFile))
	if err == nil && strings.TrimSpace(string(kernel)) == "" {
		err = fmt.Errorf("/%s is empty", kernelFile)
	}
	if err != nil {
		return "", fmt.Errorf("reading which boot of the kernel it is (is /proc mounted?): %w", err)
	}
	namespace, err := os.Readlink(filepath.Join(root, namespaceFile))
	if err != nil && !hidden(err) {
		return "", fmt.Errorf("reading which PID namespace it is: %w", err)
	}
	started, err := initStart(filepath.Join(root, initFile))
	if err != nil {
		return "", fmt.Errorf("reading when PID 1 started: %w", err)
	}
	vm, err := agentID(root)
	if err != nil {
		return "", err
	}
	parts := []string{strings.TrimSpace(string(kernel)), namespace, started, vm}
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\n"))).String(), nil
}

// hidden reports whether an error says that something is not there for who
// asks.
func hidden(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// initStart returns when PID 1 started, in ticks since the kernel booted; ""
// where PID 1 is hidden.
func initStart(path string) (string, error) {
	content, err := os.ReadFile(path)
	if hidden(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	// The command's name, in parentheses, may hold spaces and parentheses.
	fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
	const startAt = 19
	if len(fields) <= startAt {
		return "", fmt.Errorf("%s has %d fields after the name, too few", path, len(fields))
	}
	if _, err := strconv.ParseUint(fields[startAt], 10, 64); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fields[startAt], nil
}

// agentID returns the ID that BOSH gave the agent of this VM, which no other
// VM ever has; "" on what is no VM of BOSH, and for who may not know.
func agentID(root string) (string, error) {
	for _, name := range settingsFiles {
		content, err := os.ReadFile(filepath.Join(root, name))
		if hidden(err) {
			continue
		}
		var settings struct {
			AgentID string `json:"agent_id"`
		}
		if err == nil {
			err = json.Unmarshal(content, &settings)
		}
		if err != nil { // it is rewritten in place, so it may be half there
			return "", fmt.Errorf("reading the VM's agent ID from /%s: %w; try again", name, err)
		}
		return settings.AgentID, nil
	}
	return "", nil
}
