package orchestrator

import (
	"slices"
	"time"

	"mooring/model"
)

// proc is the truth about one process, or its handler, on one cell.
type proc struct {
	state   model.InstanceState
	since   time.Time
	guid    string
	task    *model.ActualDisruption
	started time.Time // of the handler
}

// runCells lets every cell's agent do the next thing for each instance it was
// given, and report it.
func (w *world) runCells() (busy bool, due time.Time) {
	for _, cell := range w.snap.Cells() {
		if w.snap.Presence(cell.ID) == nil {
			continue
		}
		did, next := w.runCell(cell.ID)
		busy, due = busy || did, sooner(due, next)
	}
	return busy, due
}

func (w *world) runCell(cell string) (busy bool, due time.Time) {
	tx := w.snap.Txn()
	given := map[place]bool{}
	for _, inst := range w.snap.InstancesOn(cell) {
		at := place{inst.AppGUID, inst.Index, cell}
		given[at] = true
		guid := inst.GUID
		if inst.CellID != cell {
			guid = inst.Next.GUID
		}
		p := w.procs[at]
		if p == nil || p.guid != guid {
			p = &proc{guid: guid, since: w.now}
			w.procs[at] = p
		}
		due = sooner(due, w.runInstance(at, p, inst))
		actual := &model.ActualInstance{AppGUID: at.app, Index: at.index, CellID: cell, GUID: guid, SpecVersion: inst.SpecVersion, State: p.state, Since: p.since}
		if p.task != nil {
			task := *p.task
			actual.Disruption = &task
		}
		if known := w.snap.ActualInstance(at.app, at.index, cell); p.state != "" && (known == nil || !same(known, actual)) {
			tx.Put(actual)
		}
	}
	for at := range w.procs {
		if at.cell == cell && !given[at] {
			delete(w.procs, at)
		}
	}
	for _, actual := range w.snap.ActualInstancesOn(cell) {
		if !given[place{actual.AppGUID, actual.Index, cell}] {
			tx.Delete(actual)
		}
	}
	if tx.Empty() {
		return false, due
	}
	w.write(tx)
	return true, due
}

func same(a, b *model.ActualInstance) bool {
	if a.State != b.State || a.GUID != b.GUID || a.SpecVersion != b.SpecVersion || (a.Disruption == nil) != (b.Disruption == nil) {
		return false
	}
	return a.Disruption == nil || a.Disruption.PermitID == b.Disruption.PermitID && a.Disruption.State == b.Disruption.State
}

// runInstance takes one instance one step, and gives when the next is due.
func (w *world) runInstance(at place, p *proc, inst *model.Instance) (due time.Time) {
	permit := w.snap.Ledger(at.app).Permit(at.index)
	leaves := permit != nil && permit.CellID == at.cell && inst.CellID == at.cell && permit.Want == model.WantOut
	switch {
	case leaves:
		return w.runTask(at, p, permit)
	case p.task != nil && p.task.State == model.TaskStopping && w.linger[at.name()]:
		p.become(model.Failing, w.now)
		return due
	case p.task != nil && p.task.State == model.TaskStopping:
		p.task = nil // it has stopped at last, or starts again where it was
		p.become(model.Stopped, w.now)
	case p.task != nil:
		p.task = nil // cancelled, or over
	}
	if inst.Removing {
		p.become(model.Stopped, w.now)
		return due
	}
	return w.runProcess(at, p)
}

func (w *world) runTask(at place, p *proc, permit *model.Permit) (due time.Time) {
	running := p.state != "" && p.state != model.Crashed && p.state != model.Stopped
	switch {
	case w.deaf[at.cell]:
		return due
	case p.task == nil || p.task.PermitID != permit.ID:
		p.task, p.started = &model.ActualDisruption{PermitID: permit.ID, State: model.TaskAsked, Progress: -1, StartedAt: w.now}, w.now
		return w.now.Add(time.Millisecond)
	case p.task.State == model.TaskYielded || p.task.State == model.TaskHung || p.task.State == model.TaskFailed:
		return due
	case permit.Force || !running:
		w.yield(p)
		return due
	case w.fail[at.name()]:
		p.task.State, p.task.Error = model.TaskFailed, "exit status 1"
		return due
	case w.hang[at.name()]:
		p.task.State = model.TaskRunning
		if judged := p.started.Add(hungAfter + permit.Extra.D()); w.now.Before(judged) {
			return judged
		}
		p.task.State, p.task.Progress, p.task.Message = model.TaskHung, 0.31, "5300 of 16384 slots moved"
		return due
	}
	p.task.State = model.TaskRunning
	if end := p.started.Add(handlerTime); w.now.Before(end) {
		return end
	}
	if w.cling[at.name()] || w.linger[at.name()] {
		if p.task.StoppingAt.IsZero() {
			p.task.StoppingAt, p.task.Grace = w.now, model.Duration(10*time.Second)
		}
		if p.task.State = model.TaskStopping; w.cling[at.name()] {
			p.task.Error = "detaching volume v1: the device is busy"
		}
		p.become(model.Failing, w.now)
		return due
	}
	w.yield(p)
	return due
}

