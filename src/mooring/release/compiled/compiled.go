// Package compiled is what compilation makes of the release's packages, for
// tests that run them.
package compiled

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

var (
	mu   sync.Mutex
	dir  string
	fail error
)

// Packages builds the packages from the module's directory, once for a process,
// and returns the directory that has one of each package's name. Remove removes
// it.
func Packages(module string) (string, error) {
	mu.Lock()
	defer mu.Unlock()
	if dir != "" || fail != nil {
		return dir, fail
	}
	if dir, fail = os.MkdirTemp("", "moor-packages-"); fail != nil {
		return "", fail
	}
	bin := filepath.Join(dir, "mooring", "bin")
	if output, err := exec.Command("go", "-C", module, "build", "-o", bin+"/", "./cmd/moor", "tool").CombinedOutput(); err != nil {
		fail = fmt.Errorf("building moor and etcd: %w: %s", err, output)
		return "", fail
	}
	fail = os.Rename(filepath.Join(bin, "server"), filepath.Join(bin, "etcd"))
	return dir, fail
}

// Remove removes what was built, if anything was.
func Remove() {
	mu.Lock()
	defer mu.Unlock()
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
}
