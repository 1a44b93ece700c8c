package model

import "time"

// App is the desired state of one application: N identical instances with the
// stable indexes 0..N-1. Written by the API alone.
type App struct {
	GUID string `json:"guid"`
	Name
	// Owner says whom to call about the app: a team, an address, a channel.
	Owner     string  `json:"owner,omitempty"`
	Instances int     `json:"instances"`
	Spec      RunSpec `json:"spec"`
	// SpecVersion grows by one whenever Spec changes. The scheduler rolls
	// instances of older versions to it under the policy.
	SpecVersion int    `json:"spec_version"`
	Policy      Policy `json:"lifecycle"`
	// Deleting is set by a delete; the scheduler removes instances and then
	// the record.
	Deleting  bool      `json:"deleting,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// RunSpec is all of an app that a running process can notice. A change to it
// is a new version; a change to anything else takes effect at once.
type RunSpec struct {
	Command string            `json:"command" doc:"Run by sh -c in the instance's directory"`
	Env     map[string]string `json:"env,omitempty"`
	// Memory reserved for each instance.
	Memory Size `json:"memory"`
	// Ports names the TCP ports each instance is given. The first is PORT;
	// each is also PORT_<NAME>. Empty means one port called "default".
	Ports  []string    `json:"ports,omitempty"`
	Health HealthCheck `json:"health"`
	Mounts []Mount     `json:"mounts,omitempty"`
	// Pool is the placement pool the app may run in.
	Pool string `json:"pool,omitempty"`
}

// PortNames gives the names of the ports in order, never none.
func (s RunSpec) PortNames() []string {
	if len(s.Ports) == 0 {
		return []string{"default"}
	}
	return s.Ports
}

// Mount puts the volume that a set keeps for an instance at a path. The
// process runtime has no mount namespace, so there the path appears under the
// instance's root directory and, always, in MOORING_VOLUME_<SET>.
type Mount struct {
	VolumeSet string `json:"volume" doc:"Name of a volume set in the app's org and space"`
	Path      string `json:"path" example:"/data"`
}

// HealthKind is how the cell finds out whether an instance is healthy.
type HealthKind string

// The kinds of health check.
const (
	HealthProcess HealthKind = "process" // healthy while the process runs
	HealthPort    HealthKind = "port"    // accepts a TCP connection on its first port
	HealthHTTP    HealthKind = "http"    // answers 2xx to GET Path on its first port
	HealthCommand HealthKind = "command" // Command exits 0
)

// HealthCheck says when an instance is healthy. Zero fields take the defaults
// of WithDefaults.
type HealthCheck struct {
	Type     HealthKind `json:"type,omitempty" enum:"process,port,http,command"`
	Path     string     `json:"path,omitempty" doc:"For http"`
	Command  string     `json:"command,omitempty" doc:"For command"`
	Interval Duration   `json:"interval,omitempty"`
	Timeout  Duration   `json:"timeout,omitempty" doc:"One check that takes longer has failed"`
	// StartTimeout is how long a new process may take to become healthy before
	// it is killed and counts as crashed.
	StartTimeout Duration `json:"start_timeout,omitempty"`
}

// Owned gives the app's owner, or a readable substitute: nobody may be left
// unnamed in an alert.
func (a *App) Owned() string {
	if a.Owner != "" {
		return a.Owner
	}
	return "developers of " + a.Org + "/" + a.Space
}
