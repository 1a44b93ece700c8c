package client

import (
	"context"
	"net/http"

	"mooring/model"
)

// CellView is a cell with what is on it.
type CellView struct {
	model.Cell
	// Present: its agent renews its lease.
	Present bool          `json:"present"`
	Cordon  *model.Cordon `json:"cordon,omitempty"`
	// Plan and Phase are those of the unfinished roll it is in.
	Plan  string      `json:"plan,omitempty"`
	Phase model.Phase `json:"phase,omitempty"`
	// InstanceCount and VolumeCount are what is placed there.
	InstanceCount  int         `json:"instance_count"`
	VolumeCount    int         `json:"volume_count"`
	MemoryReserved model.Size  `json:"memory_reserved"`
	Disk           []ClassView `json:"disk,omitempty"`
	// Instances and Volumes are left out of lists.
	Instances []CellInstance `json:"instances,omitempty"`
	Volumes   []VolumeView   `json:"volumes,omitempty"`
}

// ClassView is how much of a class is promised to volumes placed on the cell.
type ClassView struct {
	Name     string     `json:"name"`
	Capacity model.Size `json:"capacity"`
	Reserved model.Size `json:"reserved"`
}

// CellInstance is an instance seen from its cell.
type CellInstance struct {
	App string `json:"app"` // org/space/name
	InstanceView
}

// Cells lists all cells, sorted by id.
func (c *Client) Cells(ctx context.Context) ([]CellView, error) {
	return list[CellView](ctx, c, pathOf("cells"), nil)
}

// Cell gives one cell with its instances and volumes.
func (c *Client) Cell(ctx context.Context, id string) (*CellView, error) {
	return one[CellView](ctx, c, request{method: http.MethodGet, path: pathOf("cells", id), again: true})
}
