package orchestrator

import (
	"errors"
	"fmt"
	"slices"

	"mooring/host"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

var errHost = errors.New("the host does not answer")

func requestOf(id string, op *hostOp) host.Request {
	return host.Request{Roll: id, Plan: op.plan, Cell: op.cell, Action: op.action}
}

func (w *world) violation(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf("%s: ", w.now.Sub(w.start))+fmt.Sprintf(format, args...))
}

// check holds the invariants against one change of the state.
func (w *world) check(before *state.Snapshot) {
	w.checkGrants(before)
	w.checkActing(before)
	w.checkCordons()
	w.checkClaims()
}

// checkGrants is invariant 1, by books of its own: at the moment of a grant
// no app exceeds its policy, failures counted.
func (w *world) checkGrants(before *state.Snapshot) {
	for _, app := range w.snap.Apps() {
		ledger, old := w.snap.Ledger(app.GUID), before.Ledger(app.GUID)
		costs := false
		away := map[model.Kind]map[int]bool{model.Interrupt: {}, model.Drain: {}, "": {}}
		for index := range app.Instances {
			permit := ledger.Permit(index)
			serves := w.serves(before, app.GUID, index)
			for kind := range away {
				if permit != nil && (permit.Kind == kind || kind == "") || permit == nil && !serves {
					away[kind][index] = true
				}
			}
			if had := old.Permit(index); permit != nil && (had == nil || had.ID != permit.ID) && serves {
				costs = true
			}
		}
		if !costs {
			continue
		}
		limits := lifecycle.LimitsOf(&app.Policy, app.Instances)
		for kind, limit := range map[model.Kind]int{model.Interrupt: limits.Interrupted, model.Drain: limits.Draining, "": limits.Disrupted} {
			asked := kind == "" || slices.ContainsFunc(ledger.Permits, func(p model.Permit) bool {
				return p.Kind == kind && (old.Permit(p.Index) == nil || old.Permit(p.Index).ID != p.ID)
			})
			if asked && len(away[kind]) > limit {
				w.violation("invariant 1: %s has %d away (%v), %q allows %d", app.GUID, len(away[kind]), away[kind], kind, limit)
			}
		}
	}
}

// serves looks at the process itself and at what is known of its cell.
func (w *world) serves(snap *state.Snapshot, app string, index int) bool {
	inst := snap.Instance(app, index)
	if inst == nil || !snap.Present(inst.CellID) {
		return false
	}
	actual := snap.ActualInstance(app, index, inst.CellID)
	return actual != nil && actual.State == model.Serving && actual.GUID == inst.GUID
}

// checkActing is invariant 2: no host action begins over a running process,
// unless a person said so by name.
func (w *world) checkActing(before *state.Snapshot) {
	for _, plan := range w.snap.Plans() {
		for _, roll := range w.snap.Rolls(plan.Name) {
			old := before.Roll(plan.Name, roll.CellID)
			if roll.Phase != model.Acting || old != nil && old.ID == roll.ID || roll.Force {
				continue
			}
			if old != nil && (old.Phase == model.Acting || old.Phase == model.Returning) {
				continue // again, as a person asked
			}
			for at, p := range w.procs {
				if at.cell == roll.CellID && p.state != model.Stopped && p.state != "" && p.state != model.Crashed {
					w.violation("invariant 2: cell %s is acted on while %s is %s", roll.CellID, at.name(), p.state)
				}
			}
		}
	}
}

// checkCordons: nothing is cordoned but by a roll that is under way.
func (w *world) checkCordons() {
	for _, cordon := range w.snap.Cordons() {
		owned := false
		for _, plan := range w.snap.Plans() {
			roll := w.snap.Roll(plan.Name, cordon.CellID)
			if roll == nil || roll.Holder() != cordon.Holder {
				continue
			}
			under := !roll.Phase.Final() && roll.Phase != model.Queued && (roll.StuckID == "" || !roll.Phase.BeforeHost())
			owned = owned || under
		}
		if !owned {
			w.violation("cell %s is left cordoned by %s", cordon.CellID, cordon.Holder)
		}
	}
}

// checkClaims: nobody stands in line but a roll that is on its way to its host,
// or, aside, one that waits for something stuck.
func (w *world) checkClaims() {
	for _, plan := range w.snap.Plans() {
		for _, roll := range w.snap.Rolls(plan.Name) {
			claim := w.snap.Claim(roll.Holder())
			if claim == nil {
				continue
			}
			waits := roll.Phase == model.Queued || roll.StuckID != ""
			if !roll.Phase.BeforeHost() || roll.Phase == model.Quiesced || waits && !claim.Aside {
				w.violation("%s is in line (aside %t) though it is %s", claim.Holder, claim.Aside, roll.Phase)
			}
		}
	}
}

// checkDataMoved is invariant 3: a fixed volume ends only after its drain
// yielded, or its cell was declared lost.
func (w *world) checkDataMoved(inst *model.Instance, volume *model.Volume) {
	cell := w.snap.Cell(inst.CellID)
	permit := w.snap.Ledger(inst.AppGUID).Permit(inst.Index)
	if cell == nil || cell.Lost || permit != nil && permit.Kind == model.Drain && stopped(permit) {
		return
	}
	w.violation("invariant 3: volume %s of %s/%d ended on %s without a drain", volume.GUID, inst.AppGUID, inst.Index, inst.CellID)
}

// observe watches from outside how many instances of each app do not serve.
func (w *world) observe() {
	for _, app := range w.snap.Apps() {
		away := 0
		for index := range app.Instances {
			if !w.serves(w.snap, app.GUID, index) {
				away++
			}
		}
		w.most[app.GUID] = max(w.most[app.GUID], away)
	}
}

// checkRest is invariant 5, where nothing happens any more: every roll has
// ended, or an open alert names what it waits for.
func (w *world) checkRest() {
	if w.down {
		return
	}
	covered := map[string]bool{}
	for _, alert := range w.snap.StuckItems() {
		covered[alert.CellID] = true
		for _, cell := range alert.Blocks {
			covered[cell] = true
		}
	}
	for _, plan := range w.snap.Plans() {
		if plan.Status == model.PlanPaused {
			continue
		}
		for _, roll := range w.snap.Rolls(plan.Name) {
			if !roll.Phase.Final() && !covered[roll.CellID] {
				w.violation("invariant 5: the roll of %s is %s, and nothing says why", roll.CellID, roll.Phase)
			}
		}
		for _, roll := range w.snap.Rolls(plan.Name) {
			if roll.StuckID != "" && w.snap.StuckItem(roll.StuckID) == nil {
				w.violation("the roll of %s names the alert %s, which is not open", roll.CellID, roll.StuckID)
			}
		}
	}
}
