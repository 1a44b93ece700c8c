package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/model"
	"mooring/state"
)

// world is a fleet on paper: the orchestrator's own decide, and around it a
// tiny scheduler, tiny cells and tiny hosts, all synchronous and in virtual
// time. Every change goes through write, which checks the invariants.
type world struct {
	snap  *state.Snapshot
	start time.Time
	now   time.Time
	began time.Time // when the orchestrator that lives began to look
	// nodes are the machines of the control plane where their clocks differ, each
	// with its own sightings; leads is the one that orchestrates.
	nodes []*node
	leads int
	via   model.Via

	procs map[place]*proc
	hosts map[string]*hostOp // by roll ID
	// What is to go wrong.
	hang, fail map[string]bool          // handlers, by instance name
	cling      map[string]bool          // instances whose volumes do not detach, by name
	linger     map[string]bool          // processes that take for ever to end, by instance name
	deaf       map[string]bool          // agents that take no disruption up, by cell
	broken     map[string]bool          // processes that do not start, by instance name
	failHost   map[string]bool          // host actions, by cell
	takes      map[string]time.Duration // by actions on cells, where not actionTime
	stayAway   map[string]bool          // cells that do not come back from an action
	full       bool                     // the scheduler finds no place for anything
	slowHost   map[string]bool          // host actions that do not end, by cell

	boots      int
	violations []string
	log        []string       // events, as they were written
	down       bool           // the orchestrator is dead
	most       map[string]int // most instances of an app seen not to serve
	// unchecked: the invariants are not looked at, for benchmarks.
	unchecked bool
}

// node is a machine of the control plane.
type node struct {
	skew      time.Duration // of its clock
	sightings *state.Sightings
	began     time.Time // by its clock
}

// addNode adds a machine that has followed the state from now on.
func (w *world) addNode(skew time.Duration) {
	n := &node{skew: skew, sightings: state.NewSightings(), began: w.now.Add(skew)}
	w.nodes = append(w.nodes, n)
	n.sightings.Begin(n.began)
	for _, rec := range records(w.snap) {
		n.sightings.Note(rec, w.now.Add(skew))
	}
}

// records lists those that orchestration decides by.
func records(snap *state.Snapshot) []model.Record {
	var all []model.Record
	for _, cell := range snap.Cells() {
		all = append(all, cell)
	}
	for _, ledger := range snap.Ledgers() {
		all = append(all, ledger)
	}
	for _, plan := range snap.Plans() {
		all = append(all, plan)
		for _, roll := range snap.Rolls(plan.Name) {
			all = append(all, roll)
		}
	}
	for _, stuck := range snap.StuckItems() {
		all = append(all, stuck)
	}
	return all
}

// decide has the node that leads decide, by its clock, and returns when it is to
// decide again by the world's.
func (w *world) decide() (txns []*state.Txn, due time.Time) {
	if len(w.nodes) == 0 {
		return decide(w.snap, w.now, w.via, w.began)
	}
	n := w.nodes[w.leads]
	txns, due = decide(w.snap.SeenBy(n.sightings), w.now.Add(n.skew), w.via, n.began)
	if !due.IsZero() {
		due = due.Add(-n.skew)
	}
	return txns, due
}

// place is an index of an app on one cell.
type place struct {
	app   string
	index int
	cell  string
}

// How long things take in this world.
const (
	startTime   = 2 * time.Second
	handlerTime = 5 * time.Second
	hungAfter   = 15 * time.Second
	actionTime  = 30 * time.Second
	bootTime    = 10 * time.Second
)

func newWorld() *world {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return &world{
		snap: state.SnapshotOf(), start: start, now: start, via: model.Via{Command: "act"},
		procs: map[place]*proc{}, hosts: map[string]*hostOp{},
		hang: map[string]bool{}, fail: map[string]bool{}, broken: map[string]bool{},
		cling: map[string]bool{}, linger: map[string]bool{}, deaf: map[string]bool{},
		failHost: map[string]bool{}, takes: map[string]time.Duration{}, slowHost: map[string]bool{}, stayAway: map[string]bool{}, most: map[string]int{},
	}
}

// write applies a transaction and looks at what became of it.
func (w *world) write(tx *state.Txn) {
	before := w.snap
	w.snap = before.Apply(tx)
	puts, _ := tx.Changes()
	for _, n := range w.nodes {
		for _, rec := range puts {
			n.sightings.Note(rec, w.now.Add(n.skew))
		}
	}
	for _, event := range tx.Events() {
		if !event.Kind.Known() {
			w.violation("an event is of kind %q, which is none", event.Kind)
		}
		w.log = append(w.log, w.line(event))
	}
	if !w.unchecked {
		w.check(before)
	}
}

func (w *world) put(records ...model.Record) {
	tx := w.snap.Txn()
	for _, rec := range records {
		tx.Put(rec)
	}
	w.write(tx)
}

// line tells an event; steps on the way are left out.
func (w *world) line(event model.Event) string {
	switch event.Kind {
	case "permit.asked", "permit.running", "permit.away", "permit.back", "permit.soaking", "roll.granted":
		return ""
	}
	text := event.Text
	if word, special := map[model.EventKind]string{"stuck.opened": "STUCK ", "stuck.closed": "unstuck ", "stuck.recovered": "recovers ", "stuck.returned": "AGAIN ", "stuck.answered": "answer ", "stuck.carried-out": "answer ", "stuck.refused": "refused "}[event.Kind]; special {
		text = word + text
	}
	return fmt.Sprintf("%8s %s\n", w.now.Sub(w.start).Round(time.Millisecond), text)
}

