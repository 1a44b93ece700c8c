package volume

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"mooring/model"
)

// Class is a class and where its volumes lie.
type Class struct {
	model.Class
	// Root is a directory on this host. It is made when it is not there.
	Root string
}

// manager does what the routes ask, over all classes.
type manager struct {
	classes []*directory // sorted by name
	usage   *usage
}

// newManager checks the classes and finishes what an earlier manager began.
func newManager(cfg Config) (*manager, error) {
	m := &manager{usage: &usage{}}
	roots := map[string]string{}
	for _, class := range cfg.Classes {
		root, err := filepath.Abs(class.Root)
		if err != nil || class.Root == "" {
			return nil, fmt.Errorf("class %q has no directory", class.Name)
		}
		if err := model.CheckWord("class", class.Name); err != nil {
			return nil, err
		}
		if other, taken := roots[root]; taken {
			return nil, fmt.Errorf("classes %s and %s have the same directory %s", other, class.Name, root)
		}
		if class.Survives.Rank() == 0 {
			return nil, fmt.Errorf("class %s survives %q; say restart, reboot, recreate or retire", class.Name, class.Survives)
		}
		roots[root] = class.Name
		d := &directory{class: class.Class, root: root, who: identity{cfg.CellID, cfg.Boot}, usage: m.usage}
		if err := prepare(d); err != nil {
			return nil, err
		}
		m.classes = append(m.classes, d)
	}
	slices.SortFunc(m.classes, func(a, b *directory) int { return cmp.Compare(a.class.Name, b.class.Name) })
	for i := 1; i < len(m.classes); i++ {
		if m.classes[i].class.Name == m.classes[i-1].class.Name {
			return nil, fmt.Errorf("class %s is given twice", m.classes[i].class.Name)
		}
	}
	return m, nil
}

func prepare(d *directory) error {
	if err := os.MkdirAll(d.root, ownerOnly); err != nil {
		return fmt.Errorf("making the directory of class %s: %w", d.class.Name, err)
	}
	probe, err := os.CreateTemp(d.root, ".probe-*")
	if err != nil {
		return fmt.Errorf("the directory of class %s cannot be written to: %w", d.class.Name, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	return d.finish()
}

// of finds the class that work names.
func (m *manager) of(work model.VolumeWork) (*directory, error) {
	if !guidText.MatchString(work.GUID) {
		return nil, refuse(ErrInvalid, "%q is not the GUID of a volume", work.GUID)
	}
	if work.Size < 0 {
		return nil, refuse(ErrInvalid, "volume %s has the size %d", work.GUID, int64(work.Size))
	}
	for _, d := range m.classes {
		if d.class.Name == work.Class {
			return d, nil
		}
	}
	return nil, refuse(ErrNotFound, "this cell has no volume class %q", work.Class)
}

// holding finds the class that has a volume, nil when none has.
func (m *manager) holding(guid string) (*directory, error) {
	if !guidText.MatchString(guid) {
		return nil, refuse(ErrInvalid, "%q is not the GUID of a volume", guid)
	}
	for _, d := range m.classes {
		if d.has(guid) {
			return d, nil
		}
	}
	return nil, nil
}

func (m *manager) ensure(ctx context.Context, work model.VolumeWork) error {
	d, err := m.of(work)
	if err != nil {
		return err
	}
	if other, err := m.holding(work.GUID); err == nil && other != nil && other != d {
		return refuse(ErrInvalid, "volume %s is of class %s, not %s", work.GUID, other.class.Name, d.class.Name)
	}
	return d.ensure(ctx, work)
}

func (m *manager) attach(ctx context.Context, work model.VolumeWork) (string, error) {
	d, err := m.of(work)
	if err != nil {
		return "", err
	}
	return d.attach(ctx, work)
}

// detach of what is not there is done: nothing is held.
func (m *manager) detach(ctx context.Context, guid string) error {
	d, err := m.holding(guid)
	if err != nil || d == nil {
		return err
	}
	return ignoreGone(d.detach(ctx, guid))
}

func (m *manager) remove(ctx context.Context, guid string) error {
	d, err := m.holding(guid)
	if err != nil || d == nil {
		return err
	}
	return ignoreGone(d.remove(ctx, guid))
}

// ignoreGone takes a volume that vanished meanwhile for one that was not there.
func ignoreGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (m *manager) list() ([]model.ActualVolume, error) {
	all := []model.ActualVolume{}
	for _, d := range m.classes {
		volumes, err := d.list()
		if err != nil {
			return nil, err
		}
		all = append(all, volumes...)
	}
	slices.SortFunc(all, func(a, b model.ActualVolume) int { return cmp.Compare(a.GUID, b.GUID) })
	return all, nil
}

func (m *manager) offers() []model.Class {
	classes := []model.Class{}
	for _, d := range m.classes {
		classes = append(classes, d.class)
	}
	return classes
}
