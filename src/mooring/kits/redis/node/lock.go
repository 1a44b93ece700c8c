package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lock is an advisory lock on a file. It ends with the last process that has
// the file open: a killed holder holds nothing.
type lock struct{ file *os.File }

// errHeld: somebody else holds the lock.
var errHeld = errors.New("held by another process")

func tryLock(path string) (*lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errHeld
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &lock{file}, nil
}

// waitLock tries until the context ends.
func waitLock(ctx context.Context, path string) (*lock, error) {
	for {
		held, err := tryLock(path)
		if err == nil || !errors.Is(err, errHeld) {
			return held, err
		}
		if !pause(ctx, 10*time.Millisecond) {
			return nil, err
		}
	}
}

func (l *lock) release() { l.file.Close() }

// pause waits, and reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// writeMark makes a file that survives a crash of the host.
func writeMark(path string, content []byte) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing a mark: %w", err)
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return fmt.Errorf("writing the mark %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("writing the mark %s: %w", path, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
