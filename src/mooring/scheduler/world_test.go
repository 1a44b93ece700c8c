package scheduler_test

import (
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/scheduler"
	"mooring/state"
)

// world is a fleet in memory: the state, what the scheduler makes of it, and
// cells that run what they are told and report it. Cells act on the work they
// fetched last, however old, and are known by what they reported last.
type world struct {
	g      Gomega
	snap   *state.Snapshot
	now    time.Time
	cells  map[string]*host
	order  []string
	shared map[string]bool                     // floating volumes that exist, by GUID
	check  func(before, after *state.Snapshot) // after every change of the state
	events []model.Event
}

// host is one cell: what runs on it is the truth, not what the state says.
type host struct {
	id      string
	work    []job
	volumes map[string]model.Volume // told to keep, by GUID
	procs   map[member]*proc
	made    map[string]bool // fixed volumes that exist here
	up      bool            // reaches the control plane
	dead    bool            // gone for good
}

type member struct {
	app   string
	index int
}

// job is one instance of a cell's work.
type job struct {
	member
	guid    string
	version int
	volumes []string
	fixed   bool
	run     bool
	permit  string // of the task
}

// proc is a process, or the memory of one that was stopped.
type proc struct {
	job
	state   model.InstanceState
	yielded string // permit
}

func newWorld(g Gomega, cells ...*model.Cell) *world {
	w := &world{g: g, snap: state.SnapshotOf(), now: time.Unix(1_800_000_000, 0), cells: map[string]*host{}, shared: map[string]bool{}, check: func(_, _ *state.Snapshot) {}}
	for _, c := range cells {
		w.cells[c.ID] = &host{id: c.ID, procs: map[member]*proc{}, made: map[string]bool{}, volumes: map[string]model.Volume{}}
		w.order = append(w.order, c.ID)
		w.write(c)
		w.register(c.ID)
	}
	return w
}

// cell gives a cell with room for about eight instances of a gigabyte.
func cell(id, az string) *model.Cell {
	return &model.Cell{
		ID: id, AZ: az, Memory: 8 * model.Gigabyte, PortMin: 10000, PortMax: 10099,
		Classes: []model.Class{
			{Name: model.ClassPersistent, Survives: model.Recreate, Capacity: 100 * model.Gigabyte},
			{Name: model.ClassEphemeral, Survives: model.Reboot, Capacity: 100 * model.Gigabyte},
			{Name: model.ClassShared, Floating: true, Survives: model.Retire, Capacity: 1000 * model.Gigabyte},
		},
	}
}

// fleet gives n cells over two AZs, in turn.
func fleet(n int) []*model.Cell {
	var cells []*model.Cell
	for i := range n {
		cells = append(cells, cell(fmt.Sprintf("z%d-%d", i%2+1, i/2+1), fmt.Sprintf("z%d", i%2+1)))
	}
	return cells
}

func name(n string) model.Name { return model.Name{Org: "acme", Space: "prod", Name: n} }

func volumeSet(n, class string, count int) *model.VolumeSet {
	return &model.VolumeSet{
		GUID: "set-" + n, Name: name(n), Class: class, Floating: class == model.ClassShared,
		Survives: model.Recreate, Count: count, Size: model.Gigabyte,
	}
}

// app gives an app that mounts the sets named.
func app(n string, instances int, sets ...string) *model.App {
	a := &model.App{
		GUID: "app-" + n, Name: name(n), Instances: instances, SpecVersion: 1,
		Spec:   model.RunSpec{Command: "run", Memory: model.Gigabyte},
		Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}, Drain: &model.Handler{Command: "drain"}},
	}
	for _, set := range sets {
		a.Spec.Mounts = append(a.Spec.Mounts, model.Mount{VolumeSet: set, Path: "/" + set})
	}
	return a
}

// apply changes the state by a transaction.
func (w *world) apply(tx *state.Txn) {
	before := w.snap
	w.snap = before.Apply(tx)
	for _, event := range tx.Events() {
		if !event.Kind.Known() {
			panic(fmt.Sprintf("an event is of kind %q, which is none", event.Kind))
		}
	}
	w.events = append(w.events, tx.Events()...)
	w.check(before, w.snap)
}

func (w *world) write(records ...model.Record) {
	tx := w.snap.Txn()
	for _, rec := range records {
		tx.Put(rec)
	}
	w.apply(tx)
}

func (w *world) delete(rec model.Record) {
	tx := w.snap.Txn()
	tx.Delete(rec)
	w.apply(tx)
}

// push brings an app, and makes the sets it mounts its own, as the API does.
func (w *world) push(a *model.App) {
	tx := w.snap.Txn()
	for _, mount := range a.Spec.Mounts {
		set := *w.snap.VolumeSetNamed(name(mount.VolumeSet))
		set.AppGUID, set.Count = a.GUID, a.Instances
		tx.Put(&set)
	}
	tx.Put(a)
	w.apply(tx)
}

// change edits an app, and scales its sets with it, as the API does.
func (w *world) change(guid string, edit func(*model.App)) {
	a := *w.snap.App(guid)
	edit(&a)
	tx := w.snap.Txn()
	for _, mount := range a.Spec.Mounts {
		set := *w.snap.VolumeSetNamed(name(mount.VolumeSet))
		set.Count = a.Instances
		tx.Put(&set)
	}
	tx.Put(&a)
	w.apply(tx)
}

