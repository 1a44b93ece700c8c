package console

import (
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

// Board is everything the page shows at once, from one snapshot of the state.
type Board struct {
	Revision int64
	Cells    []Cell
	// Apps are all apps, or only those that do not serve fully when there are
	// more than appLimit. AppCount counts all.
	Apps     []App
	AppCount int
	// Plans are the unfinished ones and the last few that finished, the newest
	// first.
	Plans []Plan
	Stuck []Stuck
}

// Cell is one square.
type Cell struct {
	ID     string `json:"id"`
	AZ     string `json:"az"`
	Domain int    `json:"domain"`
	// State is "" while the cell answers, else "gone" (its lease ran out) or
	// "lost" (declared so by a person).
	State string `json:"state,omitempty"`
	// Plan is the newest plan that the cell is part of, Phase how far its roll
	// has come there, and Since when it got there.
	Plan     string      `json:"plan,omitempty"`
	Phase    model.Phase `json:"phase,omitempty"`
	Since    time.Time   `json:"since,omitzero"`
	Cordoned bool        `json:"cordoned,omitempty"`
	// Stuck is the alert that holds the cell up.
	Stuck string `json:"stuck,omitempty"`
	// Counts of what is placed here.
	Serving   int `json:"serving"`
	Disrupted int `json:"disrupted"`
	Down      int `json:"down"`
	Fixed     int `json:"fixed"`
	Floating  int `json:"floating"`
	// Instances and Spare are left out of fleets with more than chipLimit
	// instances: squares are too small there to show them.
	Instances []Chip `json:"instances,omitempty"`
	// Spare are the volumes here that no instance uses.
	Spare []SpareVolume `json:"spare,omitempty"`
}

// Chip is an instance inside its square.
type Chip struct {
	App   string `json:"app"` // org/space/name
	Index int    `json:"index"`
	// Standing is serving, disrupted, down, or arriving: a replacement that
	// does not serve yet.
	Standing lifecycle.Standing  `json:"standing"`
	State    model.InstanceState `json:"state,omitempty"`
	// Volume is fixed, floating, both or "".
	Volume string `json:"volume,omitempty"`
	// Kind, Step and Progress are those of its permit. Progress is in percent,
	// of a handler that reported any.
	Kind     model.Kind `json:"kind,omitempty"`
	Step     model.Step `json:"step,omitempty"`
	Progress int        `json:"progress,omitempty"`
}

// Arriving is the standing of a replacement that does not serve yet.
const Arriving lifecycle.Standing = "arriving"

// SpareVolume is a volume on a cell that no instance there uses.
type SpareVolume struct {
	Set      string `json:"set"` // org/space/name
	Index    int    `json:"index"`
	Floating bool   `json:"floating,omitempty"`
	Ending   bool   `json:"ending,omitempty"`
}

// App is one line of the list of apps.
type App struct {
	Name      string           `json:"name"` // org/space/name
	Owner     string           `json:"owner"`
	Instances int              `json:"instances"`
	Serving   int              `json:"serving"`
	Disrupted int              `json:"disrupted"`
	Down      int              `json:"down"`
	Limits    lifecycle.Limits `json:"limits"`
	Deleting  bool             `json:"deleting,omitempty"`
}

// Plan is one plan with how many of its cells are where.
type Plan struct {
	Name       string           `json:"name"`
	Action     model.Action     `json:"action"`
	Status     model.PlanStatus `json:"status"`
	Intent     model.Intent     `json:"intent"`
	Reason     string           `json:"reason,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	CreatedBy  string           `json:"created_by,omitempty"`
	FinishedAt time.Time        `json:"finished_at,omitzero"`
	Window     string           `json:"window,omitempty"`
	Cells      int              `json:"cells"`
	// Phases counts the cells by phase, without those that are held up: these
	// are counted in Stuck.
	Phases map[model.Phase]int `json:"phases"`
	Stuck  int                 `json:"stuck"`
	Course *Course             `json:"course,omitempty"`
	// Forecast is nil until it was computed.
	Forecast *client.Forecast `json:"forecast,omitempty"`
}

// Course is how a plan has gone so far: how many of its cells began and ended
// their rolls in each stretch of Every seconds since the plan was made. The
// last stretch is the last in which anything did.
type Course struct {
	Every int   `json:"every"`
	Begun []int `json:"begun"`
	Ended []int `json:"ended"`
}

// Stuck is an alert, and what will become of it by itself.
type Stuck struct {
	model.Stuck
	Severity model.Severity `json:"severity"`
	// ForcedAt is when the app's own policy forces it, if nobody answers.
	ForcedAt time.Time `json:"forced_at,omitzero"`
}
