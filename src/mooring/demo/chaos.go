package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"mooring/client"
	"mooring/dev"
)

// Chaos kills one process with -9 at a moment of the roll. What and when
// follow from the seed.
type Chaos struct {
	Seed uint64

	kind string // of process
	cell int    // the cell it is on
	deep bool   // of a Redis node: the server instead of its launcher
	done int    // this many cells have rolled
	then time.Duration
}

// The kinds of process that can be killed.
var victims = []string{"control-plane", "cell", "volume-manager", "redis-node"}

// NewChaos decides what is killed, and when.
func NewChaos(seed uint64) *Chaos {
	chance := rand.New(rand.NewPCG(seed, seed))
	return &Chaos{
		Seed: seed,
		kind: victims[chance.IntN(len(victims))], cell: chance.IntN(cellsTotal), deep: chance.IntN(2) == 0,
		done: chance.IntN(cellsTotal - 1), then: time.Duration(chance.Int64N(int64(3 * time.Second))),
	}
}

// String says what will be killed, and when.
func (c *Chaos) String() string {
	what := c.kind
	if what != "control-plane" {
		what = fmt.Sprintf("%s of cell-%d", what, c.cell)
	}
	return fmt.Sprintf("seed %d: kill the %s %s after %d cells have rolled", c.Seed, what, c.then.Round(time.Millisecond), c.done)
}

// strike kills the process. The failure says which instance that was; ok is
// false when it was none.
func (c *Chaos) strike(ctx context.Context, m *moor, state string) (f failure, ok bool, err error) {
	if c.kind == "redis-node" {
		return c.strikeNode(ctx, m)
	}
	name := c.kind
	if name != "control-plane" {
		name = fmt.Sprintf("cell-%d/%s", c.cell, c.kind)
	}
	return failure{}, false, eventually(ctx, 10*time.Second, func() error { return killProcess(ctx, m, state, name) })
}

// killProcess kills one of the fleet's processes by name.
func killProcess(ctx context.Context, m *moor, state, name string) error {
	processes, err := processes(ctx, m, state)
	if err != nil {
		return err
	}
	for _, process := range processes {
		if process.Name == name && process.PID > 0 {
			return syscall.Kill(process.PID, syscall.SIGKILL)
		}
	}
	return fmt.Errorf("%s is not running", name)
}

func processes(ctx context.Context, m *moor, state string) (list []dev.Process, err error) {
	err = m.ask(ctx, &list, "dev", "processes", "--state-dir", state)
	return list, err
}

// strikeNode kills the Redis node on the cell; while that one is down anyway,
// it waits for it.
func (c *Chaos) strikeNode(ctx context.Context, m *moor) (f failure, ok bool, err error) {
	err = eventually(ctx, 10*time.Second, func() error {
		var view client.AppView
		if err := m.ask(ctx, &view, "app", app); err != nil {
			return err
		}
		for _, member := range view.Members {
			if member.CellID != fmt.Sprintf("cell-%d", c.cell) || member.Actual == nil || member.Actual.PID == 0 {
				continue
			}
			pid := member.Actual.PID
			if c.deep {
				if pid = childOf(pid); pid == 0 {
					return errors.New("the node's server is not running")
				}
			}
			f = failure{at: time.Now(), index: member.Index}
			return syscall.Kill(pid, syscall.SIGKILL)
		}
		return fmt.Errorf("no Redis node runs on cell-%d", c.cell)
	})
	return f, err == nil, err
}

// childOf gives the child of a process, 0 when it has none.
func childOf(pid int) int {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range bytes.Fields(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				return child
			}
		}
	}
	return 0
}
