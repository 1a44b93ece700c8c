package scheduler

import (
	"slices"

	"mooring/model"
)

// ask is what an app's own claim of one reason should be.
type ask struct {
	holder string
	reason model.Reason
	now    *model.Claim
	want   *model.Demand
}

// claims gives the app's own claims: for the scale-down, and for the update.
func (d *draft) claims() (scale, update ask) {
	scale = ask{holder: model.ScaleHolder(d.app.GUID), reason: model.ReasonScale}
	scale.now = d.snap.Claim(scale.holder)
	scale.want = d.nextRemoval()
	update = ask{holder: model.UpdateHolder(d.app.GUID), reason: model.ReasonUpdate}
	update.now = d.snap.Claim(update.holder)
	update.want = d.nextUpdate(update.now)
	return scale, update
}

// line brings a claim into the line, or out of it, and has it judged. A grant
// is a transaction of its own, so it waits until nothing else is to be written
// about the app.
func (d *draft) line(a ask) {
	switch {
	case a.want == nil && a.now == nil:
	case a.want == nil:
		d.tx.Delete(a.now)
	case a.now == nil || !slices.Equal(a.now.Demands, []model.Demand{*a.want}):
		d.tx.Put(&model.Claim{
			Holder: a.holder, Reason: a.reason, CellID: d.instances[a.want.Index].CellID,
			Demands: []model.Demand{*a.want}, Since: d.snap.Revision(), At: d.now,
		})
	case d.tx.Empty():
		if granted, _ := d.snap.Grant(a.holder, d.now); granted != nil {
			d.tx = granted
		}
	}
}
