package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mooring/files"
	"mooring/model"
)

// attach makes this cell the holder and gives the path of the data.
func (d *directory) attach(ctx context.Context, work model.VolumeWork) (string, error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	h, err := d.find(work.GUID)
	if err != nil {
		return "", err
	}
	if !d.class.Floating && h.Cell != d.who.cell {
		return "", refuse(ErrHeld, "attaching volume %s: it is fixed to cell %s", work.GUID, h.Cell)
	}
	next, err := h.attach(work.GUID, d.who, work.Epoch, work.Steal && d.class.Floating)
	if err != nil {
		return "", err
	}
	if !h.heldBy(d.who) || h.Epoch != next.Epoch {
		if err := writeJSON(d.path(work.GUID, holderFile), next); err != nil {
			return "", fmt.Errorf("attaching volume %s: %w", work.GUID, err)
		}
	}
	return d.path(work.GUID, dataDir), nil
}

// detach flushes the data and gives the volume up. Flushing takes long, so it
// is done without the lock; the volume is still held meanwhile.
func (d *directory) detach(ctx context.Context, guid string) error {
	h, err := d.find(guid)
	if err != nil {
		return err
	}
	if _, held, err := h.detach(guid, d.who); err != nil || !held {
		return err
	}
	if err := flushTree(ctx, d.path(guid, dataDir)); err != nil {
		return fmt.Errorf("detaching volume %s: %w", guid, err)
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// Read again: it may have been stolen during the flush.
	if h, err = d.find(guid); err != nil {
		return err
	}
	next, held, err := h.detach(guid, d.who)
	if err != nil || !held {
		return err
	}
	if err := writeJSON(d.path(guid, holderFile), next); err != nil {
		return fmt.Errorf("detaching volume %s: %w", guid, err)
	}
	return nil
}

// remove deletes a volume that nobody holds.
func (d *directory) remove(ctx context.Context, guid string) error {
	gone, err := d.bury(ctx, guid)
	if err != nil {
		return err
	}
	d.usage.forget(guid)
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("deleting volume %s: %w", guid, err)
	}
	return nil
}

// bury renames a volume so that it is gone at once and as a whole, however
// long its files take to be removed. It gives the new place.
func (d *directory) bury(ctx context.Context, guid string) (string, error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	h, err := d.find(guid)
	if err != nil {
		return "", err
	}
	if h.taken(d.who) {
		return "", refuse(ErrAttached, "deleting volume %s: cell %s has it attached (epoch %d); detach it first", guid, h.Cell, h.Epoch)
	}
	gone, err := os.MkdirTemp(d.root, gonePrefix+"*")
	if err == nil {
		err = os.Rename(d.path(guid), filepath.Join(gone, guid))
	}
	if err != nil {
		return "", fmt.Errorf("deleting volume %s: %w", guid, err)
	}
	return gone, files.SyncDir(d.root)
}

// finish removes the files of volumes whose deletion was cut short.
func (d *directory) finish() error {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return fmt.Errorf("listing class %s: %w", d.class.Name, err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), gonePrefix) {
			if err := os.RemoveAll(filepath.Join(d.root, entry.Name())); err != nil {
				return fmt.Errorf("finishing a deletion in class %s: %w", d.class.Name, err)
			}
		}
	}
	return d.closeToOthers()
}

// closeToOthers keeps other users of the machine out of the volumes, those too
// that an earlier release left open to them.
func (d *directory) closeToOthers() error {
	guids, err := d.guids()
	if err != nil {
		return err
	}
	for _, guid := range guids {
		info, err := os.Stat(d.path(guid))
		if err == nil && info.Mode().Perm() != ownerOnly {
			err = os.Chmod(d.path(guid), ownerOnly)
		}
		// Another manager may have deleted it meanwhile.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keeping other users out of volume %s of class %s: %w; give the directory to the user of the volume manager", guid, d.class.Name, err)
		}
	}
	return nil
}

func (d *directory) find(guid string) (holder, error) {
	_, h, err := d.read(guid)
	if errors.Is(err, fs.ErrNotExist) && !d.has(guid) {
		return h, refuse(ErrNotFound, "there is no volume %s in class %s", guid, d.class.Name)
	}
	if err != nil {
		return h, fmt.Errorf("reading volume %s: %w", guid, err)
	}
	return h, nil
}
