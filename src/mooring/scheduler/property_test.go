package scheduler_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// Whatever is pushed, scaled, updated, rolled, cut off and lost, in whatever
// order and with whatever delay cells hear of it: the invariants hold at every
// step, and when it is over everything that is desired serves.
func TestInvariantsHoldAndTheFleetConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &story{world: newWorld(NewWithT(t), fleet(rapid.IntRange(4, 8).Draw(t, "cells"))...), t: t, rolled: map[string]bool{}}
		s.check = s.invariants
		s.write(volumeSet("data", model.ClassPersistent, 2), volumeSet("cache", model.ClassShared, 2))
		s.push(app("db", rapid.IntRange(1, 4).Draw(t, "db"), "data"))
		s.push(app("kv", rapid.IntRange(1, 3).Draw(t, "kv"), "cache"))
		s.push(app("web", rapid.IntRange(1, 3).Draw(t, "web")))
		if rapid.Bool().Draw(t, "settled first") {
			s.settle()
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			s.step()
		}
		s.calmDown()
		s.settle()
		s.served()
	})
}

// story is a world to which things happen.
type story struct {
	*world
	t      *rapid.T
	rolled map[string]bool // cells being rolled
	lost   int
}

func (s *story) step() {
	apps := s.snap.Apps()
	guid := "app-" + rapid.SampledFrom([]string{"db", "kv", "web"}).Draw(s.t, "app")
	id := rapid.SampledFrom(s.order).Draw(s.t, "cell")
	h := s.cells[id]
	switch action := rapid.SampledFrom([]string{
		"decide", "decide", "decide", "fetch", "fetch", "act", "act", "act", "report", "report", "advance", "advance",
		"everything", "later", "scale", "update", "crash", "vanish", "return", "lose", "roll", "unroll", "delete",
	}).Draw(s.t, "action"); action {
	case "decide":
		s.decide(rapid.IntRange(0, 3).Draw(s.t, "committed"))
	case "fetch":
		if h.up {
			h.fetch(s.snap)
		}
	case "act":
		s.act(h)
	case "report":
		if h.up {
			s.report(h)
		}
	case "advance":
		s.advance()
	case "everything":
		for s.decide(9) {
		}
		for _, id := range s.order {
			s.turn(id)
		}
		s.advance()
	case "later":
		for range 2 {
			for _, id := range s.order {
				if s.cells[id].up {
					s.turn(id)
				}
			}
		}
		s.now = s.now.Add(time.Second * 3)
	case "scale":
		if s.snap.App(guid) != nil {
			n := rapid.IntRange(0, 4).Draw(s.t, "instances")
			s.change(guid, func(a *model.App) { a.Instances = n })
		}
	case "update":
		if s.snap.App(guid) != nil {
			s.change(guid, func(a *model.App) { a.SpecVersion++; a.Spec.Command = fmt.Sprint("v", a.SpecVersion) })
		}
	case "crash":
		for _, m := range sortedMembers(h) {
			if p := h.procs[m]; p.state == model.Serving {
				p.state = model.Crashed
				break
			}
		}
	case "vanish":
		if h.up {
			s.vanish(id)
		}
	case "return":
		if !h.up && !h.dead {
			s.register(id)
		}
	case "lose":
		if s.lost == 0 && !h.dead {
			s.lost++
			s.lose(id)
		}
	case "roll":
		s.roll(id)
	case "unroll":
		s.unroll(id)
	case "delete":
		if s.snap.App(guid) != nil && len(apps) > 2 {
			s.change(guid, func(a *model.App) { a.Deleting = true })
		}
	}
}

