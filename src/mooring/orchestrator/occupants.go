package orchestrator

import (
	"maps"
	"slices"

	"mooring/lifecycle"
	"mooring/model"
)

// occupant is one instance on a cell that is to be rolled.
type occupant struct {
	inst *model.Instance
	app  *model.App // nil when it is gone and the instance with it, soon
	// means is what the roll means for it: by its volumes, by the room there
	// is elsewhere and, once it has a permit, by that.
	means lifecycle.Meaning
	// permit is the roll's, nil when it has none that wants it out.
	permit *model.Permit
	// leaving: it goes for good without the roll.
	leaving bool
	// out: its process is known to have stopped here and stays so.
	out bool
	// noRoom: it has to leave, and no cell could take it now. nowhere: nor
	// could one once all other rolls are over.
	noRoom, nowhere bool
	// stopsHere: it was to leave, has nowhere to go, and a person has it stop with
	// its cell.
	stopsHere bool
}

// occupants lists what stands on a cell, or is about to, with what the action
// means for it.
func (d *decision) occupants(roll *model.Roll) []*occupant {
	var found []*occupant
	placed := map[string]bool{}
	for _, inst := range d.snap.InstancesOn(roll.CellID) {
		placed[inst.Key()] = true
		found = append(found, d.occupant(roll, inst))
	}
	settle(roll, found)
	if !d.snap.Present(roll.CellID) {
		return found // what was heard of it last says nothing now
	}
	for _, actual := range d.snap.ActualInstancesOn(roll.CellID) {
		key := model.InstanceKey(actual.AppGUID, actual.Index)
		if !placed[key] && processRuns(actual) {
			// It is placed elsewhere by now, and its old process is about to stop.
			inst := &model.Instance{AppGUID: actual.AppGUID, Index: actual.Index, Placement: model.Placement{CellID: roll.CellID}}
			found = append(found, &occupant{inst: inst, app: d.snap.App(actual.AppGUID), leaving: true})
		}
	}
	return found
}

// processRuns reports whether a cell's report is of a process that runs.
func processRuns(actual *model.ActualInstance) bool {
	switch actual.State {
	case model.Stopped, model.Crashed, model.Blocked:
		return false
	}
	return true
}

// queuedOn is occupants for a roll in the queue as the snapshot has it, which
// is asked for often: room that this look itself takes is not considered.
func (d *decision) queuedOn(roll *model.Roll) []*occupant {
	found, known := d.queued[roll]
	if !known {
		found = d.occupants(roll)
		d.queued[roll] = found
	}
	return found
}

func (d *decision) occupant(roll *model.Roll, inst *model.Instance) *occupant {
	o := &occupant{inst: inst, app: d.snap.App(inst.AppGUID)}
	if inst.CellID != roll.CellID { // a replacement on its way here
		o.means = lifecycle.Meaning{Kind: model.Interrupt, Replace: true}
		return o
	}
	actual := d.snap.ActualInstance(inst.AppGUID, inst.Index, roll.CellID)
	if o.leaving = inst.Removing || o.app == nil || o.app.Deleting; o.leaving {
		o.means = lifecycle.Meaning{Kind: model.Interrupt}
		o.out = actual == nil || !processRuns(actual)
		return o
	}
	permit := d.snap.Ledger(inst.AppGUID).Permit(inst.Index)
	if permit != nil && permit.Holder == roll.Holder() && permit.Want == model.WantOut && permit.CellID == roll.CellID {
		o.permit = permit
		o.out = stopped(permit)
		o.means = lifecycle.Meaning{Kind: permit.Kind, Move: permit.Move}
	} else {
		o.means = d.meaning(roll.Action, inst, &o.app.Policy)
	}
	if o.means.Kind == model.Drain || o.means.Move || o.means.Replace {
		now, ever := d.roomFor(o)
		o.noRoom, o.nowhere = !now, !ever
	}
	return o
}

// settle makes the best of there being no room elsewhere, where that is
// allowed: floating volumes wait for their cell to return, if it will and they
// may all be down with it; what a person forces stays where it is and takes
// what comes.
func settle(roll *model.Roll, occupants []*occupant) {
	for _, of := range byAppOf(occupants) {
		left := pick(of, func(o *occupant) bool { return o.means.Move && o.noRoom })
		stay := roll.Action != model.Retire
		if len(left) > 1 {
			limit := limitOn(left[0].app, model.Interrupt)
			stay = stay && (limit == 0 || len(left) <= limit) // at 0 it is the policy that forbids
		}
		for _, o := range of {
			o.settleFor(roll, stay)
		}
	}
}

// settleFor settles one occupant; stay says that what floats may stay.
func (o *occupant) settleFor(roll *model.Roll, stay bool) {
	forced := roll.Forces(o.inst.AppGUID, o.inst.Index) && o.nowhere
	switch {
	case o.means.Move && o.noRoom && (forced || stay):
		o.means.Move = false
	case o.means.Replace && forced:
		o.means.Replace = false
	case o.means.Kind == model.Drain && forced && o.out:
		o.means.Kind = model.Interrupt
	case o.means.Kind == model.Drain && forced: // it stops as if it were drained
		o.stopsHere = true
	default:
		return
	}
	o.noRoom, o.nowhere = false, false
}

