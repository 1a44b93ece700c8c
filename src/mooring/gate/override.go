package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mooring/client"
	"mooring/files"
	"mooring/model"
)

// Lasts is how long an opening waits for somebody to come to the gate. Later
// it opens nothing: the next stop of the cell is another matter.
const Lasts = 10 * time.Minute

// override is a person's opening, as it lies on the cell's own disk.
type override struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	// Used is set once it opened the gate; it is then kept until the control
	// plane has been told.
	Used *used `json:"used,omitempty"`
}

// used is what an opening overruled.
type used struct {
	Action model.Action `json:"action,omitempty"`
	Waited string       `json:"waited,omitempty"`
}

// Open opens the gate of the cell whose gate directory is dir, for whoever
// waits there now or comes within Lasts.
func Open(dir, reason, by string, now time.Time) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("say why the gate is opened: --reason is kept with the events")
	}
	if err := model.CheckLines(reason, model.MaxReason); err != nil {
		return fmt.Errorf("open the gate: --reason %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("open the gate: %w; it is opened on the cell itself, as a user who may write there", err)
	}
	return write(dir, openFile, override{Reason: reason, By: by, At: now.UTC()})
}

// The files of a gate directory. An opening is renamed when it is used, so
// that it is used once.
const (
	openFile = "open.json"
	usedFile = "opened.json"
)

func write(dir, name string, o override) error {
	content, err := json.Marshal(o)
	if err != nil {
		return err
	}
	// Anybody on the cell may see that promises are not kept. What was opened is
	// told when the host is back: it must survive its stop.
	if err := files.Replace(filepath.Join(dir, name), content, 0o644, files.Host); err != nil {
		return fmt.Errorf("open the gate: %w", err)
	}
	return nil
}

// read gives an override, nil when there is none that can be read.
func read(dir, name string) *override {
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	return parseOverride(content)
}

// parseOverride returns the override that a file holds, nil when it holds none.
func parseOverride(content []byte) *override {
	var o override
	if json.Unmarshal(content, &o) != nil || o.At.IsZero() {
		return nil
	}
	return &o
}

// opened gives the opening that lies in the directory, nil when there is none
// or it is too old. One that is too old is taken away.
func opened(dir string, now time.Time) *override {
	o := read(dir, openFile)
	if o != nil && now.Sub(o.At) > Lasts {
		_ = os.Remove(filepath.Join(dir, openFile)) // at worst it is too old again
		return nil
	}
	return o
}

// awaitOpening gives the opening that lies in the directory, or comes to lie
// there; nil when ctx ends first.
func awaitOpening(ctx context.Context, dir string) *override {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if o := opened(dir, time.Now()); o != nil {
			return o
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// use takes an opening, and keeps what it overruled until that is told.
func use(dir string, o override, what used) error {
	o.Used = &what
	if err := write(dir, usedFile, o); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, openFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take the opening of the gate: %w", err)
	}
	return nil
}

// told forgets an opening that the control plane knows of.
func told(dir string) { _ = os.Remove(filepath.Join(dir, usedFile)) } // telling twice does no harm

func (o *override) report() client.GateOpened {
	report := client.GateOpened{Reason: o.Reason, By: o.By, At: o.At}
	if o.Used != nil {
		report.Action, report.Overridden = o.Used.Action, o.Used.Waited
	}
	return report
}
