package scheduler_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/scheduler"
)

// permit grants a disruption to a roll of the cell on which the instance is.
func (w *world) permit(appGUID string, index int, kind model.Kind, move bool) {
	ledger := *w.snap.Ledger(appGUID)
	ledger.Permits = append([]model.Permit(nil), ledger.Permits...)
	cell := w.snap.Instance(appGUID, index).CellID
	ledger.Permits = append(ledger.Permits, model.Permit{
		ID: "p", Index: index, Kind: kind, Move: move, Reason: model.ReasonRoll, Holder: model.RollHolder("plan", cell),
		CellID: cell, Step: model.StepGranted, Want: model.WantOut,
	})
	w.write(&ledger, &model.Cordon{CellID: cell, Holder: model.RollHolder("plan", cell)})
}

func fixedApp(g Gomega, cells, instances int) *world {
	w := newWorld(g, fleet(cells)...)
	w.write(volumeSet("data", model.ClassPersistent, instances))
	w.push(app("db", instances, "data"))
	w.settle()
	w.told()
	return w
}

func floatingApp(g Gomega, cells, instances int) *world {
	w := newWorld(g, fleet(cells)...)
	w.write(volumeSet("cache", model.ClassShared, instances))
	w.push(app("kv", instances, "cache"))
	w.settle()
	w.told()
	return w
}

func TestADrainedInstanceStartsElsewhereOnANewVolume(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 2)
	old, from := w.snap.VolumesOf("set-data")[0], w.where("app-db")[0]
	w.permit("app-db", 0, model.Drain, false)
	w.decide(9)
	g.Expect(w.snap.Instance("app-db", 0).CellID).To(Equal(from), "it has not yielded")
	w.settle()
	inst := w.snap.Instance("app-db", 0)
	g.Expect(inst.CellID).NotTo(Equal(from))
	g.Expect(inst.StartedAfter).To(Equal(model.AfterDrain))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	g.Expect(w.snap.Volume(old.GUID)).To(BeNil(), "the cell deleted the data, and then the record went")
	g.Expect(w.snap.VolumesOf("set-data")).To(HaveLen(2))
	g.Expect(w.snap.Volume(inst.Volumes[0]).CellID).To(Equal(inst.CellID))
	g.Expect(w.snap.Ledger("app-db").Permits).To(BeEmpty())
	g.Expect(w.told()).To(ContainElements("volume.placed", "volume.ending", "instance.moved", "volume.deleted"))
}

func TestADrainedInstanceKeepsItsVolumeWhileThereIsNoRoom(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 1, 1)
	w.permit("app-db", 0, model.Drain, false)
	w.settle()
	inst := w.snap.Instance("app-db", 0)
	g.Expect(inst.CellID).To(Equal("z1-1"))
	g.Expect(inst.Unplaced).To(Equal("1 cell in pool default: 1 is being left"))
	g.Expect(w.snap.Volume(inst.Volumes[0]).Ending).To(BeFalse())
}

func TestAnInterruptedFloatingInstanceMovesInsideItsAZ(t *testing.T) {
	g := NewWithT(t)
	w := floatingApp(g, 4, 2)
	from := w.where("app-kv")[0]
	epoch := w.snap.VolumesOf("set-cache")[0].Epoch
	w.permit("app-kv", 0, model.Interrupt, true)
	w.settle()
	inst, v := w.snap.Instance("app-kv", 0), w.snap.VolumesOf("set-cache")[0]
	g.Expect(inst.CellID).NotTo(Equal(from))
	g.Expect(w.snap.Cell(inst.CellID).AZ).To(Equal(w.snap.Cell(from).AZ))
	g.Expect(v.CellID).To(Equal(inst.CellID))
	g.Expect(v.Epoch).To(Equal(epoch + 1))
	g.Expect(v.Steal).To(BeFalse(), "its old cell detached it")
	g.Expect(inst.StartedAfter).To(Equal(model.AfterInterrupt))
	g.Expect(w.states("app-kv")).To(HaveEach(model.Serving))
}

func TestAnInterruptThatStaysIsLeftToItsHolder(t *testing.T) {
	g := NewWithT(t)
	w := floatingApp(g, 4, 2)
	before := w.where("app-kv")
	w.permit("app-kv", 0, model.Interrupt, false)
	w.settle()
	w.vanish(before[0]) // its host is being acted on
	w.settle()
	g.Expect(w.where("app-kv")).To(Equal(before))
}

