package dev

import (
	"fmt"
	"os"
	"strings"

	"mooring/model"
)

// Act does to a host what BOSH would do to its VM: stops its processes in good
// order, takes away what the action destroys, and starts it again. roll names
// the asking; an action that was completed for the same roll is not repeated.
func (s *Supervisor) Act(id string, action model.Action, roll string) error {
	m, err := s.machine(id)
	if err != nil {
		return err
	}
	if action.Rank() == 0 {
		return fmt.Errorf("%q is not an action: use restart, reboot, recreate or retire", action)
	}
	m.acting.Lock()
	defer m.acting.Unlock()
	if roll != "" && m.LastRoll == roll {
		return nil
	}
	if m.Retired {
		return fmt.Errorf("%s is retired: it is not coming back", id)
	}
	s.log.Info("host action", "cell", id, "action", action, "roll", roll)
	if err := s.shutDown(m); err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	if err := s.destroy(m.host, action); err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	err = s.fleet.change(func() {
		if action != model.Restart {
			m.Boot = newBoot()
		}
		m.Retired = action == model.Retire
	})
	if err == nil && !m.Retired {
		err = s.powerOn(m)
	}
	if err != nil {
		return fmt.Errorf("start %s again after %s: %w", id, action, err)
	}
	return s.fleet.change(func() { m.LastRoll = roll })
}

// Halt stops a host's processes in good order and leaves the host off, as
// "bosh stop" does, until the next action on it.
func (s *Supervisor) Halt(id string) error {
	m, err := s.machine(id)
	if err != nil {
		return err
	}
	m.acting.Lock()
	defer m.acting.Unlock()
	s.log.Info("host halted", "cell", id)
	if err := s.shutDown(m); err != nil {
		return fmt.Errorf("halt %s: %w", id, err)
	}
	return nil
}

func (s *Supervisor) machine(id string) (*machine, error) {
	for _, m := range s.machines {
		if m.ID == id {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no cell %q in this fleet", id)
}

// destroy removes what a host loses in an action.
func (s *Supervisor) destroy(h *host, action model.Action) error {
	var gone []string
	switch action {
	case model.Recreate:
		gone = []string{s.runDir(h.ID), s.diskDir(h.ID, model.ClassEphemeral)}
	case model.Retire:
		gone = []string{s.cellDir(h.ID)}
	}
	for _, dir := range gone {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// Process is one process of the fleet.
type Process struct {
	Name     string `json:"name"` // "control-plane", "cell-0/cell", "cell-0/volume-manager"
	Cell     string `json:"cell,omitempty"`
	PID      int    `json:"pid"` // 0 while it is being started again
	Restarts int    `json:"restarts"`
}

// Processes lists the supervised processes, the control plane first.
func (s *Supervisor) Processes() []Process {
	list := []Process{s.control.process("")}
	for _, m := range s.machines {
		if volumes, agent := m.processes(); agent != nil {
			list = append(list, volumes.process(m.ID), agent.process(m.ID))
		}
	}
	return list
}

func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		return "moor" // the PATH has it, or the shell will say that it has not
	}
	return path
}

// quoted makes text one word for sh.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
