package volume

import "mooring/model"

// The routes of the manager's socket; requests and answers are JSON.
const (
	routeClasses = "/v1/classes"
	routeVolumes = "/v1/volumes"
	routeEnsure  = "/v1/ensure"
	routeAttach  = "/v1/attach"
	routeDetach  = "/v1/detach"
	routeDelete  = "/v1/delete"
)

// named asks for something to be done to one volume.
type named struct {
	GUID string `json:"guid"`
}

// attached answers an attach.
type attached struct {
	Path string `json:"path"`
}

type classList struct {
	Classes []model.Class `json:"classes"`
}

type volumeList struct {
	Volumes []model.ActualVolume `json:"volumes"`
}

// problem is the answer to what was refused or failed.
type problem struct {
	Code  string `json:"code"`
	Error string `json:"error"`
	// Epoch is that which the volume has had, where an older one is refused.
	Epoch int64 `json:"epoch,omitempty"`
}
