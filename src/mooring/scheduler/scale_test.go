package scheduler_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestScalingDownDrainsTheHighestIndexFirst(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 4)
	w.change("app-db", func(a *model.App) { a.Instances = 2 })
	w.decide(9)
	claim := w.snap.Claim(model.ScaleHolder("app-db"))
	g.Expect(claim.Demands).To(Equal([]model.Demand{{AppGUID: "app-db", Index: 3, Kind: model.Drain}}))
	w.settle()
	g.Expect(w.snap.InstancesOf("app-db")).To(HaveLen(2))
	g.Expect(w.snap.VolumesOf("set-data")).To(HaveLen(2))
	g.Expect(w.snap.Ledger("app-db").Permits).To(BeEmpty())
	g.Expect(w.snap.Claims()).To(BeEmpty())
	var removed []int
	for _, e := range w.events {
		if e.Kind == "instance.removed" {
			removed = append(removed, *e.Index)
		}
	}
	g.Expect(removed).To(Equal([]int{3, 2}))
}

func TestScalingUpAgainCallsOffWhatHasNotStopped(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 3)
	data := w.snap.Instance("app-db", 2).Volumes
	w.change("app-db", func(a *model.App) { a.Instances = 2 })
	w.decide(9)
	w.decide(9)
	g.Expect(w.snap.Ledger("app-db").Permits).To(HaveLen(1))
	w.change("app-db", func(a *model.App) { a.Instances = 3 })
	w.settle()
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	g.Expect(w.snap.Instance("app-db", 2).Volumes).To(Equal(data))
	g.Expect(w.snap.Ledger("app-db").Permits).To(BeEmpty())
}

func TestScalingUpAgainBringsBackWhatHasStopped(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 3)
	data := w.snap.Instance("app-db", 2).Volumes
	w.change("app-db", func(a *model.App) { a.Instances = 2 })
	w.decide(9)
	w.decide(9)
	w.turn(w.where("app-db")[2])
	w.advance()
	g.Expect(w.snap.Ledger("app-db").Permits[0].Step).To(Equal(model.StepYielded))
	w.change("app-db", func(a *model.App) { a.Instances = 3 })
	w.settle()
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	g.Expect(w.snap.Instance("app-db", 2).Volumes).To(Equal(data))
}

func TestRemovingTheLastCopyOfDataIsHeldForAPerson(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 3)
	h := w.cells[w.where("app-db")[2]]
	h.procs[member{"app-db", 2}].state = model.Crashed
	w.report(h)
	w.change("app-db", func(a *model.App) { a.Instances = 2 })
	w.decide(9)
	w.decide(9)
	g.Expect(w.snap.Instance("app-db", 2).Unplaced).To(ContainSubstring("acme/prod/db/2 cannot be drained"))
	g.Expect(w.told()).To(ContainElement("instance.held"))
	g.Expect(w.snap.Ledger("app-db").Permits).To(BeEmpty())
	w.settle() // it is started again, and then drained
	g.Expect(w.snap.InstancesOf("app-db")).To(HaveLen(2))
}

func TestAHandlerThatDoesNotDoItsWorkGivesTheBudgetBackAndIsAskedAgain(t *testing.T) {
	for _, trouble := range []model.DisruptionState{model.TaskHung, model.TaskOverdue, model.TaskFailed} {
		t.Run(string(trouble), func(t *testing.T) {
			g := NewWithT(t)
			w := fixedApp(g, 4, 3)
			w.change("app-db", func(a *model.App) { a.Instances = 2 })
			w.decide(9)
			w.decide(9)
			permit := w.snap.Ledger("app-db").Permits[0]
			actual := *w.snap.ActualInstance("app-db", 2, permit.CellID)
			actual.Disruption = &model.ActualDisruption{PermitID: permit.ID, State: trouble}
			w.write(&actual)
			w.decide(9)
			g.Expect(w.snap.Ledger("app-db").Permits[0].Want).To(Equal(model.WantBack))
			g.Expect(w.told()).To(ContainElement("instance.kept"))
			w.settle()
			g.Expect(w.snap.InstancesOf("app-db")).To(HaveLen(2))
		})
	}
}

