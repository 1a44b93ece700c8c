package scheduler_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// The walk-through: fixed volumes spread over AZs, then cells, their instances
// beside them; then floating ones, one to an AZ, on cells that run nothing.
func TestTheWalkThrough(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(8)...)
	w.write(volumeSet("redis-data", model.ClassPersistent, 6))
	w.settle()
	byAZ, byCell, byDomain := map[string]int{}, map[string]int{}, map[[2]any]int{}
	for _, v := range w.snap.Volumes() {
		byAZ[v.AZ]++
		byCell[v.CellID]++
		byDomain[[2]any{v.AZ, w.snap.Cell(v.CellID).Domain}]++
	}
	g.Expect(byAZ).To(Equal(map[string]int{"z1": 3, "z2": 3}))
	g.Expect(byCell).To(HaveLen(6), "no two on a cell")
	g.Expect(byDomain).To(HaveLen(6), "nor in an update domain")

	w.push(app("redis", 6, "redis-data"))
	w.settle()
	for i, inst := range w.snap.InstancesOf("app-redis") {
		g.Expect(inst.CellID).To(Equal(w.snap.VolumesOf("set-redis-data")[i].CellID))
		g.Expect(w.states("app-redis")[i]).To(Equal(model.Serving))
	}

	w.write(volumeSet("broker-data", model.ClassShared, 2))
	w.push(app("broker", 2, "broker-data"))
	w.settle()
	volumes := w.snap.VolumesOf("set-broker-data")
	g.Expect([]string{volumes[0].AZ, volumes[1].AZ}).To(ConsistOf("z1", "z2"))
	for i, cell := range w.where("app-broker") {
		g.Expect(byCell).NotTo(HaveKey(cell), "it runs nothing else")
		g.Expect(volumes[i].CellID).To(Equal(cell))
		g.Expect(w.states("app-broker")[i]).To(Equal(model.Serving))
	}
}

func TestNewCellsGetADomainThatIsKept(t *testing.T) {
	g := NewWithT(t)
	given := cell("z1-9", "z1")
	given.Domain = 7
	w := newWorld(g, append(fleet(4), given)...)
	w.settle()
	domains := map[string]int{}
	for _, c := range w.snap.Cells() {
		domains[c.ID] = c.Domain
	}
	g.Expect(domains).To(Equal(map[string]int{"z1-1": 1, "z1-2": 2, "z1-9": 7, "z2-1": 1, "z2-2": 2}))
}

func TestWhatFitsNowhereSaysWhyAndTellsOnce(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(2)...)
	w.write(&model.Cordon{CellID: "z2-1", Holder: "roll:p/z2-1"})
	w.settle()
	w.told()
	big := app("big", 1)
	big.Spec.Memory = 9 * model.Gigabyte
	w.push(big)
	w.settle()
	why := "2 cells in pool default: 1 lacks 9G of memory, 1 is cordoned"
	g.Expect(w.snap.Instance("app-big", 0).Unplaced).To(Equal(why))
	g.Expect(w.told()).To(Equal([]string{"instance.unplaced"}))
	w.write(volumeSet("data", model.ClassPersistent, 0)) // something else happens
	w.settle()
	g.Expect(w.told()).To(BeEmpty())

	w.write(cell("z3-1", "z3"))
	roomy := *w.snap.Cell("z3-1")
	roomy.Memory = 10 * model.Gigabyte
	w.write(&roomy, &model.Presence{CellID: "z3-1"})
	w.decide(9)
	g.Expect(w.snap.Instance("app-big", 0).Unplaced).To(BeEmpty())
	g.Expect(w.where("app-big")).To(Equal([]string{"z3-1"}))
}

func TestAnUnplacedFixedVolumeSaysWhyAndIsPlacedWhenItFits(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(1)...)
	set := volumeSet("data", model.ClassPersistent, 2)
	set.ReserveMemory = 5 * model.Gigabyte
	w.write(set)
	w.push(app("db", 2, "data"))
	w.settle()
	why := "1 cell in pool default: 1 lacks 5G of memory"
	g.Expect(w.snap.VolumesOf("set-data")[1].Unplaced).To(Equal(why))
	g.Expect(w.snap.Instance("app-db", 1).Unplaced).To(Equal(why))
	w.cells["z2-1"] = &host{id: "z2-1", procs: map[member]*proc{}, made: map[string]bool{}}
	w.order = append(w.order, "z2-1")
	w.write(cell("z2-1", "z2"))
	w.register("z2-1")
	w.settle()
	g.Expect(w.where("app-db")).To(Equal([]string{"z1-1", "z2-1"}))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestPortsAreTheInstancesOwnAndStay(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, cell("z1-1", "z1"))
	two := app("two", 4)
	two.Spec.Ports = []string{"client", "bus"}
	w.push(two)
	w.push(app("one", 4))
	w.settle()
	seen := map[int]bool{}
	before := map[string][]int{}
	for _, inst := range w.snap.Instances() {
		before[inst.Key()] = inst.Ports
		for _, port := range inst.Ports {
			g.Expect(seen).NotTo(HaveKey(port))
			seen[port] = true
		}
	}
	g.Expect(seen).To(HaveLen(12))
	w.change("app-two", func(a *model.App) { a.Spec.Command, a.SpecVersion = "newer", 2 })
	w.settle()
	for _, inst := range w.snap.InstancesOf("app-two") {
		g.Expect(inst.SpecVersion).To(Equal(2))
		g.Expect(inst.Ports).To(Equal(before[inst.Key()]))
	}
}