// roll cordons a cell and claims what taking it away for good means for what
// is on it; again, it has the claim judged.
func (s *story) roll(id string) {
	holder := model.RollHolder("plan", id)
	if s.snap.Claim(holder) != nil {
		if tx, verdict := s.snap.Grant(holder, s.now); verdict.Granted {
			s.apply(tx)
		}
		return
	}
	claim := &model.Claim{Holder: holder, Reason: model.ReasonRoll, Action: model.Retire, CellID: id, Since: s.snap.Revision()}
	for _, inst := range s.snap.InstancesOn(id) {
		a := s.snap.App(inst.AppGUID)
		if inst.CellID != id || a == nil || inst.Removing || s.snap.Ledger(inst.AppGUID).Permit(inst.Index) != nil {
			continue
		}
		var classes []model.Class
		for _, guid := range inst.Volumes {
			v := s.snap.Volume(guid)
			classes = append(classes, model.Class{Name: v.Class, Floating: v.Floating, Survives: model.Recreate})
		}
		if means := lifecycle.Means(model.Retire, classes, &a.Policy); !means.Replace && len(claim.Demands) == 0 {
			claim.Demands = append(claim.Demands, model.Demand{AppGUID: a.GUID, Index: inst.Index, Kind: means.Kind, Move: means.Move})
		}
	}
	s.rolled[id] = true
	s.write(&model.Cordon{CellID: id, Holder: holder, Evacuate: true})
	if len(claim.Demands) > 0 {
		s.write(claim)
	}
}

// unroll calls a roll off: what has not stopped goes on, what has comes back.
func (s *story) unroll(id string) {
	delete(s.rolled, id)
	holder := model.RollHolder("plan", id)
	if s.snap.Claim(holder) != nil {
		s.delete(s.snap.Claim(holder))
	}
	if s.snap.Cordon(id) != nil {
		s.delete(&model.Cordon{CellID: id})
	}
	for _, ledger := range s.snap.Ledgers() {
		next := &model.Ledger{AppGUID: ledger.AppGUID}
		changed := false
		for _, p := range ledger.Permits {
			if p.Holder == holder && p.Want == model.WantOut {
				p.Want, changed = model.WantBack, true
			}
			next.Permits = append(next.Permits, p)
		}
		if changed {
			s.write(next)
		}
	}
}

// calmDown ends all trouble.
func (s *story) calmDown() {
	for _, id := range s.order {
		if h := s.cells[id]; !h.up && !h.dead {
			s.register(id)
		}
		s.unroll(id)
	}
}

// served checks that what is desired is so, and nothing else.
func (s *story) served() {
	g := s.g
	for _, a := range s.snap.Apps() {
		g.Expect(a.Deleting).To(BeFalse(), "%s is still there", a.GUID)
		instances := s.snap.InstancesOf(a.GUID)
		g.Expect(instances).To(HaveLen(a.Instances))
		g.Expect(s.states(a.GUID)).To(Or(BeEmpty(), HaveEach(model.Serving)))
		for _, inst := range instances {
			g.Expect(inst.SpecVersion).To(Equal(a.SpecVersion))
			g.Expect(inst.Unplaced).To(BeEmpty())
			g.Expect(inst.Next).To(BeNil())
		}
		g.Expect(s.snap.Ledger(a.GUID).Permits).To(BeEmpty())
	}
	g.Expect(s.snap.Claims()).To(BeEmpty())
	for _, set := range s.snap.VolumeSets() {
		g.Expect(len(s.snap.VolumesOf(set.GUID))).To(BeNumerically(">=", set.Count), "volumes of %s", set.GUID)
	}
	for id, h := range s.cells {
		for guid := range h.made {
			g.Expect(s.snap.Volume(guid)).NotTo(BeNil(), "data left behind on %s", id)
		}
	}
	for guid := range s.shared {
		g.Expect(s.snap.Volume(guid)).NotTo(BeNil(), "data left behind on shared storage")
	}
}

// invariants checks a change of the state.
func (s *story) invariants(before, after *state.Snapshot) {
	s.budgets(before, after)
	s.data(before, after)
	s.placements(before, after)
	for id, h := range s.cells {
		for m, p := range h.procs {
			for other, o := range s.cells {
				if q := o.procs[m]; other != id && q != nil && runs(p) && runs(q) {
					s.g.Expect(p.volumes).To(BeEmpty(), "%v runs on %s and on %s", m, id, other)
				}
			}
		}
	}
}

