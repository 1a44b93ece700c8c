package fleet

import (
	"encoding/json"
	"math"
	"time"

	"mooring/model"
)

// Move is how long a move takes where the fleet does not say.
const Move = 30 * time.Second

// Fleet is a fleet file, read and found sound.
type Fleet struct {
	Cells       []Cell             `json:"cells"`
	Apps        []App              `json:"apps"`
	Rolls       map[string]float64 `json:"rolls,omitzero"`     // seconds by cell
	Estimates   map[string]float64 `json:"estimates,omitzero"` // seconds by cell
	MaxInFlight Limit              `json:"max_in_flight,omitzero"`
	Canaries    int                `json:"canaries,omitempty"`
	AZSerial    bool               `json:"az_serial,omitempty"`
	MoveS       float64            `json:"move_s,omitempty"`
	Failures    []Failure          `json:"failures,omitempty"`
}

// Cell is one cell of a fleet file. Memory and disk of 0 are without limit;
// domain and column, its seat among the cells of its AZ, are not chosen yet.
type Cell struct {
	ID       string `json:"id"`
	AZ       string `json:"az"`
	Domain   Domain `json:"domain,omitzero"`
	Column   int    `json:"column,omitempty"`
	MemoryMB int64  `json:"memory_mb,omitempty"`
	DiskMB   int64  `json:"disk_mb,omitempty"`
}

// Kind is what volume the instances of an app have.
type Kind string

// The kinds of apps.
const (
	Fixed    Kind = "fixed"
	Floating Kind = "floating"
	None     Kind = "none"
)

// App is one app of a fleet file. Memory and disk are per instance; Cells, if
// any, has the cell of each index.
type App struct {
	Name           string   `json:"name"`
	Instances      int      `json:"instances"`
	MaxInterrupted Limit    `json:"max_interrupted"`
	Kind           Kind     `json:"kind"`
	MemoryMB       int64    `json:"memory_mb,omitempty"`
	DiskMB         int64    `json:"disk_mb,omitempty"`
	MoveS          float64  `json:"move_s,omitempty"`
	Cells          []string `json:"cells,omitempty"`
}

// Limit is a count, which a fleet file has as a number, or a share such as
// "25%".
type Limit struct{ model.Limit }

// MarshalJSON writes a limit as a fleet file has it.
func (l Limit) MarshalJSON() ([]byte, error) {
	if l.Percent > 0 {
		return json.Marshal(l.String())
	}
	return json.Marshal(l.Count)
}

// Limit is how many instances of the app may be away at once.
func (a *App) Limit() int { return a.MaxInterrupted.Of(a.Instances) }

// Failure is a cell that is down from At for For, in seconds.
type Failure struct {
	Cell string  `json:"cell"`
	At   float64 `json:"at_s"`
	For  float64 `json:"for_s"`
}

// Placed reports whether every instance has a cell.
func (f *Fleet) Placed() bool {
	for a := range f.Apps {
		if len(f.Apps[a].Cells) != f.Apps[a].Instances {
			return false
		}
	}
	return true
}

// move is how long an instance of an app needs to serve elsewhere, 0 when it
// stays with its cell.
func (f *Fleet) move(app *App) time.Duration {
	switch {
	case app.Kind == Fixed:
		return 0
	case app.MoveS > 0:
		return seconds(app.MoveS)
	case f.MoveS > 0:
		return seconds(f.MoveS)
	}
	return Move
}

// seconds rounds to the nanosecond, so that what is written is what was read.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