// register brings a cell's agent into the state with nothing to report yet.
func (w *world) register(id string) {
	h := w.cells[id]
	h.up = true
	tx := w.snap.Txn()
	w.forget(tx, id)
	c := *w.snap.Cell(id)
	c.RegisteredAt = w.now
	tx.Put(&c)
	tx.Put(&model.Presence{CellID: id, Boot: "b", Start: "s"})
	w.apply(tx)
	h.fetch(w.snap)
}

func (w *world) forget(tx *state.Txn, id string) {
	for _, a := range w.snap.ActualInstancesOn(id) {
		tx.Delete(a)
	}
	for _, a := range w.snap.ActualVolumesOn(id) {
		tx.Delete(a)
	}
}

// vanish cuts a cell off for as long as its lease lasts. Its agent has stopped
// what may be started elsewhere before that.
func (w *world) vanish(id string) {
	h := w.cells[id]
	h.up = false
	for m, p := range h.procs {
		if !p.fixed {
			delete(h.procs, m)
		}
	}
	w.delete(&model.Presence{CellID: id})
}

// lose ends a cell for good, and a person says so.
func (w *world) lose(id string) {
	h := w.cells[id]
	if h.up {
		w.vanish(id)
	}
	h.dead, h.procs, h.made = true, map[member]*proc{}, map[string]bool{}
	c := *w.snap.Cell(id)
	c.Lost = true
	w.write(&c)
}

// decide lets the scheduler decide, and carries out the first n of its
// transactions; the others met a conflict.
func (w *world) decide(n int) (more bool) {
	decision := scheduler.Decide(w.snap, w.now, scheduler.Rules{})
	written := map[string]bool{}
	for _, tx := range decision.Txns {
		puts, deletes := tx.Changes()
		for _, rec := range puts {
			deletes = append(deletes, rec.Key())
		}
		for _, key := range deletes {
			w.g.Expect(written).NotTo(HaveKey(key), "two transactions of one decision write it")
			written[key] = true
		}
	}
	for _, tx := range decision.Txns[:min(n, len(decision.Txns))] {
		w.apply(tx)
	}
	return len(decision.Txns) > 0
}

// advance is the steward of permits.
func (w *world) advance() {
	for _, ledger := range w.snap.Ledgers() {
		next := &model.Ledger{AppGUID: ledger.AppGUID}
		for _, p := range ledger.Permits {
			var actuals []*model.ActualInstance
			for _, a := range w.snap.ActualInstancesOf(ledger.AppGUID) {
				if a.Index == p.Index {
					actuals = append(actuals, a)
				}
			}
			p.Step = lifecycle.Advance(p, w.snap.Instance(ledger.AppGUID, p.Index), actuals, w.snap.Present)
			if p.Step != model.StepReleased {
				next.Permits = append(next.Permits, p)
			}
		}
		if fmt.Sprint(next.Permits) != fmt.Sprint(ledger.Permits) {
			w.write(next)
		}
	}
}

// settle runs everything until nothing changes any more.
func (w *world) settle() {
	for range 400 {
		before := w.snap.Revision()
		for w.decide(1000) {
			w.g.Expect(w.snap.Revision()-before).To(BeNumerically("<", 3000), "the scheduler decides on and on")
		}
		for _, id := range w.order {
			w.turn(id)
		}
		w.advance()
		if w.snap.Revision() != before || !w.calm() {
			continue
		}
		due := scheduler.Decide(w.snap, w.now, scheduler.Rules{}).Due
		if due.IsZero() {
			return
		}
		w.now = due
	}
	w.g.Expect("does").To(Equal("does not"), "settle: %v", w.snap.Claims())
}

// turn lets a cell fetch, act and report once.
func (w *world) turn(id string) {
	h := w.cells[id]
	if h.up {
		h.fetch(w.snap)
	}
	w.act(h)
	if h.up {
		w.report(h)
	}
}

// calm reports that no process is on its way to another state.
func (w *world) calm() bool {
	for _, h := range w.cells {
		for _, p := range h.procs {
			if p.state == model.Starting || p.state == model.Soaking {
				return false
			}
		}
	}
	return true
}

// where gives the cells of an app's instances by index.
func (w *world) where(guid string) []string {
	var cells []string
	for _, inst := range w.snap.InstancesOf(guid) {
		cells = append(cells, inst.CellID)
	}
	return cells
}

// states gives what the desired cell says of each instance.
func (w *world) states(guid string) []model.InstanceState {
	var states []model.InstanceState
	for _, inst := range w.snap.InstancesOf(guid) {
		var s model.InstanceState
		if a := w.snap.ActualInstance(guid, inst.Index, inst.CellID); a != nil {
			s = a.State
		}
		states = append(states, s)
	}
	return states
}

// told lists the kinds of the events since the last call.
func (w *world) told() []string {
	var kinds []string
	for _, e := range w.events {
		kinds = append(kinds, string(e.Kind))
	}
	w.events = nil
	return slices.Compact(kinds)
}