// orchestrate lets the orchestrator decide and commit once; false when it has
// nothing to do. limit bounds how many of its transactions are committed
// before it "dies": 0 is all.
func (w *world) orchestrate(limit int) (acted bool, due time.Time) {
	if w.down {
		return false, time.Time{}
	}
	txns, due := w.decide()
	for i, tx := range txns {
		if limit > 0 && i == limit {
			break
		}
		w.write(tx)
	}
	return len(txns) > 0, due
}

// settle runs everything until nothing happens any more without time passing,
// and gives when time will make something happen.
func (w *world) settle() (due time.Time) {
	for round := 0; ; round++ {
		if round > 5000 {
			panic("the world does not come to rest:\n" + strings.Join(w.log[max(0, len(w.log)-40):], "\n"))
		}
		busy, next := w.orchestrate(0)
		due = next
		for _, part := range []func() (bool, time.Time){w.schedule, w.runHosts, w.runCells} {
			did, next := part()
			busy = busy || did
			due = sooner(due, next)
		}
		w.observe()
		if !busy {
			return due
		}
	}
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// run lets at most d of time pass, or stops earlier when nothing will ever
// happen again.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		due := w.settle()
		if due.IsZero() || due.After(end) {
			return
		}
		if due.After(w.now) {
			w.now = due
		} else {
			panic("time stands still at " + due.String())
		}
	}
}

// addCells makes cells c1..cn, spread over AZs and two domains.
func (w *world) addCells(n, azs int) {
	for i := range n {
		id := fmt.Sprintf("c%d", i+1)
		cell := &model.Cell{
			ID: id, AZ: fmt.Sprintf("z%d", i%azs+1), Pool: "default", Domain: i/azs + 1,
			Classes: []model.Class{
				{Name: model.ClassPersistent, Survives: model.Recreate},
				{Name: model.ClassEphemeral, Survives: model.Reboot},
				{Name: model.ClassShared, Floating: true, Survives: model.Retire},
			},
		}
		w.register(cell)
	}
}

// register makes a cell known under a new boot, and present.
func (w *world) register(known *model.Cell) {
	w.registerIn(known, fmt.Sprintf("boot-%d", w.boots+1))
}

// registerIn makes a cell known that has a new agent in a boot, and present.
func (w *world) registerIn(known *model.Cell, boot string) {
	w.boots++
	cell := *known
	cell.RegisteredAt = w.now
	cell.Boot, cell.Start = boot, fmt.Sprintf("start-%d", w.boots)
	tx := w.snap.Txn()
	tx.Put(&cell)
	tx.Put(&model.Presence{CellID: cell.ID, Boot: cell.Boot, Start: cell.Start})
	for _, actual := range w.snap.ActualInstancesOn(cell.ID) {
		tx.Delete(actual)
	}
	for _, volume := range w.snap.VolumesOn(cell.ID) {
		if !volume.Floating {
			tx.Put(&model.ActualVolume{GUID: volume.GUID, CellID: cell.ID, Class: volume.Class, State: model.VolumeReady})
		}
	}
	w.write(tx)
}

// push makes an app with one instance on each cell in turn, from offset on,
// each with a volume of the class ("" for none).
func (w *world) push(name string, instances, offset int, class string, policy model.Policy) {
	app := &model.App{GUID: name, Name: model.Name{Org: "o", Space: "s", Name: name}, Owner: "team-" + name, Instances: instances, SpecVersion: 1, Policy: policy}
	set := &model.VolumeSet{GUID: name + "-set", Name: model.Name{Org: "o", Space: "s", Name: name}, Class: class, AppGUID: app.GUID, Count: instances}
	records := []model.Record{app}
	cells := w.snap.Cells()
	found, hasVolume := cells[0].Class(class)
	if hasVolume {
		set.Floating, set.Survives = found.Floating, found.Survives
		records = append(records, set)
	}
	for i := range instances {
		cell := cells[(i+offset)%len(cells)]
		inst := &model.Instance{AppGUID: app.GUID, Index: i, SpecVersion: 1, StartedAfter: model.AfterNew,
			Placement: model.Placement{GUID: fmt.Sprintf("%s-%d-0", name, i), CellID: cell.ID}}
		if hasVolume {
			volume := &model.Volume{GUID: fmt.Sprintf("%s-vol-%d-0", name, i), SetGUID: set.GUID, Index: i, Class: class,
				AZ: cell.AZ, CellID: cell.ID, Floating: found.Floating, Mounted: true}
			inst.Volumes = []string{volume.GUID}
			records = append(records, volume)
			if !found.Floating {
				records = append(records, &model.ActualVolume{GUID: volume.GUID, CellID: cell.ID, Class: class, State: model.VolumeReady})
			}
		}
		records = append(records, inst)
		w.procs[place{app.GUID, i, cell.ID}] = &proc{state: model.Serving, since: w.now, guid: inst.GUID}
	}
	w.put(records...)
	if !w.unchecked {
		w.runCells()
	}
}

// name is how scenarios and faults call an instance.
func (p place) name() string { return fmt.Sprintf("%s/%d", p.app, p.index) }

// rollsText tells where every roll of every plan stands.
func (w *world) rollsText() string {
	var b strings.Builder
	for _, plan := range w.snap.Plans() {
		fmt.Fprintf(&b, "plan %s %s\n", plan.Name, plan.Status)
		rolls := w.snap.Rolls(plan.Name)
		slices.SortFunc(rolls, func(a, b *model.Roll) int { return a.Order - b.Order })
		for _, roll := range rolls {
			fmt.Fprintf(&b, "  %s %s", roll.CellID, roll.Phase)
			if roll.StuckID != "" {
				fmt.Fprintf(&b, " stuck=%s", roll.StuckID)
			}
			if w.snap.Cordon(roll.CellID) != nil {
				b.WriteString(" cordoned")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