// meaning is lifecycle's, but for this: on a cell that will not return nothing
// that floats can wait for it, whatever its policy prefers.
func (d *decision) meaning(action model.Action, inst *model.Instance, policy *model.Policy) lifecycle.Meaning {
	classes := d.classes(inst)
	means := lifecycle.Means(action, classes, policy)
	fixed := slices.ContainsFunc(classes, func(c model.Class) bool { return !c.Floating })
	if action == model.Retire && means.Kind == model.Interrupt && !means.Replace && !fixed {
		means.Move = true
	}
	return means
}

// classes gives the classes of an instance's volumes.
func (d *decision) classes(inst *model.Instance) []model.Class {
	var classes []model.Class
	for _, guid := range inst.Volumes {
		volume := d.snap.Volume(guid)
		if volume == nil {
			continue
		}
		class := model.Class{Name: volume.Class, Floating: volume.Floating}
		if set := d.snap.VolumeSet(volume.SetGUID); set != nil {
			class.Survives = set.Survives
		}
		classes = append(classes, class)
	}
	return classes
}

// returns reports whether a cell is away because its host is being acted on,
// and is expected back.
func (d *decision) returns(cellID string) bool {
	roll := d.snap.RollOn(cellID)
	return roll != nil && !roll.Phase.BeforeHost() && roll.Action != model.Retire && roll.StuckID == ""
}

// roomFor reports whether any other cell could take the occupant: present or
// about to return, not leaving for good, in its pool, able to have its volumes
// and, for now, open to new work. How much room it has is the scheduler's to
// find out.
func (d *decision) roomFor(o *occupant) (now, ever bool) {
	for _, cell := range d.snap.Cells() {
		returns := d.returns(cell.ID)
		if cell.ID == o.inst.CellID || !d.snap.Present(cell.ID) && !returns {
			continue
		}
		if d.leaving[cell.ID] != "" || !d.suits(cell, o) {
			continue
		}
		ever = true
		if !returns && d.snap.Cordon(cell.ID) == nil && d.cordoning[cell.ID] == nil {
			return true, true
		}
	}
	return false, ever
}

// strands reports whether a roll, by closing its cell to new work, would leave
// nowhere to go for something that has to leave another cell. Two rolls that
// did that to each other would wait for each other.
func (d *decision) strands(roll *model.Roll) bool {
	closed := slices.Collect(maps.Values(d.cordoning))
	for _, cordon := range d.snap.Cordons() {
		if other := d.snap.RollOn(cordon.CellID); other != nil && other.Phase.BeforeHost() {
			closed = append(closed, other)
		}
	}
	var leaving []*occupant
	for _, other := range closed {
		for _, o := range d.occupants(other) {
			if !o.leaving && !o.noRoom && (o.means.Kind == model.Drain || o.means.Move || o.means.Replace) {
				leaving = append(leaving, o)
			}
		}
	}
	d.cordoning[roll.CellID] = roll
	defer delete(d.cordoning, roll.CellID)
	return slices.ContainsFunc(leaving, func(o *occupant) bool {
		now, _ := d.roomFor(o)
		return !now
	})
}

// suits reports whether a cell is of the kind that the occupant needs.
func (d *decision) suits(cell *model.Cell, o *occupant) bool {
	return model.Pooled(cell.Pool) == model.Pooled(o.inst.Spec.Pool) && d.canHave(cell, o)
}

// othersLeave reports whether other cells could take the occupant if they did
// not leave for good themselves.
func (d *decision) othersLeave(o *occupant) bool {
	return slices.ContainsFunc(d.snap.Cells(), func(cell *model.Cell) bool {
		return cell.ID != o.inst.CellID && d.leaving[cell.ID] != "" && d.snap.Present(cell.ID) && d.suits(cell, o)
	})
}

func (d *decision) canHave(cell *model.Cell, o *occupant) bool {
	for _, guid := range o.inst.Volumes {
		volume := d.snap.Volume(guid)
		if volume == nil {
			continue
		}
		if _, has := cell.Class(volume.Class); !has || volume.Floating && volume.AZ != cell.AZ {
			return false
		}
	}
	return true
}

// phaseFor gives the earliest phase in which something on the cell still has
// to happen; Quiesced when nothing has.
func phaseFor(occupants []*occupant) model.Phase {
	phase := model.Quiesced
	for _, o := range occupants {
		switch {
		case o.leaving:
			if !o.out && phase == model.Quiesced {
				phase = model.Interrupting
			}
		case o.means.Kind == model.Drain:
			return model.Draining
		case o.means.Move || o.means.Replace:
			phase = model.Moving
		case !o.out && phase == model.Quiesced:
			phase = model.Interrupting
		}
	}
	return phase
}

// stranded returns the first occupant that has to leave while no cell could ever
// take it; nil when there is none.
func stranded(occupants []*occupant) *occupant {
	if at := slices.IndexFunc(occupants, func(o *occupant) bool { return o.nowhere }); at >= 0 {
		return occupants[at]
	}
	return nil
}

// name gives the occupant's name for people.
func (o *occupant) name() string {
	if o.app == nil {
		return o.inst.AppGUID
	}
	return model.InstanceName(o.app.Name, o.inst.Index)
}
