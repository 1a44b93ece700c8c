package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/access"
	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// NamePath is where an app or a volume set is found.
type NamePath struct {
	Org   string `path:"org"`
	Space string `path:"space"`
	Name  string `path:"name"`
}

func (p *NamePath) name() model.Name {
	return model.Name{Org: p.Org, Space: p.Space, Name: p.Name}
}

type createSetInput struct{ Body client.VolumeSetRequest }

func (s *server) volumeSetRoutes(routes huma.API) {
	const one = "/v1/volume-sets/{org}/{space}/{name}"
	op := operation(http.MethodPost, "/v1/volume-sets", "create-volume-set", "Create a volume set", "volumes")
	op.DefaultStatus = http.StatusCreated
	on(routes, op, s.createVolumeSet)
	on(routes, operation(http.MethodGet, "/v1/volume-sets", "list-volume-sets", "List volume sets", "volumes"),
		func(_ context.Context, _ *struct{}) ([]client.VolumeSetView, error) {
			return setViews(s.store.Snapshot()), nil
		})
	on(routes, operation(http.MethodGet, one, "get-volume-set", "One volume set with its volumes", "volumes"),
		func(_ context.Context, in *NamePath) (*client.VolumeSetView, error) {
			snap := s.store.Snapshot()
			set, err := setNamed(snap, in.name())
			if err != nil {
				return nil, err
			}
			return setView(snap, set), nil
		})
	op = operation(http.MethodDelete, one, "delete-volume-set", "Delete a volume set with all its data", "volumes")
	op.DefaultStatus = http.StatusAccepted
	on(routes, op, s.deleteVolumeSet)
	on(routes, operation(http.MethodGet, "/v1/volumes", "list-volumes", "List volumes", "volumes"),
		func(_ context.Context, _ *struct{}) ([]client.VolumeView, error) {
			return allVolumeViews(s.store.Snapshot()), nil
		})
}

func setNamed(snap *state.Snapshot, name model.Name) (*model.VolumeSet, error) {
	set := snap.VolumeSetNamed(name)
	if set == nil {
		return nil, notFound("there is no volume set %s", name)
	}
	return set, nil
}

func (s *server) createVolumeSet(ctx context.Context, in *createSetInput) (*client.VolumeSetView, error) {
	if err := may(ctx, access.Change, access.VolumeSet(in.Body.Name)); err != nil {
		return nil, err
	}
	guid := s.newGUID()
	snap, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		return newVolumeSet(snap, &in.Body, guid, signed(ctx, "", someDeveloper), s.now())
	})
	if err != nil {
		return nil, err
	}
	return setView(snap, snap.VolumeSet(guid)), nil
}

// newVolumeSet decides about a request for a volume set. It is pure.
func newVolumeSet(snap *state.Snapshot, wanted *client.VolumeSetRequest, guid, by string, now time.Time) (*state.Txn, error) {
	set := &model.VolumeSet{
		GUID: guid, Name: wanted.Name, Class: wanted.Class, Count: wanted.Count, Size: wanted.Size,
		ReserveMemory: wanted.ReserveMemory, Pool: wanted.Pool, CreatedAt: now,
	}
	what := fmt.Sprintf("volume set %s cannot be created", wanted.Name)
	if err := invalid(what, set.Validate()); err != nil {
		return nil, err
	}
	if old := snap.VolumeSetNamed(wanted.Name); old != nil {
		if old.Deleting {
			return nil, conflict("volume set %s is being deleted; create it again when it is gone", wanted.Name)
		}
		return nil, conflict("volume set %s exists", wanted.Name)
	}
	if err := invalid(what, fit(snap, set)); err != nil {
		return nil, err
	}
	tx := snap.Txn()
	tx.Put(set)
	// Nobody else may have taken the name.
	tx.RequireUnder(model.TableVolumeSets)
	tx.Event(model.Event{At: now, Kind: model.EventVolumeSetCreated, Actor: by,
		Text: fmt.Sprintf("volume set %s: %d volumes of %s, class %s", set.Name, set.Count, set.Size, set.Class)})
	return tx, nil
}

// fit takes from the cells what their class is, and says why the set could
// never be placed on them; what is promised already does not count, since it
// may be given back.
func fit(snap *state.Snapshot, set *model.VolumeSet) error {
	var largest model.Size
	room, known := 0, false
	reach := map[string]model.Size{} // of a floating class, by AZ
	var offered []string
	for _, cell := range snap.Cells() {
		if cell.Lost || model.Pooled(cell.Pool) != model.Pooled(set.Pool) {
			continue
		}
		for _, class := range cell.Classes {
			offered = append(offered, class.Name)
		}
		class, has := cell.Class(set.Class)
		if !has {
			continue
		}
		if known && class.Floating != set.Floating {
			return fault("class", "cells disagree about whether class %s floats; mend their configuration", set.Class)
		}
		if !known || class.Survives.Rank() < set.Survives.Rank() {
			set.Floating, set.Survives = class.Floating, class.Survives
		}
		known = true
		largest = max(largest, class.Capacity)
		if class.Floating {
			reach[cell.AZ] = max(reach[cell.AZ], class.Capacity)
		} else {
			room += int(class.Capacity / set.Size)
		}
	}
	for _, capacity := range reach {
		room += int(capacity / set.Size)
	}
	where := "any cell of pool " + model.Pooled(set.Pool)
	switch {
	case !known:
		slices.Sort(offered)
		classes := strings.Join(slices.Compact(offered), ", ")
		if classes == "" {
			classes = "none"
		}
		return fault("class", "%q is not offered by %s; there are: %s", set.Class, where, classes)
	case set.Size > largest:
		return fault("size", "a volume of %s is larger than %s can take: class %s has at most %s", set.Size, where, set.Class, largest)
	case set.Count > room:
		return fault("count", "%d volumes of %s are more than all cells can take: class %s has room for %d", set.Count, set.Size, set.Class, room)
	}
	return nil
}

// mountedBy gives the app that a set belongs to, nil when there is none any more.
func mountedBy(snap *state.Snapshot, set *model.VolumeSet) *model.App {
	if set.AppGUID == "" {
		return nil
	}
	return snap.App(set.AppGUID)
}

func (s *server) deleteVolumeSet(ctx context.Context, in *NamePath) (*client.VolumeSetView, error) {
	var deleted *client.VolumeSetView
	_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		set, err := setNamed(snap, in.name())
		if err != nil {
			return nil, err
		}
		deleted = setView(snap, set)
		if set.Deleting {
			return nil, nil
		}
		if app := mountedBy(snap, set); app != nil {
			return nil, conflict("volume set %s is mounted by app %s; delete the app first", set.Name, app.Name)
		}
		ending := *set
		ending.Deleting = true
		deleted.Deleting = true
		tx := snap.Txn()
		tx.Put(&ending)
		tx.Event(model.Event{At: s.now(), Kind: model.EventVolumeSetDeleting, Actor: signed(ctx, "", someDeveloper),
			Text: fmt.Sprintf("volume set %s is to be deleted with the data of %d volumes", set.Name, len(deleted.Volumes))})
		return tx, nil
	})
	if err != nil {
		return nil, err
	}
	return deleted, nil
}
