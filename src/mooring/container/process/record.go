package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mooring/container"
	"mooring/files"
)

// record is what is on disk of a process before it runs.
type record struct {
	Spec  container.Spec `json:"spec"`
	PID   int            `json:"pid"`
	Start uint64         `json:"start"`
	// Boot is the host's, as boot.ID names it: a PID means nothing in another
	// one, nor in another PID namespace.
	Boot string `json:"boot"`
}

func (r *Runtime) recordPath(id string) string { return filepath.Join(r.home(id), "process.json") }

// write replaces the record in one step. It need not reach the disk: a host
// that loses power loses the process as well.
func (r *Runtime) write(rec record) error {
	content, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("recording instance %s: %w", rec.Spec.ID, err)
	}
	if err := files.Replace(r.recordPath(rec.Spec.ID), content, 0o600, files.Process); err != nil {
		return fmt.Errorf("recording instance %s: %w", rec.Spec.ID, err)
	}
	return nil
}

// forget drops the record of a process that has ended.
func (r *Runtime) forget(id string) error {
	if err := os.Remove(r.recordPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dropping the record of instance %s: %w", id, err)
	}
	return nil
}

// records reads every record. One that cannot be read is an error: what it
// names may be running.
func (r *Runtime) records() ([]record, error) {
	paths, err := filepath.Glob(filepath.Join(r.dir, "instances", "*", "process.json"))
	if err != nil {
		return nil, fmt.Errorf("listing records in %s: %w", r.dir, err)
	}
	var all []record
	for _, path := range paths {
		rec, err := r.read(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	return all, nil
}

// read reads one record.
func (r *Runtime) read(id string) (record, error) {
	path := r.recordPath(id)
	content, err := os.ReadFile(path)
	if err != nil {
		return record{}, fmt.Errorf("reading a process record: %w", err)
	}
	var rec record
	if err := json.Unmarshal(content, &rec); err != nil {
		return record{}, fmt.Errorf("process record %s is damaged; end what it names by hand and remove it: %w", path, err)
	}
	return rec, nil
}