func TestACellsPortsAreUsedUpToTheLast(t *testing.T) {
	g := NewWithT(t)
	narrow := cell("z1-1", "z1")
	narrow.PortMin, narrow.PortMax = 10000, 10004
	w := newWorld(g, narrow)
	for i := range 6 { // one a round, so that each finds the ports of those before it taken
		w.push(app("web", i+1))
		w.settle()
	}
	seen := map[int]bool{}
	for _, inst := range w.snap.InstancesOf("app-web") {
		for _, port := range inst.Ports {
			seen[port] = true
		}
	}
	g.Expect(seen).To(HaveLen(5))
	g.Expect(w.snap.Instance("app-web", 5).Unplaced).To(Equal("cell z1-1 has fewer than 1 free ports"))
}

func TestAnUpdateRollsOneByOneUnderThePolicy(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.write(volumeSet("data", model.ClassPersistent, 3))
	w.push(app("db", 3, "data"))
	w.settle()
	w.told()
	cells := w.where("app-db")
	w.check = func(_, _ *state.Snapshot) {
		down := 0
		for _, s := range w.states("app-db") {
			if s != model.Serving {
				down++
			}
		}
		g.Expect(down).To(BeNumerically("<=", 1))
	}
	w.change("app-db", func(a *model.App) { a.Spec.Command, a.SpecVersion = "newer", 2 })
	w.settle()
	for _, inst := range w.snap.InstancesOf("app-db") {
		g.Expect(inst.SpecVersion).To(Equal(2))
		g.Expect(inst.Spec.Command).To(Equal("newer"))
	}
	g.Expect(w.where("app-db")).To(Equal(cells))
	g.Expect(w.snap.Ledger("app-db").Permits).To(BeEmpty())
	g.Expect(w.snap.Claims()).To(BeEmpty())
	g.Expect(w.told()).To(Equal([]string{"permit.granted", "instance.updated", "permit.granted", "instance.updated", "permit.granted", "instance.updated"}))
}

func TestAVersionThatDoesNotFitIsNotTried(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(2)...)
	w.write(volumeSet("data", model.ClassPersistent, 2))
	w.push(app("db", 2, "data"))
	w.settle()
	w.change("app-db", func(a *model.App) { a.Spec.Memory, a.SpecVersion = 20*model.Gigabyte, 2 })
	w.settle()
	g.Expect(w.states("app-db")).To(Equal([]model.InstanceState{model.Serving, model.Serving}))
	g.Expect(w.snap.Claims()).To(BeEmpty())
	g.Expect(w.snap.Instance("app-db", 0).Unplaced).To(Equal("version 2 does not fit: cell z1-1 lacks 19G of memory"))
}

func TestABrokenVersionIsMendedByTheNext(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(2)...)
	w.push(app("web", 2))
	w.settle()
	w.change("app-web", func(a *model.App) { a.Spec.Command, a.SpecVersion = "broken", 2 })
	for range 8 { // until the first has been updated
		w.decide(9)
		for _, id := range w.order {
			w.turn(id)
		}
		w.advance()
		if w.snap.Instance("app-web", 0).SpecVersion == 2 {
			break
		}
	}
	first := w.snap.Instance("app-web", 0)
	p := w.cells[first.CellID].procs[member{"app-web", 0}]
	p.state, p.version = model.Crashed, 2
	w.report(w.cells[first.CellID])
	w.decide(9)
	g.Expect(w.snap.Instance("app-web", 1).SpecVersion).To(Equal(1), "the first is not back")
	w.change("app-web", func(a *model.App) { a.Spec.Command, a.SpecVersion = "mended", 3 })
	w.settle()
	g.Expect(w.states("app-web")).To(Equal([]model.InstanceState{model.Serving, model.Serving}))
	g.Expect(w.snap.Instance("app-web", 0).SpecVersion).To(Equal(3))
	g.Expect(w.snap.Instance("app-web", 1).SpecVersion).To(Equal(3))
}
