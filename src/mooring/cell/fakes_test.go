package cell_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/volume"
)

// control plays the control plane: it gives the work a test sets and keeps
// what is reported.
type control struct {
	mu            sync.Mutex
	ttl           time.Duration
	work          model.Work
	changed       chan struct{}
	reports       []model.Report
	registrations []model.Registration
	// apps are those with an instance on the cell.
	apps map[model.Name]*client.AppView
	cut  bool // nobody can be reached
	// cutFor, when not 0, ends the cut once so many calls have been refused.
	cutFor     int
	superseded bool
	// refuses: reports are understood and not taken.
	refuses bool
}

func newControl() *control {
	return &control{ttl: 30 * time.Second, changed: make(chan struct{}), work: model.Work{Revision: 1}}
}

var errCut = errors.New("no route to host")

func (c *control) lease() (model.Lease, error) {
	switch {
	case c.cut:
		if c.cutFor > 0 {
			if c.cutFor--; c.cutFor == 0 {
				c.setCut(false)
			}
		}
		return model.Lease{}, errCut
	case c.superseded:
		return model.Lease{}, &client.Error{Status: http.StatusConflict, Detail: "a newer agent is this cell"}
	}
	return model.Lease{TTL: model.Duration(c.ttl)}, nil
}

func (c *control) Register(_ context.Context, r model.Registration) (model.Lease, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lease, err := c.lease()
	if err == nil {
		c.registrations = append(c.registrations, r)
	}
	return lease, err
}

func (c *control) Report(_ context.Context, _ string, r model.Report) (model.Lease, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lease, err := c.lease()
	if err == nil && c.refuses {
		return model.Lease{}, &client.Error{Status: http.StatusUnprocessableEntity, Detail: "the report of cell cell-1 is refused"}
	}
	if err == nil {
		c.reports = append(c.reports, r)
	}
	return lease, err
}

func (c *control) AppOn(_ context.Context, cellID string, app model.Name) (*client.AppView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut:
		return nil, errCut
	case cellID != "cell-1" || c.apps[app] == nil:
		return nil, &client.Error{Status: http.StatusNotFound, Detail: fmt.Sprintf("no instance of app %s is to be on cell %s", app, cellID)}
	}
	return c.apps[app], nil
}

func (c *control) Work(ctx context.Context, _ string, after int64, wait time.Duration) (*model.Work, error) {
	for {
		c.mu.Lock()
		work, changed, cut := c.work, c.changed, c.cut
		c.mu.Unlock()
		if cut {
			return nil, errCut
		}
		if work.Revision != after {
			work.Instances = slices.Clone(work.Instances)
			return &work, nil
		}
		select {
		case <-changed:
		case <-time.After(wait):
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// set changes the work, or anything else.
func (c *control) set(change func(c *control)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
	c.work.Revision++
	close(c.changed)
	c.changed = make(chan struct{})
}

// cutOff cuts the cell off, or heals the cut; the work stays the same.
func (c *control) cutOff(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setCut(cut)
}

// cutOffFor cuts the cell off until so many of its reports have been refused.
func (c *control) cutOffFor(refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutFor = refused
	c.setCut(true)
}

func (c *control) setCut(cut bool) {
	c.cut = cut
	close(c.changed)
	c.changed = make(chan struct{})
}

// isCut reports whether the cell is cut off.
func (c *control) isCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// give makes these the cell's instances.
func (c *control) give(instances ...model.InstanceWork) {
	c.set(func(c *control) { c.work.Instances = instances })
}

// reported gives how many reports there were.
func (c *control) reported() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.reports)
}

// last is what was last reported of an index; zero before that.
func (c *control) last(index int) model.ActualInstance {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.reports) == 0 {
		return model.ActualInstance{}
	}
	for _, instance := range c.reports[len(c.reports)-1].Instances {
		if instance.Index == index {
			return instance
		}
	}
	return model.ActualInstance{}
}

