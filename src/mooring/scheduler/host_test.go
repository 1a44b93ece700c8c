package scheduler_test

import (
	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// fetch takes the cell's work from the state, as the API would give it.
func (h *host) fetch(snap *state.Snapshot) {
	h.work, h.volumes = nil, map[string]model.Volume{}
	for _, inst := range snap.InstancesOn(h.id) {
		place := inst.Placement
		if inst.CellID != h.id {
			place = *inst.Next
		}
		permit := snap.Ledger(inst.AppGUID).Permit(inst.Index)
		out := permit != nil && permit.CellID == h.id && permit.Want == model.WantOut
		a := snap.App(inst.AppGUID)
		j := job{
			member: member{inst.AppGUID, inst.Index}, guid: place.GUID, version: inst.SpecVersion, volumes: inst.Volumes,
			run: a != nil && !a.Deleting && !inst.Removing && !out,
		}
		for _, guid := range inst.Volumes {
			v := snap.Volume(guid)
			j.fixed = j.fixed || v != nil && !v.Floating
		}
		if out {
			j.permit = permit.ID
		}
		h.work = append(h.work, j)
	}
	for _, v := range snap.VolumesOn(h.id) {
		h.volumes[v.GUID] = *v
	}
}

// act brings the cell one step towards its work. A cell that is cut off goes
// on with what is on fixed volumes.
func (w *world) act(h *host) {
	if h.dead {
		return
	}
	for guid, v := range h.volumes {
		made := h.made
		if v.Floating {
			if made = w.shared; !h.up {
				continue
			}
		}
		if made[guid] = true; v.Ending {
			delete(made, guid)
		}
	}
	wanted := map[member]job{}
	for _, j := range h.work {
		if h.up || j.fixed {
			wanted[j.member] = j
		}
	}
	for m, p := range h.procs {
		j, still := wanted[m]
		if !still || j.guid != p.guid {
			delete(h.procs, m)
			continue
		}
		if j.permit != "" && p.yielded != j.permit {
			p.state, p.yielded = model.Stopped, j.permit
			continue
		}
		if !j.run {
			p.state = model.Stopped
			continue
		}
		switch p.state {
		case model.Starting:
			p.state = model.Soaking
		case model.Soaking:
			p.state = model.Serving
		case model.Stopped, model.Crashed:
			w.start(h, j)
		case model.Serving:
			w.g.Expect(p.version).To(Equal(j.version), "the version of a running process may only change under a permit")
		}
	}
	for m, j := range wanted {
		if h.procs[m] == nil {
			if j.run {
				w.start(h, j)
			} else {
				h.procs[m] = &proc{job: j, state: model.Stopped, yielded: j.permit}
			}
		}
	}
}

// start starts a process, if no other holds one of its volumes.
func (w *world) start(h *host, j job) {
	for id, other := range w.cells {
		p := other.procs[j.member]
		if id == h.id || p == nil || p.state == model.Stopped || p.state == model.Crashed {
			continue
		}
		w.g.Expect(j.volumes).To(BeEmpty(), "%v would run on %s and on %s", j.member, id, h.id)
	}
	for _, guid := range j.volumes {
		v, told := h.volumes[guid]
		w.g.Expect(told).To(BeTrue(), "%v is to start on %s without its volume %s", j.member, h.id, guid)
		w.g.Expect(v.Ending).To(BeFalse(), "%v is to start on a volume that ends", j.member)
	}
	h.procs[j.member] = &proc{job: j, state: model.Starting}
}

// report brings what is so on the cell into the state.
func (w *world) report(h *host) {
	tx := w.snap.Txn()
	w.forget(tx, h.id)
	for m, p := range h.procs {
		a := &model.ActualInstance{AppGUID: m.app, Index: m.index, CellID: h.id, GUID: p.guid, SpecVersion: p.version, State: p.state}
		if p.yielded != "" {
			a.Disruption = &model.ActualDisruption{PermitID: p.yielded, State: model.TaskYielded}
		}
		tx.Put(a)
	}
	for guid, v := range h.volumes {
		if !h.made[guid] && !w.shared[guid] {
			continue
		}
		s := model.VolumeReady
		for _, p := range h.procs {
			for _, held := range p.volumes {
				if held == guid && p.state != model.Stopped {
					s = model.VolumeAttached
				}
			}
		}
		tx.Put(&model.ActualVolume{GUID: guid, CellID: h.id, State: s, Epoch: v.Epoch})
	}
	if w.changes(tx) {
		w.apply(tx)
	}
}

// changes reports whether a report says anything new.
func (w *world) changes(tx *state.Txn) bool {
	puts, deletes := tx.Changes()
	if len(deletes) > 0 {
		return true
	}
	for _, rec := range puts {
		switch rec := rec.(type) {
		case *model.ActualInstance:
			old := w.snap.ActualInstance(rec.AppGUID, rec.Index, rec.CellID)
			if same, _ := Equal(old).Match(rec); old == nil || !same {
				return true
			}
		case *model.ActualVolume:
			old := w.snap.ActualVolumesOf(rec.GUID)
			if same, _ := ContainElement(rec).Match(old); !same {
				return true
			}
		}
	}
	return false
}