func TestWhatFloatsLeavesACellWhoseLeaseRanOut(t *testing.T) {
	g := NewWithT(t)
	w := floatingApp(g, 4, 2)
	from := w.where("app-kv")[0]
	w.vanish(from)
	w.decide(9)
	inst, v := w.snap.Instance("app-kv", 0), w.snap.VolumesOf("set-cache")[0]
	g.Expect(inst.CellID).NotTo(Equal(from))
	g.Expect(inst.StartedAfter).To(Equal(model.AfterCrash))
	g.Expect(v.CellID).To(Equal(inst.CellID))
	g.Expect(v.Steal).To(BeTrue(), "its old cell may not have detached it")
	w.settle()
	g.Expect(w.snap.VolumesOf("set-cache")[0].Steal).To(BeFalse(), "it holds it now")
	g.Expect(w.states("app-kv")).To(HaveEach(model.Serving))
}

func TestAbsentCellsAreWaitedForAtFirst(t *testing.T) {
	g := NewWithT(t)
	w := floatingApp(g, 4, 2)
	w.vanish(w.where("app-kv")[0])
	settled := w.now.Add(time.Second)
	decision := scheduler.Decide(w.snap, w.now, scheduler.Rules{Settled: settled})
	g.Expect(decision.Txns).To(BeEmpty())
	g.Expect(decision.Due).To(Equal(settled))
	decision = scheduler.Decide(w.snap, settled, scheduler.Rules{Settled: settled})
	g.Expect(decision.Txns).NotTo(BeEmpty())
	g.Expect(decision.Due).To(BeZero())
}

func TestWhatIsOnAFixedVolumeWaitsForItsCell(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 2)
	before := w.where("app-db")
	w.vanish(before[0])
	w.settle()
	g.Expect(w.where("app-db")).To(Equal(before))
	g.Expect(w.told()).To(BeEmpty())
	w.register(before[0])
	w.settle()
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestALostCellsVolumesEndAndAreReplaced(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 4, 2)
	old, from := w.snap.Instance("app-db", 0).Volumes[0], w.where("app-db")[0]
	w.lose(from)
	w.settle()
	inst := w.snap.Instance("app-db", 0)
	g.Expect(inst.CellID).NotTo(Equal(from))
	g.Expect(inst.Volumes).NotTo(ContainElement(old))
	g.Expect(inst.StartedAfter).To(Equal(model.AfterCrash))
	g.Expect(w.snap.Volume(old)).To(BeNil())
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	g.Expect(w.told()).To(ContainElements("volume.lost", "volume.placed", "instance.placed", "volume.deleted"))
}

func TestAnEvacuatedCellsInstancesAreReplacedFirst(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.push(app("web", 2))
	w.settle()
	w.told()
	from := w.where("app-web")[0]
	w.write(&model.Cordon{CellID: from, Holder: "roll:p/" + from, Evacuate: true})
	w.decide(9)
	inst := w.snap.Instance("app-web", 0)
	g.Expect(inst.CellID).To(Equal(from))
	next := *inst.Next
	w.turn(next.CellID)
	w.decide(9)
	g.Expect(w.snap.Instance("app-web", 0).CellID).To(Equal(from), "the replacement only starts")
	w.settle()
	inst = w.snap.Instance("app-web", 0)
	g.Expect(inst.Placement).To(Equal(next))
	g.Expect(inst.Next).To(BeNil())
	g.Expect(w.cells[from].procs).To(BeEmpty())
	g.Expect(w.told()).To(Equal([]string{"instance.replacing", "instance.moved"}))
}

func TestAnEvacuationThatIsCalledOffIsUndone(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.push(app("web", 1))
	w.settle()
	before := w.snap.Instance("app-web", 0).Placement
	w.write(&model.Cordon{CellID: before.CellID, Holder: "roll", Evacuate: true})
	w.decide(9)
	g.Expect(w.snap.Instance("app-web", 0).Next).NotTo(BeNil())
	w.delete(&model.Cordon{CellID: before.CellID})
	w.settle()
	g.Expect(w.snap.Instance("app-web", 0).Next).To(BeNil())
	g.Expect(w.snap.Instance("app-web", 0).Placement).To(Equal(before))
}

func TestAReplacementWhoseCellGoesIsReplacedItself(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.push(app("web", 1))
	w.settle()
	from := w.where("app-web")[0]
	w.write(&model.Cordon{CellID: from, Holder: "roll", Evacuate: true})
	w.decide(9)
	gone := w.snap.Instance("app-web", 0).Next.CellID
	w.vanish(gone)
	w.settle()
	g.Expect(w.where("app-web")[0]).NotTo(Or(Equal(from), Equal(gone)))
	g.Expect(w.states("app-web")).To(HaveEach(model.Serving))
}