func runs(p *proc) bool { return p.state != model.Stopped && p.state != model.Crashed }

// budgets: at the moment of each grant no app exceeds its policy.
func (s *story) budgets(before, after *state.Snapshot) {
	for _, ledger := range after.Ledgers() {
		a := after.App(ledger.AppGUID)
		if a == nil {
			continue
		}
		old := before.Ledger(ledger.AppGUID)
		crew := before.Crew(ledger.AppGUID)
		for _, p := range ledger.Permits {
			if q := old.Permit(p.Index); q != nil && q.ID == p.ID {
				continue
			}
			m := crew.Member(p.Index)
			if m == nil || m.Crashed {
				continue // costs the service nothing
			}
			spent := map[int]bool{p.Index: true}
			for _, m := range crew.Members {
				if m.Standing == lifecycle.Disrupted || m.Standing == lifecycle.Down && !m.Surplus {
					spent[m.Index] = true
				}
			}
			s.g.Expect(len(spent)).To(BeNumerically("<=", a.Policy.Disrupted(max(a.Instances, 1))), "granted to %s with %v of %s disrupted or down", p.Holder, spent, a.GUID)
		}
	}
}

// data: a fixed volume that was mounted never changes cell, and ends only when
// its drain has yielded, nobody wants its index, or its cell is lost.
func (s *story) data(before, after *state.Snapshot) {
	for _, v := range before.Volumes() {
		now := after.Volume(v.GUID)
		if v.Floating || !v.Mounted {
			continue
		}
		if now == nil {
			s.g.Expect(v.Ending).To(BeTrue(), "the record of %s went before its data", v.GUID)
			continue
		}
		s.g.Expect(now.CellID).To(Equal(v.CellID))
		if now.Ending == v.Ending {
			continue
		}
		s.g.Expect(now.Ending).To(BeTrue(), "an end is an end")
		c := before.Cell(v.CellID)
		set := before.VolumeSet(v.SetGUID)
		permit := before.Ledger(set.AppGUID).Permit(v.Index)
		drained := permit != nil && permit.Kind == model.Drain && permit.CellID == v.CellID && permit.Want == model.WantOut &&
			slices.Index(model.Steps, permit.Step) >= slices.Index(model.Steps, model.StepYielded)
		s.g.Expect(c.Lost || drained).To(BeTrue(), "volume %s/%d ends on %s under %v", v.SetGUID, v.Index, v.CellID, permit)
	}
}

// placements: nothing is placed on a cell that takes no work, no port is given
// twice, and no cell is given more memory than it has.
func (s *story) placements(before, after *state.Snapshot) {
	for _, c := range after.Cells() {
		ports := map[int]string{}
		memory := model.Size(0)
		for _, inst := range after.InstancesOn(c.ID) {
			memory += inst.Spec.Memory
			places := []model.Placement{inst.Placement}
			if inst.Next != nil {
				places = append(places, *inst.Next)
			}
			old := before.Instance(inst.AppGUID, inst.Index)
			for _, p := range places {
				if p.CellID != c.ID {
					continue
				}
				for _, port := range p.Ports {
					s.g.Expect(ports).NotTo(HaveKey(port), "port %d on %s", port, c.ID)
					ports[port] = inst.Key()
				}
				stayed := old != nil && (old.CellID == c.ID || old.Next != nil && old.Next.CellID == c.ID)
				if !stayed {
					open := before.Present(c.ID) && before.Cordon(c.ID) == nil
					s.g.Expect(open).To(BeTrue(), "%s is placed on %s", inst.Key(), c.ID)
				}
			}
		}
		s.g.Expect(memory).To(BeNumerically("<=", c.Memory), "memory of %s", c.ID)
	}
}

func sortedMembers(h *host) []member {
	var list []member
	for m := range h.procs {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b member) int {
		return slices.Compare([]string{a.app, fmt.Sprint(a.index)}, []string{b.app, fmt.Sprint(b.index)})
	})
	return list
}
