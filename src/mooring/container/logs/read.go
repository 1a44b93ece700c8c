package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"mooring/model"
)

// followEvery is how often a followed log is looked at.
const followEvery = 200 * time.Millisecond

// tailWindow bounds how much of a log is read for its last lines, in bytes.
const tailWindow = 256 << 10

// Tail returns the last lines of a log, at most n and as model.BoundTail has
// them: whatever is in the log, little of it is read and less is kept, and what
// is left out is said. No log has no lines.
func Tail(path string, n int) ([]string, error) {
	lines, whole, err := lastOf(path, n)
	if err != nil {
		return nil, err
	}
	if whole && len(lines) < n {
		older, _, err := lastOf(Older(path), n-len(lines))
		if err != nil {
			return nil, err
		}
		lines = append(older, lines...)
	}
	return model.BoundTail(lines), nil
}

// lastOf reads the last n lines of a file, out of the last tailWindow bytes of
// it. It is whole when these are all of it.
func lastOf(path string, n int) (lines []string, whole bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading a log: %w", err)
	}
	defer file.Close()
	begin, end, err := extent(file)
	if err != nil {
		return nil, false, fmt.Errorf("reading the log %s: %w", path, err)
	}
	edge := max(begin, end-tailWindow)
	from, found, err := lastLines(file, edge, end, n)
	if err != nil {
		return nil, false, fmt.Errorf("reading the log %s: %w", path, err)
	}
	if found == 0 {
		return nil, edge == begin, nil
	}
	text := make([]byte, end-from)
	if _, err := file.ReadAt(text, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("reading the log %s: %w", path, err)
	}
	lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if from == edge && edge > begin {
		lines[0] = endOf(lines[0])
	}
	return lines, edge == begin, nil
}

// endOf keeps the end of a line whose beginning was not read.
func endOf(line string) string {
	const said = "(the beginning of this line is left out) … "
	return said + line[max(0, len(line)-(model.MaxLine-len(said))):]
}

// Copy writes the last n lines to w and, with follow, whatever is appended
// until ctx ends, which is no error. A log that does not exist yet is waited
// for.
func Copy(ctx context.Context, w io.Writer, path string, n int, follow bool) error {
	offset, err := copyTail(w, n, path, Older(path))
	if err != nil || !follow {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if offset, err = copyFrom(w, path, offset); err != nil {
			return err
		}
	}
}

// copyTail writes the last n lines of a file, what it lacks taken from the
// older ones, and says where the file ends.
func copyTail(w io.Writer, n int, path string, older ...string) (int64, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading a log: %w", err)
	}
	defer file.Close()
	begin, end, err := extent(file)
	if err != nil {
		return 0, fmt.Errorf("reading the log %s: %w", path, err)
	}
	from, found, err := lastLines(file, begin, end, n)
	if err != nil {
		return 0, fmt.Errorf("reading the log %s: %w", path, err)
	}
	if found < n && len(older) > 0 {
		if _, err := copyTail(w, n-found, older[0], older[1:]...); err != nil {
			return 0, err
		}
	}
	_, err = io.Copy(w, io.NewSectionReader(file, from, end-from))
	return end, err
}

// copyFrom writes what was appended after offset and gives the new one.
func copyFrom(w io.Writer, path string, offset int64) (int64, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return offset, fmt.Errorf("following a log: %w", err)
	}
	defer file.Close()
	begin, end, err := extent(file)
	if err != nil {
		return offset, fmt.Errorf("following the log %s: %w", path, err)
	}
	if end < offset {
		offset = 0 // it was begun anew
	}
	offset = max(offset, begin)
	n, err := io.Copy(w, io.NewSectionReader(file, offset, end-offset))
	return offset + n, err
}

// lastLines finds where the last n lines of [begin,end) begin, and how many
// there are. A last line without its end counts.
func lastLines(file io.ReaderAt, begin, end int64, n int) (from int64, found int, err error) {
	if n <= 0 || begin >= end {
		return end, 0, nil
	}
	block := make([]byte, 16<<10)
	for at := end; at > begin; {
		size := min(int64(len(block)), at-begin)
		at -= size
		if _, err := file.ReadAt(block[:size], at); err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		for i := size - 1; i >= 0; i-- {
			if block[i] != '\n' || at+i == end-1 {
				continue
			}
			if found++; found == n {
				return at + i + 1, n, nil
			}
		}
	}
	return begin, found + 1, nil
}
