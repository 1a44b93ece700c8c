package model

import "time"

// Class is what a volume manager offers: what its volumes survive and how
// much of it there is on a cell.
type Class struct {
	Name string `json:"name" example:"persistent"`
	// Floating volumes can be attached to any cell of their AZ, one at a time;
	// the others are fixed to the cell they were made on.
	Floating bool `json:"floating"`
	// Survives is the most a host can go through before the data is gone.
	// Floating classes survive everything that happens to one host.
	Survives Action `json:"survives" enum:"restart,reboot,recreate,retire"`
	// Capacity in bytes that volumes of this class may take on this cell. A
	// floating class has the same figure on every cell that can reach it.
	Capacity Size `json:"capacity"`
}

// The classes every cell of `moor dev` has.
const (
	ClassPersistent = "persistent" // fixed, on the persistent disk: survives recreate
	ClassEphemeral  = "ephemeral"  // fixed, on the VM's own disk: survives reboot
	ClassShared     = "shared"     // floating
)

// VolumeSet is the desired state of the volumes of one app: one volume for
// each index, placed fault-tolerantly as one. Written by the API alone.
type VolumeSet struct {
	GUID string `json:"guid"`
	Name
	Class    string `json:"class"`
	Floating bool   `json:"floating"`
	Survives Action `json:"survives"`
	// Count is how many volumes there are to be, with indexes 0..Count-1.
	// Scaling the app scales it.
	Count int  `json:"count"`
	Size  Size `json:"size" doc:"Of each volume"`
	// ReserveMemory is kept free beside each volume for what will run there.
	ReserveMemory Size   `json:"reserve_memory,omitempty"`
	Pool          string `json:"pool,omitempty"`
	// AppGUID is the one app that mounts the set, empty before the first push.
	AppGUID   string    `json:"app_guid,omitempty"`
	Deleting  bool      `json:"deleting,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Volume is where the scheduler wants one volume of a set. Written by the
// scheduler alone.
type Volume struct {
	// GUID names the data: a volume that ended and was placed again has a new one.
	GUID    string `json:"guid"`
	SetGUID string `json:"set_guid"`
	Index   int    `json:"index"`
	Class   string `json:"class"`
	Size    Size   `json:"size"`
	AZ      string `json:"az"`
	// CellID is the home of a fixed volume, and the cell a floating one is to
	// be attached to ("" while it is to be attached nowhere).
	CellID   string `json:"cell_id,omitempty"`
	Floating bool   `json:"floating"`
	// Epoch grows with every change of CellID of a floating volume; it is the
	// fencing token that the volume manager compares.
	Epoch int64 `json:"epoch"`
	// Steal allows an attach to take the volume from a holder of an older
	// epoch that is known to be fenced or gone.
	Steal bool `json:"steal,omitempty"`
	// Mounted is set before an instance is first given the volume. Until then
	// there is no data in it, and it may be placed anew.
	Mounted bool `json:"mounted,omitempty"`
	// Ending is set when the data may go: after a drain that yielded, a
	// delete, or a cell declared lost.
	Ending    bool      `json:"ending,omitempty"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	// Unplaced says which constraint failed when CellID (fixed) or AZ
	// (floating) could not be chosen.
	Unplaced string `json:"unplaced,omitempty"`
	// GaveWay says which soft constraint the place does not keep, since no other
	// could when it was chosen.
	GaveWay string `json:"gave_way,omitempty"`
}

// VolumeState is what a volume manager says of a volume it holds.
type VolumeState string

// States of a volume on one cell.
const (
	VolumeReady    VolumeState = "ready"    // exists here, not attached
	VolumeAttached VolumeState = "attached" // held by this cell
	VolumeFailed   VolumeState = "failed"   // see Error
)

// ActualVolume is what one cell reports of one volume.
type ActualVolume struct {
	GUID   string      `json:"guid"`
	CellID string      `json:"cell_id"`
	Class  string      `json:"class"`
	State  VolumeState `json:"state"`
	Epoch  int64       `json:"epoch,omitempty"`
	Used   Size        `json:"used,omitempty"`
	// Unknown: the state has no such volume. Written by the API.
	Unknown bool   `json:"unknown,omitempty"`
	Error   string `json:"error,omitempty"`
}
