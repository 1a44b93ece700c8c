package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockFile takes the exclusive lock on a file, waiting until ctx ends. The
// lock belongs to the open file, so it also excludes other goroutines of this
// process, and the kernel drops it when the process dies.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	// A blocked flock cannot be given up, so it is tried again; holders keep
	// it for the length of one small file operation.
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("locking %s: another process holds it: %w", path, ctx.Err())
		}
	}
}
