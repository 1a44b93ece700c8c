package model

import (
	"strings"
	"time"
)

// Cell is a host that runs instances: what its agent said of it when it
// registered, and what operators decided about it.
type Cell struct {
	ID   string `json:"id"`
	AZ   string `json:"az"`
	Pool string `json:"pool"`
	// Deployment is BOSH's name of the deployment that the cell belongs to, ""
	// where its agent did not say.
	Deployment string `json:"deployment,omitempty"`
	// Domain is the update domain inside the AZ, counted from 1. It is assigned
	// once, by a property or by the scheduler, and kept; 0 is not yet assigned.
	Domain int `json:"domain"`
	// Column is the column of the pool's cells in the AZ that the cell is in, one
	// for each update domain, counted from 1. The scheduler assigns it once; 0 is
	// not yet assigned.
	Column int `json:"column"`
	// Address is where instances on the cell are reached.
	Address string `json:"address"`
	// LogAddress is host:port of the agent's log server.
	LogAddress string `json:"log_address,omitempty"`
	// LogKey is what the log server wants to be shown, so that logs are read
	// through the API, which knows who may. It is shown to nobody.
	LogKey  string  `json:"log_key,omitempty"`
	Memory  Size    `json:"memory"`
	Classes []Class `json:"classes"`
	// PortMin and PortMax bound the ports that instances may be given, both
	// inclusive.
	PortMin int `json:"port_min"`
	PortMax int `json:"port_max"`
	// Boot names the boot of the host, Start the start of the agent. A new
	// Start in the same Boot is a restarted agent.
	Boot  string `json:"boot"`
	Start string `json:"start"`
	// Registration numbers the registrations of the cell, upwards. An agent that
	// registers says the number it had, so that the numbers go on growing where
	// the state is an older one than the agent has seen.
	Registration int64 `json:"registration,omitempty"`
	// Lost and LostAt are set when a person declared the cell gone for good.
	Lost         bool      `json:"lost,omitempty"`
	LostAt       time.Time `json:"lost_at,omitzero"`
	RegisteredAt time.Time `json:"registered_at"`
	// GateOpenedAt is when a person last opened the cell's gate by hand, by the
	// cell's clock; it tells that opening from others.
	GateOpenedAt time.Time `json:"gate_opened_at,omitzero"`
	// Refused says why the control plane refused the agent's last report, "" once
	// it has taken one.
	Refused string `json:"refused,omitempty"`
	// LeaseTTL is for how long its agent counts as there after it was heard of.
	LeaseTTL Duration `json:"lease_ttl,omitempty"`
}

// IsAgent reports whether the agent of this start, in this boot, is the cell.
func (c *Cell) IsAgent(boot, start string) bool { return c.Boot == boot && c.Start == start }

// Supersedes reports whether the cell has certainly registered again after the
// agent of this start and registration did. Where it has not, and the agent is
// not the cell, the state is older than the agent: a backup was restored.
func (c *Cell) Supersedes(start string, registration int64) bool {
	return c.Start != start && c.Registration > registration
}

// Class finds a volume class by name.
func (c *Cell) Class(name string) (Class, bool) {
	for _, class := range c.Classes {
		if class.Name == name {
			return class, true
		}
	}
	return Class{}, false
}

// Cordon keeps new work off a cell. Written by the orchestrator for a roll.
type Cordon struct {
	CellID string `json:"cell_id"`
	Holder string `json:"holder"` // "roll:PLAN/CELL"
	// Evacuate asks the scheduler to replace the instances without volumes
	// elsewhere; they are started there before they stop here.
	Evacuate bool      `json:"evacuate,omitempty"`
	Since    time.Time `json:"since"`
}

// Presence exists while the agent of a cell renews its lease; etcd removes it
// when the lease runs out.
type Presence struct {
	CellID string `json:"cell_id"`
	Boot   string `json:"boot"`
	Start  string `json:"start"`
	// Registration is that of the agent.
	Registration int64 `json:"registration,omitempty"`
}

// Action is what happens to a host, in the order of what it destroys.
type Action string

// The actions.
const (
	Restart  Action = "restart"  // processes stop and start
	Reboot   Action = "reboot"   // the host boots again
	Recreate Action = "recreate" // the host is made anew, persistent disks kept
	Retire   Action = "retire"   // the host goes for good
)

// Past is the action as it reads once it is done, such as "recreated".
func (a Action) Past() string { return strings.TrimSuffix(string(a), "e") + "ed" }

// Rank orders actions by what they destroy, from 1 (restart) to 4 (retire); 0
// for anything that is not an action.
func (a Action) Rank() int {
	switch a {
	case Restart:
		return 1
	case Reboot:
		return 2
	case Recreate:
		return 3
	case Retire:
		return 4
	}
	return 0
}