func (w *world) yield(p *proc) {
	p.task.State = model.TaskYielded
	p.become(model.Stopped, w.now)
}

func (w *world) runProcess(at place, p *proc) (due time.Time) {
	if w.broken[at.name()] {
		p.become(model.Crashed, w.now)
		return due
	}
	switch p.state {
	case "", model.Stopped, model.Crashed:
		p.become(model.Starting, w.now)
		return w.now.Add(startTime)
	case model.Starting:
		if healthy := p.since.Add(startTime); w.now.Before(healthy) {
			return healthy
		}
		p.become(model.Soaking, w.now)
	}
	if p.state == model.Soaking {
		app := w.snap.App(at.app)
		if serving := p.since.Add(app.Policy.HealthyFor.D()); w.now.Before(serving) {
			return serving
		}
		p.become(model.Serving, w.now)
	}
	return due
}

func (p *proc) become(state model.InstanceState, now time.Time) {
	if p.state != state {
		p.state, p.since = state, now
	}
}

// hostOp is one host action under way.
type hostOp struct {
	plan, cell string
	action     model.Action
	began      time.Time
	ended      bool // the driver has returned
	back       bool
}

// runHosts acts on the hosts of rolls that are acting, as a driver would, and
// boots them again.
func (w *world) runHosts() (busy bool, due time.Time) {
	for _, plan := range w.snap.Plans() {
		for _, roll := range w.snap.Rolls(plan.Name) {
			wanted := roll.Phase == model.Acting && !roll.Acted && roll.Error == ""
			if wanted && w.hosts[roll.ID] == nil && !w.down && !plan.Via.Wait {
				w.beginHost(roll)
				busy = true
			}
		}
	}
	for _, id := range sortedKeys(w.hosts) {
		did, next := w.runHost(id, w.hosts[id])
		busy, due = busy || did, sooner(due, next)
	}
	return busy, due
}

func (w *world) beginHost(roll *model.Roll) {
	w.hosts[roll.ID] = &hostOp{plan: roll.Plan, cell: roll.CellID, action: roll.Action, began: w.now}
	w.takeDown(roll.CellID)
}

// takeDown ends everything that runs on a cell, its agent included.
func (w *world) takeDown(cell string) {
	for at := range w.procs {
		if at.cell == cell {
			delete(w.procs, at)
		}
	}
	if presence := w.snap.Presence(cell); presence != nil {
		tx := w.snap.Txn()
		tx.Delete(presence)
		w.write(tx)
	}
}

func (w *world) runHost(id string, op *hostOp) (busy bool, due time.Time) {
	took := actionTime
	if longer := w.takes[op.cell]; longer > 0 {
		took = longer
	}
	if end := op.began.Add(took); w.now.Before(end) {
		return false, end
	}
	if w.slowHost[op.cell] {
		return false, due
	}
	if !op.ended && !w.down {
		op.ended = true
		var result error
		if w.failHost[op.cell] {
			result = errHost
		}
		if tx := acted(w.snap, requestOf(id, op), result, w.now); tx != nil {
			w.write(tx)
			return true, due
		}
	}
	if op.back || w.stayAway[op.cell] || w.failHost[op.cell] || op.action == model.Retire {
		return false, due
	}
	if up := op.began.Add(took + bootTime); w.now.Before(up) {
		return false, up
	}
	op.back = true
	if cell := w.snap.Cell(op.cell); cell != nil && !cell.Lost {
		w.register(cell)
	}
	return true, due
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
