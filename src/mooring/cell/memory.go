package cell

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mooring/files"
	"mooring/model"
)

// key names an instance on this cell.
type key struct {
	App   string
	Index int
}

func keyOf(w model.InstanceWork) key { return key{w.AppGUID, w.Index} }

func (k key) String() string { return fmt.Sprintf("%s.%d", k.App, k.Index) }

// memory is what must be known of an instance after the agent crashed. It is
// on disk before anything is done, or said, that rests on it.
type memory struct {
	// Work is the instance's as of the last start: what runs, or ran. Its Task
	// is left out.
	Work   model.InstanceWork `json:"work"`
	Floats bool               `json:"floats,omitempty"`
	// Up: the process may be running.
	Up bool `json:"up,omitempty"`
	// Token is what the process shows when it asks about its app; "" when none
	// has been started.
	Token string `json:"token,omitempty"`
	// Attached holds the volumes that may be attached.
	Attached []string `json:"attached,omitempty"`
	// Crashed: the last process ended by itself.
	Crashed bool `json:"crashed,omitempty"`
	// Restarts counts the starts after a crash, Streak the crashes in a row.
	Restarts int `json:"restarts,omitempty"`
	Streak   int `json:"streak,omitempty"`
	// Next is what the next process is told it starts after; empty means what
	// the work says.
	Next         model.StartedAfter `json:"next,omitempty"`
	StartedAfter model.StartedAfter `json:"started_after,omitempty"`
	LastExit     string             `json:"last_exit,omitempty"`
	Output       []string           `json:"output,omitempty"`
	// Undo is the task whose handler has begun and has a cancel command: that is
	// run if the instance goes on. Nil when nothing is to be taken back.
	Undo *model.Task `json:"undo,omitempty"`
	// Disruption is of the last task taken on.
	Disruption *model.ActualDisruption `json:"disruption,omitempty"`
}

// memories are the files that hold them, one for each instance.
type memories struct{ dir string }

// remembered is a memory with the boot of the cell that it was made in.
type remembered struct {
	Boot string `json:"boot"`
	memory
}

func (m memories) path(k key) string { return filepath.Join(m.dir, k.String()+".json") }

// write replaces a memory in one step. It need not survive the host: after a
// boot nothing runs and nothing is attached.
func (m memories) write(k key, r remembered) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("recording instance %s: %w", k, err)
	}
	if err := files.Replace(m.path(k), content, 0o600, files.Process); err != nil {
		return fmt.Errorf("recording instance %s: %w", k, err)
	}
	return nil
}

func (m memories) remove(k key) error {
	if err := os.Remove(m.path(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dropping the record of instance %s: %w", k, err)
	}
	return nil
}

// read gives all memories.
func (m memories) read() (map[key]remembered, error) {
	paths, err := filepath.Glob(filepath.Join(m.dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing records in %s: %w", m.dir, err)
	}
	all := map[key]remembered{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading an instance's record: %w", err)
		}
		var r remembered
		if err := json.Unmarshal(content, &r); err != nil {
			return nil, fmt.Errorf("record %s is damaged; stop the instance it names by hand and remove it: %w", path, err)
		}
		all[keyOf(r.Work)] = r
	}
	return all, nil
}

// clone gives a copy that shares nothing that is changed in place.
func (m memory) clone() memory {
	m.Attached = slices.Clone(m.Attached)
	m.Output = slices.Clone(m.Output)
	if m.Disruption != nil {
		d := *m.Disruption
		d.Output = slices.Clone(d.Output)
		m.Disruption = &d
	}
	return m
}
