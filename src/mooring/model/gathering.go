package model

// Gathering makes a plan one that nobody asked for. The gate gathers in it the
// cells that BOSH comes to stop at one time, for the same action on the same
// deployment, so that they get their turn in the order of one plan and not in
// the order in which they came.
type Gathering struct {
	// Deployment is BOSH's name of it; "" where the cells did not say.
	Deployment string `json:"deployment,omitempty"`
}

// NoOrder is the place of a roll whose cell came to a gathering plan and has
// not been ordered among the others yet.
const NoOrder = -1
