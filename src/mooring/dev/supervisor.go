package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"mooring/container/process"
	"mooring/files"
	"mooring/model"
)

// stopPatience is how long a process may take to stop in good order.
const stopPatience = 15 * time.Second

// Config says what fleet to run. Cells, AZs and Domains shape a fleet that is
// made anew; one that the state directory already holds keeps its shape.
type Config struct {
	StateDir string
	Listen   string // host:port of the API
	Cells    int
	AZs      int
	Domains  int // update domains in each AZ
	// What each cell has.
	Memory, Persistent, Ephemeral model.Size
	// Shared is the capacity of the floating class in each AZ.
	Shared   model.Size
	LeaseTTL time.Duration
	// Open lets everybody who reaches Listen do everything, from anywhere.
	Open   bool
	Logger *slog.Logger
}

func (c *Config) validate() error {
	switch {
	case c.Cells < 1 || c.Cells > 2000:
		return fmt.Errorf("a fleet has 1 to 2000 cells, not %d", c.Cells)
	case c.AZs < 1 || c.AZs > c.Cells:
		return fmt.Errorf("%d cells cannot lie in %d AZs: choose 1 to %d", c.Cells, c.AZs, c.Cells)
	case c.Domains < 1:
		return fmt.Errorf("an AZ has at least 1 update domain, not %d", c.Domains)
	}
	return nil
}

// Supervisor runs the processes of one fleet.
type Supervisor struct {
	cfg    Config
	log    *slog.Logger
	unlock func()
	// subnets keeps the hosts' addresses from other fleets.
	subnets *claim

	fleet    *fleet
	machines []*machine // one for each host of the fleet, in its order

	control *child
	socket  net.Listener
}

// machine is a host with its two processes, nil while it is switched off.
type machine struct {
	*host
	// acting is held for the whole of a host action: one at a time on a host,
	// any number over the fleet.
	acting sync.Mutex

	mu             sync.Mutex // guards the processes
	volumes, agent *child
}

func (m *machine) processes() (volumes, agent *child) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.volumes, m.agent
}

func (m *machine) setProcesses(volumes, agent *child) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.volumes, m.agent = volumes, agent
}

// Start makes or takes up the fleet of a state directory and starts its
// processes. On an error nothing is left running and no fleet was made.
func Start(cfg Config) (*Supervisor, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	cfg.StateDir = dir
	s := &Supervisor{cfg: cfg, log: cfg.Logger}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.switchOn(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// prepare checks everything that can be known to be wrong before a process is
// started: the directory, another supervisor in it, the port.
func (s *Supervisor) prepare() error {
	for _, sub := range []string{"", "logs", "shared", "cells"} {
		if err := os.MkdirAll(filepath.Join(s.cfg.StateDir, sub), 0o755); err != nil {
			return fmt.Errorf("make the state directory: %w; choose a directory you may write to with --state-dir", err)
		}
	}
	if err := checkSocketPath(s.volumeSocket("cell-9999")); err != nil {
		return err
	}
	unlock, err := lockDir(s.cfg.StateDir)
	if err != nil {
		return err
	}
	probe, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		unlock()
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("the API cannot listen on %s: the port is taken; stop what listens there or choose another with --listen", s.cfg.Listen)
		}
		return fmt.Errorf("the API cannot listen: %w; choose another address with --listen", err)
	}
	probe.Close()
	s.unlock = unlock
	s.fleet, err = openFleet(s.cfg.StateDir, s.cfg.Cells, s.cfg.AZs, s.cfg.Domains)
	if err == nil {
		s.subnets, err = s.fleet.settle()
	}
	if err != nil {
		unlock()
	}
	return err
}

// lockDir keeps a second supervisor out.
func lockDir(dir string) (unlock func(), err error) {
	unlock, err = files.Lock(dir)
	if errors.Is(err, files.ErrTaken) {
		return nil, fmt.Errorf("another `moor dev` runs in %s; stop it or choose another directory with --state-dir", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("write to the state directory: %w; choose a directory you may write to with --state-dir", err)
	}
	return unlock, nil
}

// checkSocketPath: the kernel limits the path of a unix socket to 107 bytes.
func checkSocketPath(path string) error {
	if len(path) > 107 {
		return fmt.Errorf("the state directory's path is too long for the unix sockets in it (%s has %d bytes, 107 is the most); choose a shorter --state-dir", path, len(path))
	}
	return nil
}

// switchOn boots every host: an earlier run of the supervisor ended with all
// of them off, so each has a new boot.
func (s *Supervisor) switchOn() (err error) {
	for _, h := range s.fleet.Hosts {
		s.machines = append(s.machines, &machine{host: h})
	}
	if err := s.serve(); err != nil {
		return err
	}
	s.control, err = startChild("control-plane", s.logPath("control-plane"), s.log, s.controlArgs()...)
	if err != nil {
		return err
	}
	for _, m := range s.machines {
		if m.Retired {
			continue
		}
		// Strays of a supervisor that was killed die before their volumes can
		// be attached again.
		if err := s.powerOff(m); err != nil {
			return err
		}
		if err := s.fleet.change(func() { m.Boot = newBoot() }); err != nil {
			return err
		}
		if err := s.powerOn(m); err != nil {
			return err
		}
	}
	return nil
}

// powerOn starts the two processes of a host.
func (s *Supervisor) powerOn(m *machine) error {
	for _, dir := range []string{s.runDir(m.ID), s.diskDir(m.ID, model.ClassPersistent), s.diskDir(m.ID, model.ClassEphemeral), s.sharedDir(m.AZ)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	volumes, err := startChild(m.ID+"/volume-manager", s.logPath(m.ID+"-volume-manager"), s.log, s.volumeArgs(m.host)...)
	if err != nil {
		return err
	}
	agent, err := startChild(m.ID+"/cell", s.logPath(m.ID), s.log, s.cellArgs(m.host)...)
	if err != nil {
		volumes.stop()
		return err
	}
	m.setProcesses(volumes, agent)
	return nil
}

// shutDown stops a host's processes in good order, then whatever is left.
func (s *Supervisor) shutDown(m *machine) error {
	volumes, agent := m.processes()
	if agent == nil {
		return nil
	}
	m.setProcesses(nil, nil)
	agent.stop()
	err := s.powerOff(m)
	volumes.stop()
	return err
}

// powerOff kills whatever still runs on a host, and returns when nothing does.
func (s *Supervisor) powerOff(m *machine) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	if err := process.KillAll(ctx, s.runDir(m.ID), s.log); err != nil {
		return fmt.Errorf("end the processes of %s: %w", m.ID, err)
	}
	return nil
}

// Stop ends every process, hosts before the control plane so that what they
// last said is kept. It leaves nothing running.
func (s *Supervisor) Stop() {
	if s.socket != nil {
		s.socket.Close() // no host action begins any more
	}
	var stopping sync.WaitGroup
	for _, m := range s.machines {
		stopping.Go(func() {
			m.acting.Lock()
			defer m.acting.Unlock()
			if err := s.shutDown(m); err != nil {
				s.log.Error("a host does not stop", "cell", m.ID, "error", err)
			}
		})
	}
	stopping.Wait()
	if s.control != nil {
		s.control.stop()
	}
	s.subnets.release()
	s.unlock()
}

// Cells lists the ids of the cells that are switched on.
func (s *Supervisor) Cells() []string {
	var ids []string
	for _, m := range s.machines {
		if _, agent := m.processes(); agent != nil {
			ids = append(ids, m.ID)
		}
	}
	return ids
}
