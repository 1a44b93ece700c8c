package demo

import (
	"io"
	"time"
)

// Config says how the demo runs.
type Config struct {
	// Moor and RedisNode are the paths of the two binaries.
	Moor, RedisNode string
	// Dir is where the fleet keeps its state; it must be empty or absent.
	Dir string
	// Out is where the story is told.
	Out io.Writer
	// Chaos, unless nil, kills one more process somewhere in the story.
	Chaos *Chaos
}

// What the story is about. The cells are those of `moor dev`.
const (
	app             = "redis-data"
	plan            = "demo"
	cellsTotal      = 6
	progressTimeout = 4 * time.Second
	healthyFor      = 2 * time.Second
	// hungTurn is the place in the plan, from 0, of the cell whose handler hangs.
	hungTurn = 2
	// killAfter is how many cells have rolled when the control plane is killed.
	killAfter = 3
)

// Limits that the report is judged by.
const (
	mostSeconds   = 180
	mostFlagDelay = 2 * time.Second
)
