// Package cell is the agent of a host: it takes the cell's work from the
// control plane, runs instances and their handlers, and reports all that is so.
//
// What should run is the control plane's to say, as a whole and again and
// again; the agent closes the difference, instance by instance. What one
// instance needs next is decided by a pure function (decide) from what is
// wanted and what is so; a driver for each instance takes the steps. Whatever
// a step rests on is in the run directory first, so an agent that was killed
// goes on where it was: it adopts the processes that still run.
package cell

import (
	"context"
	"log/slog"
	"time"

	"mooring/client"
	"mooring/container"
	"mooring/model"
	"mooring/volume"
)

// Control is the control plane as an agent sees it; client.Client is one.
type Control interface {
	// Register says that this agent is the cell from now on.
	Register(ctx context.Context, registration model.Registration) (model.Lease, error)
	// Work waits up to wait for work that differs from that of revision after;
	// nil when there is none. With after 0 it answers at once.
	Work(ctx context.Context, cellID string, after int64, wait time.Duration) (*model.Work, error)
	// AppOn gives an app that has an instance on the cell, with all its
	// instances, for the instance to know.
	AppOn(ctx context.Context, cellID string, app model.Name) (*client.AppView, error)
	// Report says all that is so on the cell, and renews its lease.
	Report(ctx context.Context, cellID string, report model.Report) (model.Lease, error)
}

// Volumes is the volume manager of the cell; volume.Client is one.
type Volumes interface {
	Classes(ctx context.Context) ([]model.Class, error)
	// Ensure makes a volume exist.
	Ensure(ctx context.Context, work model.VolumeWork) error
	// Attach makes this cell the holder and gives the directory of the data.
	Attach(ctx context.Context, work model.VolumeWork) (path string, err error)
	// Detach flushes a volume and gives it up.
	Detach(ctx context.Context, guid string) error
	// Delete removes a volume with its data.
	Delete(ctx context.Context, guid string) error
	List(ctx context.Context) ([]model.ActualVolume, error)
}

var (
	_ Control = (*client.Client)(nil)
	_ Volumes = (*volume.Client)(nil)
)

// Config says which cell an agent is and what it works with.
type Config struct {
	// Cell is what is registered: ID, AZ, Pool, Domain, Address, Memory, ports
	// and Boot. Classes are asked of Volumes; Start is made anew.
	Cell model.Cell
	// DomainGiven: Domain was set by an operator.
	DomainGiven bool
	// RunDir holds what the agent must know after a crash, and the instances'
	// directories and logs. One agent at a time may use it.
	RunDir  string
	Control Control
	Volumes Volumes
	// Runtime runs instances; nil is the process runtime in RunDir.
	Runtime container.Runtime
	// LogListen is host:port for the log server; port 0 picks one. Empty
	// listens on the cell's address and picks one.
	LogListen string
	// StopGrace is what a process has between TERM and KILL; 0 is 10 s.
	StopGrace time.Duration
	// LogLimit is the size in bytes at which a log's older part is set aside;
	// 0 is 10 MiB. An instance's logs take about twice that.
	LogLimit int64
	Logger   *slog.Logger // nil is slog.Default
}

func (c Config) filled() Config {
	if c.StopGrace == 0 {
		c.StopGrace = 10 * time.Second
	}
	if c.LogLimit == 0 {
		c.LogLimit = 10 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("cell", c.Cell.ID)
	return c
}
