package model

// Registration is what a cell's agent says of its host when it starts.
type Registration struct {
	Cell
	// DomainGiven says that Domain was set by a property; otherwise the
	// scheduler assigns one.
	DomainGiven bool `json:"domain_given,omitempty"`
}

// Lease tells an agent how long it may go without an answered report.
type Lease struct {
	// TTL after the sending of the last answered report, the agent must have
	// stopped everything that may be started elsewhere.
	TTL Duration `json:"ttl"`
	// Registration numbers the agent's registration, in the answer to one; its
	// reports carry it.
	Registration int64 `json:"registration,omitempty"`
}

// Work is everything a cell should be doing at one state revision. It is
// whole: an instance that is not in it is to be stopped. Volumes are deleted
// only when it says so: a volume that is not in it is left alone.
type Work struct {
	Revision  int64          `json:"revision"`
	Instances []InstanceWork `json:"instances"`
	Volumes   []VolumeWork   `json:"volumes"`
}

// InstanceWork is one instance's part of a cell's work.
type InstanceWork struct {
	AppGUID      string        `json:"app_guid"`
	App          Name          `json:"app"`
	Index        int           `json:"index"`
	Instances    int           `json:"instances"` // desired instances of the app
	GUID         string        `json:"guid"`
	Spec         RunSpec       `json:"spec"`
	SpecVersion  int           `json:"spec_version"`
	Ports        []int         `json:"ports"`
	Mounts       []MountedWork `json:"mounts,omitempty"`
	HealthyFor   Duration      `json:"healthy_for"`
	StartedAfter StartedAfter  `json:"started_after"`
	// Run is false while the instance is to be down: its permit wants it out,
	// or it is being removed.
	Run bool `json:"run"`
	// Task is the disruption to carry out. When it goes away before the
	// instance has yielded, the disruption is cancelled.
	Task *Task `json:"task,omitempty"`
}

// MountedWork is a volume an instance needs attached before it starts.
type MountedWork struct {
	VolumeGUID string `json:"volume_guid"`
	Set        string `json:"set"` // the set's name, for MOORING_VOLUME_<SET>
	Path       string `json:"path"`
}

// VolumeWork is one volume's part of a cell's work.
type VolumeWork struct {
	GUID  string `json:"guid"`
	Set   Name   `json:"set"`
	Index int    `json:"index"`
	Class string `json:"class"`
	Size  Size   `json:"size"`
	Epoch int64  `json:"epoch"`
	Steal bool   `json:"steal,omitempty"`
	// Delete: the data may go.
	Delete bool `json:"delete,omitempty"`
}

// Task is a disruption to carry out on this cell: run the handler, stop the
// process, flush and detach its volumes.
type Task struct {
	PermitID string   `json:"permit_id"`
	Kind     Kind     `json:"kind"`
	Reason   Reason   `json:"reason"`
	Action   Action   `json:"action,omitempty"`
	Handler  *Handler `json:"handler,omitempty"`
	// Force: no handler, stop at once.
	Force bool `json:"force,omitempty"`
	// ExpectedBack as in Permit.
	ExpectedBack Duration `json:"expected_back,omitempty"`
	// Peers are the addresses of the app's other instances, for the handler.
	Peers []Peer `json:"peers,omitempty"`
}

// Peer is where another instance of the same app is reached.
type Peer struct {
	Index   int            `json:"index"`
	Address string         `json:"address"`
	Ports   map[string]int `json:"ports"`
	State   InstanceState  `json:"state,omitempty"`
	CellID  string         `json:"cell_id,omitempty"`
}

// Report is everything that is so on a cell. It is whole: what is not in it
// is not there. Start must be the agent's own; a report from an agent that a
// newer one has replaced is refused, and one that is not known has to register.
type Report struct {
	Boot  string `json:"boot"`
	Start string `json:"start"`
	// Registration is the number that the agent's registration was given.
	Registration int64 `json:"registration,omitempty" minimum:"0"`

	Instances []ActualInstance `json:"instances"`
	Volumes   []ActualVolume   `json:"volumes"`
}