func TestScalingUpGivesNewIndexesEmptyVolumes(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 6, 2)
	w.change("app-db", func(a *model.App) { a.Instances = 6 })
	w.settle()
	cells := map[string]bool{}
	for _, c := range w.where("app-db") {
		cells[c] = true
	}
	g.Expect(cells).To(HaveLen(6))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestADeletedAppLeavesItsVolumesToTheNext(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 2)
	var data []string
	for _, inst := range w.snap.InstancesOf("app-db") {
		data = append(data, inst.Volumes...)
	}
	w.change("app-db", func(a *model.App) { a.Deleting = true })
	w.decide(9)
	g.Expect(w.snap.App("app-db")).NotTo(BeNil(), "its processes still run")
	w.settle()
	g.Expect(w.snap.App("app-db")).To(BeNil())
	g.Expect(w.snap.Instances()).To(BeEmpty())
	g.Expect(w.snap.VolumeSet("set-data").AppGUID).To(BeEmpty())

	heir := app("heir", 2, "data")
	w.push(heir)
	w.settle()
	var inherited []string
	for _, inst := range w.snap.InstancesOf("app-heir") {
		inherited = append(inherited, inst.Volumes...)
	}
	g.Expect(inherited).To(Equal(data))
	g.Expect(w.states("app-heir")).To(HaveEach(model.Serving))
}

func TestADeletedVolumeSetGoesWithItsData(t *testing.T) {
	for _, class := range []string{model.ClassPersistent, model.ClassShared} {
		t.Run(class, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld(g, fleet(4)...)
			w.write(volumeSet("data", class, 3))
			w.push(app("db", 3, "data"))
			w.settle()
			w.change("app-db", func(a *model.App) { a.Deleting = true })
			w.settle()
			set := *w.snap.VolumeSet("set-data")
			set.Deleting = true
			w.write(&set)
			w.settle()
			g.Expect(w.snap.Volumes()).To(BeEmpty())
			g.Expect(w.snap.VolumeSets()).To(BeEmpty())
			g.Expect(w.shared).To(BeEmpty())
			for _, h := range w.cells {
				g.Expect(h.made).To(BeEmpty(), "data on %s", h.id)
			}
		})
	}
}

func TestAnUnmountedSetFollowsItsCount(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.write(volumeSet("data", model.ClassPersistent, 4))
	w.settle()
	set := *w.snap.VolumeSet("set-data")
	set.Count = 2
	w.write(&set)
	w.settle()
	g.Expect(w.snap.Volumes()).To(HaveLen(2))
	gone := w.snap.Volumes()[0].CellID
	w.lose(gone)
	w.settle()
	g.Expect(w.snap.Volumes()).To(HaveLen(2))
	for _, v := range w.snap.Volumes() {
		g.Expect(v.CellID).NotTo(Equal(gone))
	}
}

func TestAnAppOnTwoSetsHasBothVolumesOnOneCell(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(6)...)
	// Placed before anybody knew that the two go together.
	w.write(volumeSet("data", model.ClassPersistent, 2), volumeSet("log", model.ClassEphemeral, 2))
	for i, cells := range [][2]string{{"z1-1", "z2-1"}, {"z1-2", "z2-2"}} {
		w.write(
			&model.Volume{GUID: fmt.Sprint("data", i), SetGUID: "set-data", Index: i, Class: model.ClassPersistent, AZ: "z1", CellID: cells[0]},
			&model.Volume{GUID: fmt.Sprint("log", i), SetGUID: "set-log", Index: i, Class: model.ClassEphemeral, AZ: "z2", CellID: cells[1]},
		)
	}
	w.settle()
	w.push(app("db", 2, "data", "log"))
	w.settle()
	g.Expect(w.where("app-db")).To(Equal([]string{"z1-1", "z1-2"}))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	for _, inst := range w.snap.InstancesOf("app-db") {
		g.Expect(inst.Volumes).To(HaveLen(2))
		for _, guid := range inst.Volumes {
			g.Expect(w.snap.Volume(guid).CellID).To(Equal(inst.CellID))
		}
	}
	g.Expect(w.snap.VolumesOf("set-log")).To(HaveLen(2))
	for _, id := range []string{"z2-1", "z2-2"} {
		g.Expect(w.cells[id].made).To(BeEmpty(), "what was in the wrong place is gone")
	}
}

