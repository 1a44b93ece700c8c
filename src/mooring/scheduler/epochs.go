package scheduler

import (
	"maps"
	"slices"

	"mooring/model"
)

// The epoch of a floating volume is known in two places: here, and on the volume
// itself. Where a backup of the state was restored, the volume is ahead, and
// refuses every cell until it is given a newer epoch than it has seen.

// maxEpoch bounds what a cell is believed: there is room above it for ever.
const maxEpoch = 1 << 53

// reportedEpoch returns the largest epoch that any cell reports of a volume.
func (r *round) reportedEpoch(v *model.Volume) int64 {
	var largest int64
	for _, actual := range r.snap.ActualVolumesOf(v.GUID) {
		if actual.Epoch <= maxEpoch {
			largest = max(largest, actual.Epoch)
		}
	}
	return largest
}

// nextEpoch returns an epoch that is newer than all that the volume ever had.
func (r *round) nextEpoch(v *model.Volume) int64 { return max(v.Epoch, r.reportedEpoch(v)) + 1 }

// outranked reports whether a volume has had a newer epoch than it has here, or
// has been another cell's under the same one.
func (r *round) outranked(v *model.Volume) bool {
	if !v.Floating || v.Ending || v.Epoch == 0 {
		return false
	}
	return slices.ContainsFunc(r.snap.ActualVolumesOf(v.GUID), func(actual *model.ActualVolume) bool {
		refused := actual.CellID != v.CellID || actual.State == model.VolumeFailed
		return actual.Epoch <= maxEpoch && (actual.Epoch > v.Epoch || actual.Epoch == v.Epoch && refused)
	})
}

// outrank returns the app's outranked volumes a newer epoch.
func (d *draft) outrank() {
	for _, guid := range slices.Sorted(maps.Keys(d.byGUID)) {
		if v := d.byGUID[guid]; d.outranked(v) {
			next := *v
			next.Epoch = d.nextEpoch(v)
			d.putVolume(&next)
		}
	}
}
