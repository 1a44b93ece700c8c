package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"

	"mooring/files"
)

// host is what the supervisor keeps about one cell between its runs.
type host struct {
	ID      string `json:"id"`
	AZ      string `json:"az"`
	Domain  int    `json:"domain"`
	Address string `json:"address"`
	Boot    string `json:"boot"`
	// LastRoll is the ID of the last roll whose host action is complete: one
	// that is asked for again after a crash of the asker is not done twice.
	LastRoll string `json:"last_roll,omitempty"`
	Retired  bool   `json:"retired,omitempty"`
}

// fleet is the record of the hosts, kept in the state directory.
type fleet struct {
	path  string
	mu    sync.Mutex // guards what changes in the hosts, and the file
	Hosts []*host    `json:"hosts"`
}

// openFleet reads the fleet of a state directory, or makes one of the given
// shape when there is none yet. A fleet that exists keeps its shape: cells
// hold data.
func openFleet(dir string, cells, azs, domains int) (*fleet, error) {
	f := &fleet{path: filepath.Join(dir, "fleet.json")}
	data, err := os.ReadFile(f.path)
	switch {
	case err == nil:
		if err := json.Unmarshal(data, f); err != nil {
			return nil, fmt.Errorf("read %s: %w; it is not a fleet: move the directory away to start afresh", f.path, err)
		}
		return f, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for i := range cells {
		f.Hosts = append(f.Hosts, &host{
			ID:     fmt.Sprintf("cell-%d", i),
			AZ:     fmt.Sprintf("z%d", i%azs+1),
			Domain: i/azs%domains + 1,
		})
	}
	return f, nil
}

// settle gives the hosts addresses that no other fleet has: those of the
// fleet's last run, unless somebody has taken them meanwhile.
func (f *fleet) settle() (*claim, error) {
	last := 0
	if len(f.Hosts) > 0 {
		_, _ = fmt.Sscanf(f.Hosts[0].Address, "127.83.%d.", &last)
	}
	c, err := claimSubnets(last, len(f.Hosts))
	if err != nil {
		return nil, err
	}
	err = f.change(func() {
		for i, h := range f.Hosts {
			h.Address = c.address(i)
		}
	})
	if err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

// change changes hosts and writes the fleet down.
func (f *fleet) change(how func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	return f.save()
}

func (f *fleet) save() error {
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return files.Replace(f.path, data, 0o600, files.Host)
}

func newBoot() string { return uuid.NewString() }
