package volume

import "slices"

// maxOldBoots bounds how many superseded boots a holder file remembers.
const maxOldBoots = 16

// identity is who asks: a cell in one of its boots.
type identity struct {
	cell, boot string
}

// holder says who has a volume, or had it last. It is the whole of
// holder.json, and its methods are the rules: pure, so that what they allow
// can be tested without a disk.
type holder struct {
	Cell     string `json:"cell,omitempty"`
	Boot     string `json:"boot,omitempty"`
	Epoch    int64  `json:"epoch"`
	Attached bool   `json:"attached"`
	// StolenFrom lists cells that lost the volume to a newer epoch and have
	// not attached it since: they are told so at their next operation.
	StolenFrom []string `json:"stolen_from,omitempty"`
	// OldBoots lists boots ("cell/boot") that a newer boot of the same cell
	// has replaced. They never come back: a boot has no successor but a new one.
	OldBoots []string `json:"old_boots,omitempty"`
}

func (who identity) String() string { return who.cell + "/" + who.boot }

// heldBy reports whether the volume is attached in just this boot of this cell.
func (h holder) heldBy(who identity) bool {
	return h.Attached && h.Cell == who.cell && h.Boot == who.boot
}

// taken reports whether anybody's process may still use the volume, as far as
// who can tell: its own earlier boots are over.
func (h holder) taken(who identity) bool {
	return h.Attached && (h.Cell != who.cell || h.Boot == who.boot || slices.Contains(h.OldBoots, who.String()))
}

// charge gives the holder after a cell was told to have the volume under a
// newer epoch than any before, but not yet to attach it: from here on it
// speaks for the volume, unless another still holds it by right.
func (h holder) charge(who identity, epoch int64, steal bool) holder {
	if h.Cell == who.cell || epoch <= h.Epoch || h.Attached && !steal {
		return h
	}
	return holder{Cell: who.cell, Boot: who.boot, Epoch: epoch, OldBoots: h.OldBoots, StolenFrom: h.robbed(who)}
}

// robbed lists the cells that are to learn that the volume was stolen, when
// who has it next.
func (h holder) robbed(who identity) []string {
	var cells []string
	for _, cell := range h.StolenFrom {
		if cell != who.cell {
			cells = append(cells, cell)
		}
	}
	if h.Attached && h.Cell != who.cell && !slices.Contains(cells, h.Cell) {
		cells = append(cells, h.Cell)
	}
	return cells
}

// attach gives the holder after who attached the volume under an epoch.
func (h holder) attach(guid string, who identity, epoch int64, steal bool) (holder, error) {
	switch {
	case slices.Contains(h.OldBoots, who.String()):
		return h, refuse(ErrFenced, "attaching volume %s: boot %s of cell %s is over, boot %s replaced it", guid, who.boot, who.cell, h.Boot)
	case epoch < h.Epoch:
		return h, outdated(ErrFenced, h.Epoch, "attaching volume %s with epoch %d: cell %s has had it with epoch %d", guid, epoch, h.Cell, h.Epoch)
	case h.Cell == "" || h.Cell == who.cell:
		// Ours, or nobody's so far.
	case epoch == h.Epoch:
		return h, outdated(ErrHeld, h.Epoch, "attaching volume %s with epoch %d: that epoch is cell %s's; a move to another cell needs a newer one", guid, epoch, h.Cell)
	case h.Attached && !steal:
		return h, refuse(ErrHeld, "attaching volume %s: cell %s holds it (boot %s, epoch %d); it must be detached there first", guid, h.Cell, h.Boot, h.Epoch)
	}
	next := holder{Cell: who.cell, Boot: who.boot, Epoch: epoch, Attached: true, OldBoots: slices.Clone(h.OldBoots), StolenFrom: h.robbed(who)}
	if h.Cell == who.cell && h.Boot != "" && h.Boot != who.boot {
		next.OldBoots = append(next.OldBoots, identity{h.Cell, h.Boot}.String())
		next.OldBoots = next.OldBoots[max(0, len(next.OldBoots)-maxOldBoots):]
	}
	return next, nil
}

// detach gives the holder after who gave the volume up, and whether it had
// anything to give up.
func (h holder) detach(guid string, who identity) (holder, bool, error) {
	switch {
	case slices.Contains(h.OldBoots, who.String()):
		return h, false, refuse(ErrFenced, "detaching volume %s: boot %s of cell %s is over, boot %s replaced it", guid, who.boot, who.cell, h.Boot)
	case h.Cell != who.cell && slices.Contains(h.StolenFrom, who.cell):
		return h, false, refuse(ErrFenced, "detaching volume %s: cell %s took it from this cell with epoch %d", guid, h.Cell, h.Epoch)
	case h.Cell != who.cell || !h.Attached:
		return h, false, nil
	}
	h.Attached = false
	return h, true, nil
}
