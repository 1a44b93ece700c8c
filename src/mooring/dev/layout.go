package dev

import (
	"fmt"
	"path/filepath"
	"strconv"

	"mooring/model"
)

// Instances of the fleet get ports in this range, below the one the kernel
// takes the ports of outgoing connections from; a service may use its port
// plus 10000 for a second purpose, as Redis Cluster does.
const (
	portMin = 10000
	portMax = 19999
)

func (s *Supervisor) logPath(name string) string {
	return filepath.Join(s.cfg.StateDir, "logs", name+".log")
}

func (s *Supervisor) cellDir(id string) string { return filepath.Join(s.cfg.StateDir, "cells", id) }

// runDir is where the agent keeps what it must know after a crash; it is on
// the VM's own disk.
func (s *Supervisor) runDir(id string) string { return filepath.Join(s.cellDir(id), "run") }

func (s *Supervisor) diskDir(id, class string) string { return filepath.Join(s.cellDir(id), class) }

func (s *Supervisor) sharedDir(az string) string { return filepath.Join(s.cfg.StateDir, "shared", az) }

func (s *Supervisor) volumeSocket(id string) string {
	return filepath.Join(s.cellDir(id), "volumes.sock")
}

// SocketPath is where a supervisor in a state directory takes host actions.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, "supervisor.sock") }

func (s *Supervisor) apiURL() string { return "http://" + s.cfg.Listen }

func (s *Supervisor) controlArgs() []string {
	args := []string{"control-plane",
		"--listen", s.cfg.Listen,
		"--embedded-etcd", filepath.Join(s.cfg.StateDir, "etcd"),
		"--lease-ttl", s.cfg.LeaseTTL.String(),
		"--default-via", fmt.Sprintf("%s dev host --state-dir %s --roll \"$MOORING_ROLL\" \"$MOORING_ACTION\" \"$MOORING_CELL\"", quoted(ownPath()), quoted(s.cfg.StateDir)),
	}
	if s.cfg.Open {
		args = append(args, "--insecure-open")
	}
	return args
}

func (s *Supervisor) volumeArgs(h *host) []string {
	class := func(name, root string, capacity model.Size, extra string) string {
		return fmt.Sprintf("name=%s,root=%s,capacity=%s,%s", name, root, capacity, extra)
	}
	return []string{"volume-manager",
		"--cell", h.ID, "--boot", h.Boot,
		"--socket", s.volumeSocket(h.ID), "--run-dir", s.runDir(h.ID),
		"--class", class(model.ClassPersistent, s.diskDir(h.ID, model.ClassPersistent), s.cfg.Persistent, "survives=recreate"),
		"--class", class(model.ClassEphemeral, s.diskDir(h.ID, model.ClassEphemeral), s.cfg.Ephemeral, "survives=reboot"),
		"--class", class(model.ClassShared, s.sharedDir(h.AZ), s.cfg.Shared, "survives=retire,floating"),
	}
}

func (s *Supervisor) cellArgs(h *host) []string {
	return []string{"cell-agent",
		"--id", h.ID, "--az", h.AZ, "--domain", strconv.Itoa(h.Domain), "--boot", h.Boot,
		"--address", h.Address,
		"--memory", s.cfg.Memory.String(),
		"--ports", fmt.Sprintf("%d-%d", portMin, portMax),
		"--run-dir", s.runDir(h.ID),
		"--volume-manager", s.volumeSocket(h.ID),
		"--api", s.apiURL(),
	}
}
