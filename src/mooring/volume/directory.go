package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"mooring/files"
	"mooring/model"
)

const (
	metaFile   = "meta.json"
	holderFile = "holder.json"
	dataDir    = "data"
	lockName   = ".lock"
	// newPrefix marks a volume that is being made, gonePrefix one that was
	// deleted and whose files are being removed.
	newPrefix  = ".new-"
	gonePrefix = ".gone-"
	// ownerOnly is the mode of directories: the data is for the instance alone.
	ownerOnly = 0o700
)

// guidText is what a GUID may be: it becomes a directory name, and must not
// be one that means something else.
var guidText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// meta is what a volume is.
type meta struct {
	GUID      string     `json:"guid"`
	Set       model.Name `json:"set"`
	Index     int        `json:"index"`
	Class     string     `json:"class"`
	Size      model.Size `json:"size"`
	CreatedAt time.Time  `json:"created_at"`
}

// directory is the driver of one class. For a floating class the root is
// shared with the managers of other cells; everything that decides something
// is therefore read from disk under the root's lock, never remembered.
type directory struct {
	class model.Class
	root  string
	who   identity
	usage *usage
}

func (d *directory) path(guid string, rest ...string) string {
	return filepath.Join(append([]string{d.root, guid}, rest...)...)
}

func (d *directory) lock(ctx context.Context) (func(), error) {
	return lockFile(ctx, filepath.Join(d.root, lockName))
}

// has reports whether the volume exists in this class.
func (d *directory) has(guid string) bool {
	_, err := os.Stat(d.path(guid, metaFile))
	return err == nil
}

// read gives what is on disk of a volume; fs.ErrNotExist when there is none.
func (d *directory) read(guid string) (meta, holder, error) {
	var m meta
	var h holder
	if err := readJSON(d.path(guid, metaFile), &m); err != nil {
		return m, h, err
	}
	if m.GUID != guid {
		return m, h, fmt.Errorf("%s is that of volume %s", d.path(guid, metaFile), m.GUID)
	}
	return m, h, readJSON(d.path(guid, holderFile), &h)
}

// ensure makes the volume exist here, or grows what is promised to it.
func (d *directory) ensure(ctx context.Context, work model.VolumeWork) error {
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	m, h, err := d.read(work.GUID)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !d.has(work.GUID):
		return d.create(work)
	case err != nil:
		return fmt.Errorf("reading volume %s: %w", work.GUID, err)
	case work.Epoch < h.Epoch:
		return outdated(ErrFenced, h.Epoch, "making volume %s with epoch %d: cell %s has had it with epoch %d", work.GUID, work.Epoch, h.Cell, h.Epoch)
	case d.class.Floating && work.Epoch == h.Epoch && h.Cell != "" && h.Cell != d.who.cell:
		return outdated(ErrHeld, h.Epoch, "making volume %s with epoch %d: that epoch is cell %s's; a move to another cell needs a newer one", work.GUID, work.Epoch, h.Cell)
	}
	if next := h.charge(d.who, work.Epoch, work.Steal); d.class.Floating && next.Epoch > h.Epoch {
		if err := writeJSON(d.path(work.GUID, holderFile), next); err != nil {
			return fmt.Errorf("taking charge of volume %s: %w", work.GUID, err)
		}
	}
	if work.Size <= m.Size {
		return nil
	}
	if err := d.room(work.GUID, work.Size); err != nil {
		return err
	}
	m.Size = work.Size
	return writeJSON(d.path(work.GUID, metaFile), m)
}

// create makes a volume aside and renames it into place, so that a volume
// directory is whole or not there.
func (d *directory) create(work model.VolumeWork) error {
	if err := d.room(work.GUID, work.Size); err != nil {
		return err
	}
	if _, err := os.Lstat(d.path(work.GUID)); err == nil {
		return fmt.Errorf("making volume %s: %s exists and is not a volume; move it away", work.GUID, d.path(work.GUID))
	}
	aside := d.path(newPrefix + work.GUID)
	// What a killed manager left half made holds no data.
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("making volume %s: %w", work.GUID, err)
	}
	if err := os.MkdirAll(filepath.Join(aside, dataDir), ownerOnly); err != nil {
		return fmt.Errorf("making volume %s: %w", work.GUID, err)
	}
	made := meta{GUID: work.GUID, Set: work.Set, Index: work.Index, Class: work.Class, Size: work.Size, CreatedAt: time.Now().UTC()}
	// The maker is its last holder: the cell that reports the volume until
	// somebody attaches it.
	err := errors.Join(
		writeJSON(filepath.Join(aside, metaFile), made),
		writeJSON(filepath.Join(aside, holderFile), holder{Cell: d.who.cell, Boot: d.who.boot, Epoch: work.Epoch}),
	)
	if err == nil {
		err = os.Rename(aside, d.path(work.GUID))
	}
	if err != nil {
		return fmt.Errorf("making volume %s: %w", work.GUID, err)
	}
	return files.SyncDir(d.root)
}

// room says whether the class can hold a volume of this size beside all others.
func (d *directory) room(guid string, size model.Size) error {
	if size > d.class.Capacity {
		return refuse(ErrNoRoom, "volume %s of %s is larger than all of class %s (%s)", guid, size, d.class.Name, d.class.Capacity)
	}
	guids, err := d.guids()
	if err != nil {
		return err
	}
	var promised model.Size
	for _, other := range guids {
		var m meta
		if other == guid {
			continue
		}
		if err := readJSON(d.path(other, metaFile), &m); err != nil {
			return fmt.Errorf("adding up the volumes of class %s: %w", d.class.Name, err)
		}
		promised += m.Size
	}
	if promised+size > d.class.Capacity {
		return refuse(ErrNoRoom, "volume %s of %s does not fit class %s: %s of its %s is promised to other volumes", guid, size, d.class.Name, promised, d.class.Capacity)
	}
	return nil
}

// guids lists the volumes in the root. Anything that is not a volume is none
// of the manager's business.
func (d *directory) guids() ([]string, error) {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return nil, fmt.Errorf("listing the volumes of class %s: %w", d.class.Name, err)
	}
	var guids []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && d.has(entry.Name()) {
			guids = append(guids, entry.Name())
		}
	}
	slices.Sort(guids)
	return guids, nil
}

// list gives the volumes that this cell is to speak for.
func (d *directory) list() ([]model.ActualVolume, error) {
	guids, err := d.guids()
	if err != nil {
		return nil, err
	}
	volumes := []model.ActualVolume{}
	for _, guid := range guids {
		actual := model.ActualVolume{GUID: guid, CellID: d.who.cell, Class: d.class.Name, State: model.VolumeReady}
		_, h, err := d.read(guid)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !d.has(guid):
			continue // deleted meanwhile
		case err != nil:
			actual.State, actual.Error = model.VolumeFailed, err.Error()
		case d.class.Floating && h.Cell != d.who.cell:
			continue // another cell's
		case h.heldBy(d.who):
			actual.State = model.VolumeAttached
		}
		actual.Epoch = h.Epoch
		actual.Used = d.usage.of(guid, d.path(guid, dataDir))
		volumes = append(volumes, actual)
	}
	return volumes, nil
}
