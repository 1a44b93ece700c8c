// Package logs reads and bounds the files that instances append their output
// to. Instances write to their file themselves, so that they go on while no
// agent runs; nobody can ask them to open another one. A log is therefore
// bounded in place: its older part is copied to FILE.1 and its space is given
// back to the file system by a hole at the file's beginning. Nothing that is
// written meanwhile can be lost, and offsets keep their meaning.
package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Older is the name of the file that holds the part before the log's own.
func Older(path string) string { return path + ".1" }

// Bound moves the log's content to Older(path) when it is more than limit
// bytes, so that both together take about twice the limit. No log is no error.
func Bound(path string, limit int64) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bounding a log: %w", err)
	}
	defer file.Close()
	begin, end, err := extent(file)
	if err != nil {
		return fmt.Errorf("bounding the log %s: %w", path, err)
	}
	if end-begin <= limit {
		return nil
	}
	if err := copyTo(Older(path), io.NewSectionReader(file, begin, end-begin)); err != nil {
		return fmt.Errorf("moving the older part of the log %s: %w", path, err)
	}
	err = unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, end)
	if errors.Is(err, unix.EOPNOTSUPP) {
		// A file system without holes: what is written between the copy and
		// here is lost, which is better than a full disk.
		err = file.Truncate(0)
	}
	if err != nil {
		return fmt.Errorf("freeing the older part of the log %s: %w", path, err)
	}
	return nil
}

func copyTo(path string, from io.Reader) error {
	to, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// extent gives the offsets between which a log has content.
func extent(file *os.File) (begin, end int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	end = info.Size()
	begin, err = unix.Seek(int(file.Fd()), 0, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return end, end, nil // nothing but a hole
	}
	if err != nil {
		return 0, end, nil // a file system without holes
	}
	// A hole ends where a block does; the zeros up to the first byte belong to it.
	block := make([]byte, 64<<10)
	for begin < end {
		n, err := file.ReadAt(block[:min(int64(len(block)), end-begin)], begin)
		text := bytes.TrimLeft(block[:n], "\x00")
		begin += int64(n - len(text))
		if len(text) > 0 || (err != nil && !errors.Is(err, io.EOF)) || n == 0 {
			break
		}
	}
	return min(begin, end), end, nil
}
