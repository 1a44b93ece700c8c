package client

import (
	"context"
	"net/http"

	"mooring/model"
)

func setPath(name model.Name) string { return pathOf("volume-sets", name.Org, name.Space, name.Name) }

// VolumeSetRequest asks for a volume set.
type VolumeSetRequest struct {
	model.Name
	Class         string     `json:"class" example:"persistent"`
	Count         int        `json:"count" minimum:"0" doc:"How many volumes; a push that mounts the set makes it the app's instances"`
	Size          model.Size `json:"size" example:"1G" doc:"Of each volume"`
	ReserveMemory model.Size `json:"reserve_memory,omitempty" doc:"Kept free beside each volume for what will run there"`
	Pool          string     `json:"pool,omitempty"`
}

// VolumeSetView is a volume set with its volumes.
type VolumeSetView struct {
	model.VolumeSet
	// App is who mounts it, as org/space/name.
	App     string       `json:"app,omitempty"`
	Volumes []VolumeView `json:"volumes,omitempty"`
}

// VolumeView is where a volume is to be and what is there.
type VolumeView struct {
	model.Volume
	// Set and App are org/space/name.
	Set string `json:"set,omitempty"`
	App string `json:"app,omitempty"`
	// State is empty when no cell reported the volume.
	State model.VolumeState `json:"state,omitempty"`
	// HeldBy is the cell that has it attached.
	HeldBy string     `json:"held_by,omitempty"`
	Used   model.Size `json:"used,omitempty"`
	Error  string     `json:"error,omitempty"`
}

// CreateVolumeSet makes a volume set. Its volumes are placed at once.
func (c *Client) CreateVolumeSet(ctx context.Context, wanted VolumeSetRequest) (*VolumeSetView, error) {
	return one[VolumeSetView](ctx, c, request{method: http.MethodPost, path: pathOf("volume-sets"), body: wanted})
}

// VolumeSets lists all volume sets, sorted by name.
func (c *Client) VolumeSets(ctx context.Context) ([]VolumeSetView, error) {
	return list[VolumeSetView](ctx, c, pathOf("volume-sets"), nil)
}

// VolumeSet gives one volume set.
func (c *Client) VolumeSet(ctx context.Context, name model.Name) (*VolumeSetView, error) {
	return one[VolumeSetView](ctx, c, request{method: http.MethodGet, path: setPath(name), again: true})
}

// DeleteVolumeSet ends a volume set with all its data. It is refused while an
// app mounts it.
func (c *Client) DeleteVolumeSet(ctx context.Context, name model.Name) error {
	return c.do(ctx, request{method: http.MethodDelete, path: setPath(name)}, nil)
}

// Volumes lists every volume, sorted by set and index.
func (c *Client) Volumes(ctx context.Context) ([]VolumeView, error) {
	return list[VolumeView](ctx, c, pathOf("volumes"), nil)
}