// story gives what was reported of an index, repetitions left out.
func (c *control) story(index int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var story []string
	for _, report := range c.reports {
		for _, instance := range report.Instances {
			entry := string(instance.State)
			if instance.Disruption != nil {
				entry += "/" + string(instance.Disruption.State)
			}
			if instance.Index == index && (len(story) == 0 || story[len(story)-1] != entry) {
				story = append(story, entry)
			}
		}
	}
	return story
}

// volumes plays a volume manager over directories. It remembers who uses what
// in the wrong order.
type volumes struct {
	dir string

	mu       sync.Mutex
	exist    map[string]model.VolumeWork
	attached map[string]bool
	held     bool                     // by another cell
	busy     bool                     // by something that keeps them from being detached
	away     bool                     // the volume manager was stopped
	hangs    map[string]chan struct{} // whose detach hangs until it is closed
	hanging  int
	log      []string
}

func newVolumes(dir string) *volumes {
	return &volumes{dir: dir, exist: map[string]model.VolumeWork{}, attached: map[string]bool{}, hangs: map[string]chan struct{}{}}
}

func (v *volumes) Classes(context.Context) ([]model.Class, error) {
	return []model.Class{
		{Name: "persistent", Survives: model.Recreate, Capacity: model.Gigabyte},
		{Name: "shared", Floating: true, Survives: model.Retire, Capacity: model.Gigabyte},
	}, nil
}

func (v *volumes) Ensure(_ context.Context, w model.VolumeWork) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.exist[w.GUID] = w
	return os.MkdirAll(filepath.Join(v.dir, w.GUID), 0o700)
}

func (v *volumes) Attach(ctx context.Context, w model.VolumeWork) (string, error) {
	if err := v.hang(ctx, w.GUID); err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held {
		return "", fmt.Errorf("cell-9 has it: %w", volume.ErrHeld)
	}
	v.log = append(v.log, "attach "+w.GUID)
	v.attached[w.GUID] = true
	return filepath.Join(v.dir, w.GUID), nil
}

// leave makes a volume that an earlier agent left attached.
func (v *volumes) leave(guid string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.exist[guid], v.attached[guid] = model.VolumeWork{GUID: guid, Class: "persistent"}, true
}

// hangOn has a volume hang when it is attached or detached, until end is called.
func (v *volumes) hangOn(guid string) (end func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	hang := make(chan struct{})
	v.hangs[guid] = hang
	return sync.OnceFunc(func() { close(hang) })
}

// hung gives how many calls hang.
func (v *volumes) hung() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hanging
}

func (v *volumes) hang(ctx context.Context, guid string) error {
	v.mu.Lock()
	hang := v.hangs[guid]
	if hang == nil {
		v.mu.Unlock()
		return nil
	}
	v.hanging++
	v.mu.Unlock()
	defer func() { v.mu.Lock(); v.hanging--; v.mu.Unlock() }()
	select {
	case <-hang:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *volumes) Detach(ctx context.Context, guid string) error {
	if err := v.hang(ctx, guid); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.away {
		return fmt.Errorf("no such file: %w", volume.ErrAway)
	}
	if v.busy {
		return errors.New("the device is busy")
	}
	if v.attached[guid] {
		v.log = append(v.log, "detach "+guid)
	}
	delete(v.attached, guid)
	return nil
}

func (v *volumes) Delete(_ context.Context, guid string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.attached[guid] {
		return volume.ErrAttached
	}
	v.log = append(v.log, "delete "+guid)
	delete(v.exist, guid)
	return os.RemoveAll(filepath.Join(v.dir, guid))
}

func (v *volumes) List(context.Context) ([]model.ActualVolume, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []model.ActualVolume
	for guid, w := range v.exist {
		state := model.VolumeReady
		if v.attached[guid] {
			state = model.VolumeAttached
		}
		list = append(list, model.ActualVolume{GUID: guid, CellID: "cell-1", Class: w.Class, State: state})
	}
	return list, nil
}

func (v *volumes) history() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.log)
}
