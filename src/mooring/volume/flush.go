package volume

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxFlushWalk is how many files are flushed one by one. A tree with more is
// flushed with its whole file system, which then costs less.
const maxFlushWalk = 512

// flushTree makes everything under dir durable: it returns nil only when the
// kernel said that it was all written.
func flushTree(ctx context.Context, dir string) error {
	seen := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !entry.IsDir() && !entry.Type().IsRegular() {
			return nil
		}
		if seen++; seen > maxFlushWalk {
			return fs.SkipAll
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return file.Sync()
	})
	if seen > maxFlushWalk || os.IsPermission(err) {
		err = flushFileSystem(dir)
	}
	if err != nil {
		return fmt.Errorf("writing %s to disk: %w", dir, err)
	}
	return nil
}

// flushFileSystem flushes all of the file system that dir is on.
func flushFileSystem(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}
