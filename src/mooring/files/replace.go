// Package files does to files what must not be seen half done: a file is
// replaced as a whole, a directory is taken by one process.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Lasting is what a file survives.
type Lasting int

const (
	// Process is the crash of whoever writes. What was written may be lost with
	// the host's power, together with what it was written about.
	Process Lasting = iota
	// Host is the loss of the host's power, from when Replace returns.
	Host
)

// Replace puts content in place of a file's, or makes the file: whoever reads
// it, at any moment and after any crash, finds the old content or the new.
// mode is the file's whatever the umask. A file beside it, named after it with
// a dot in front, holds the new content meanwhile; one that a crash left behind
// may be removed. Any number of processes may replace one file.
func Replace(path string, content []byte, mode fs.FileMode, lasting Lasting) error {
	dir := filepath.Dir(path)
	temporary, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600 at first
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = temporary.Write(content)
	if mode != 0o600 {
		err = errors.Join(err, temporary.Chmod(mode))
	}
	if lasting == Host {
		err = errors.Join(err, temporary.Sync())
	}
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the error that is told is the first
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if lasting == Host {
		return SyncDir(dir)
	}
	return nil
}

// SyncDir has the names in a directory survive the loss of the host's power.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("syncing directory %s: %w", dir, err)
	}
	return nil
}
