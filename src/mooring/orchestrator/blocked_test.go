package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/explain"
	"mooring/model"
)

// blockedWorld is a fleet of two cells, on the first of which an instance cannot
// start.
func blockedWorld(g Gomega) (*world, *model.ActualInstance) {
	w := newWorld()
	w.addCells(2, 1)
	w.push("redis", 2, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	actual := *w.snap.ActualInstance("redis", 0, "c1")
	actual.State, actual.Since, actual.Error = model.Blocked, w.now, "attaching volume v: cell c9 holds it"
	w.put(&actual)
	return w, &actual
}

func TestBlocked_InstanceIsToldWithItsOwnerAndWhatToDo(t *testing.T) {
	g := NewWithT(t)
	w, actual := blockedWorld(g)
	snap := lookedAt(w.snap, w.now.Add(blockedFor-time.Second))
	g.Expect(snap.StuckItems()).To(BeEmpty(), "it may be free in a moment")
	_, due := decide(w.snap, w.now, w.via, w.began)
	g.Expect(due).To(Equal(w.now.Add(blockedFor)))

	snap = lookedAt(w.snap, due)
	alert := snap.StuckItem("instance.o.s.redis.0.instance-blocked")
	g.Expect(alert).NotTo(BeNil())
	g.Expect(alert.Owner).To(Equal(model.CloudOps))
	g.Expect(alert.What).To(Equal("o/s/redis/0 cannot start on cell c1: " + actual.Error))
	g.Expect(alert.Since).To(Equal(actual.Since))
	why := explain.Cell(snap, "c1", due, explain.AllOutput)
	g.Expect(why.Moving).To(BeFalse(), "somebody has to do something")
	g.Expect(why.Chain[len(why.Chain)-1].Text).To(HavePrefix("cloud ops must see to it: "))

	serving := *actual
	serving.State, serving.Error = model.Serving, ""
	snap = lookedAt(snap.Apply(put(snap, &serving)), due)
	g.Expect(lookedAt(snap, due.Add(keepOpen)).StuckItems()).To(BeEmpty())
}

func TestBlocked_InstanceThatIsDisruptedIsNot(t *testing.T) {
	for _, want := range []model.Want{model.WantOut, model.WantBack} { // a roll that is stuck wants it back
		checkDisrupted(t, want)
	}
}

func TestBlocked_InstanceThatHasNotStoppedIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	w, actual := blockedWorld(g)
	w.put(actual)
	w.put(&model.Stuck{ID: "p.c1.instance-not-stopped", Kind: model.InstanceNotStopped, AppGUID: "redis", Index: 0, CellID: "c1"})
	snap := w.snap
	d := lookedAt(snap, w.now.Add(time.Hour))
	g.Expect(d.StuckItem("instance.o.s.redis.0.instance-blocked")).To(BeNil())
}

func checkDisrupted(t *testing.T, want model.Want) {
	g := NewWithT(t)
	w, actual := blockedWorld(g)
	w.put(&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{
		ID: "p", Index: 0, Kind: model.Interrupt, Reason: model.ReasonMove, Holder: "move:x", CellID: "c1", Want: want, Step: model.StepYielded,
		Times: map[model.Step]time.Time{model.StepGranted: w.now, model.StepYielded: w.now},
	}}})
	w.put(actual)
	snap := lookedAt(w.snap, w.now.Add(time.Hour))
	g.Expect(snap.StuckItem("instance.o.s.redis.0.instance-blocked")).To(BeNil())
}

func TestUnknown_VolumesAreNamedUntilTheyAreGone(t *testing.T) {
	g := NewWithT(t)
	w, _ := blockedWorld(g)
	unknown := &model.ActualVolume{GUID: "made-later", CellID: "c2", Class: model.ClassPersistent, State: model.VolumeReady, Unknown: true}
	w.put(unknown)
	snap := lookedAt(w.snap, w.now)
	alert := snap.StuckItem("cell.c2.volume-unknown")
	g.Expect(alert).To(And(HaveField("What", ContainSubstring("made-later")), HaveField("Owner", model.CloudOps)))
	why := explain.Cell(snap, "c2", w.now, explain.AllOutput)
	g.Expect(why.Moving).To(BeFalse())

	later := snap.Txn()
	later.Delete(unknown)
	snap = lookedAt(snap.Apply(later), w.now)
	snap = lookedAt(snap, w.now.Add(keepOpen))
	g.Expect(snap.StuckItem("cell.c2.volume-unknown")).To(BeNil())
}