func TestVolumesWithDataOnDifferentCellsAreNotGivenUp(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.write(volumeSet("data", model.ClassPersistent, 1), volumeSet("log", model.ClassEphemeral, 1))
	w.write(
		&model.Volume{GUID: "data0", SetGUID: "set-data", Class: model.ClassPersistent, AZ: "z1", CellID: "z1-1", Mounted: true},
		&model.Volume{GUID: "log0", SetGUID: "set-log", Class: model.ClassEphemeral, AZ: "z2", CellID: "z2-1", Mounted: true},
	)
	w.push(app("db", 1, "data", "log"))
	w.settle()
	g.Expect(w.snap.Instance("app-db", 0).Unplaced).To(Equal("its volumes are on different cells: z1-1 and z2-1"))
	g.Expect(w.snap.Volume("log0").Ending).To(BeFalse())
}

func TestASecondAppDoesNotGetTheVolumesOfTheFirst(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 2)
	w.write(app("thief", 2, "data"))
	w.settle()
	g.Expect(w.snap.Instance("app-thief", 0).Unplaced).To(Equal("volume set acme/prod/data is not this application's"))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestAFixedAndAFloatingVolumeMeetInOneAZ(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.write(volumeSet("data", model.ClassPersistent, 3), volumeSet("backup", model.ClassShared, 3))
	w.push(app("db", 3, "data", "backup"))
	w.settle()
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	for _, inst := range w.snap.InstancesOf("app-db") {
		w.permit("app-db", inst.Index, model.Drain, false)
		az := w.snap.Cell(inst.CellID).AZ
		w.settle()
		moved := w.snap.Instance("app-db", inst.Index)
		g.Expect(moved.CellID).NotTo(Equal(inst.CellID))
		g.Expect(w.snap.Cell(moved.CellID).AZ).To(Equal(az), "the floating volume holds it in its AZ")
		g.Expect(moved.Volumes[1]).To(Equal(inst.Volumes[1]))
		w.delete(&model.Cordon{CellID: inst.CellID})
	}
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestAnAppWaitsForASetThatIsNotThere(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(2)...)
	lonely := app("db", 1)
	lonely.Spec.Mounts = []model.Mount{{VolumeSet: "data", Path: "/data"}}
	w.write(lonely)
	w.settle()
	g.Expect(w.snap.Instance("app-db", 0).Unplaced).To(Equal("volume set acme/prod/data does not exist"))
}

func TestWhatGaveWayForAPlaceIsSaidForAsLongAsItIsThere(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(2)...) // an AZ each
	w.write(volumeSet("data", model.ClassPersistent, 3))
	w.push(app("db", 3, "data"))
	w.settle()
	const shares = "it shares its cell with another of its set: no other cell can take it"
	said := map[string]int{}
	for _, inst := range w.snap.InstancesOf("app-db") {
		said[inst.GaveWay]++
		g.Expect(w.snap.Volume(inst.Volumes[0]).GaveWay).To(Equal(inst.GaveWay))
	}
	g.Expect(said).To(Equal(map[string]int{"": 2, shares: 1}))
	var told []string
	for _, e := range w.events {
		if strings.Contains(e.Text, shares) {
			told = append(told, string(e.Kind))
		}
	}
	g.Expect(told).To(ConsistOf("volume.placed", "instance.placed"))
}
