package client

import "time"

// Forecast is when a plan under way is expected to end, by the brain that
// executes it: Likely one time in two, by Latest nine times in ten.
type Forecast struct {
	Earliest time.Time `json:"earliest"`
	Likely   time.Time `json:"likely"`
	Latest   time.Time `json:"latest"`
	// Bottleneck is the policy or cell that keeps the plan from being faster.
	Bottleneck string `json:"bottleneck,omitempty"`
	// Left is how many cells it counts on, Open how many more will not get
	// their turn as things are: the end is then open.
	Left int `json:"left"`
	Open int `json:"open,omitempty"`
	// Slots are when the next cells are expected to have their turn.
	Slots []Turn `json:"slots,omitempty"`
}

// Turn is when a cell is expected to be rolled.
type Turn struct {
	CellID string    `json:"cell_id"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}
