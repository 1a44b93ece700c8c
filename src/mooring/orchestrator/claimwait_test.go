package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// Not only rolls wait for what is down.
func TestAnUpdateThatWaitsForAnotherInstanceIsFlagged(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(2, 1)
	w.push("redis", 2, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}, ReturnWithin: model.Duration(time.Minute)})
	w.put(&model.Claim{Holder: model.UpdateHolder("redis"), Reason: model.ReasonUpdate, CellID: "c1", At: w.now, Since: 1,
		Demands: []model.Demand{{AppGUID: "redis", Kind: model.Interrupt}}})
	w.pass(time.Minute)
	g.Expect(w.snap.StuckItems()).To(BeEmpty(), "it is only a matter of the scheduler's turn")
	w.breaks("redis/1", true)
	down := w.now
	w.pass(59 * time.Second)
	g.Expect(w.snap.StuckItems()).To(BeEmpty(), "it has a minute to serve again")
	w.pass(time.Second)

	const id = "update.o.s.redis.0.waiting-for-budget"
	alert := w.snap.StuckItem(id)
	g.Expect(alert).NotTo(BeNil(), w.stuckText())
	g.Expect(alert.What).To(Equal("the update of o/s/redis/0 waits for o/s/redis/1, which is crashed and uses up the budget of its app"))
	g.Expect(alert.Owner).To(Equal("team-redis"))
	g.Expect(alert.Since).To(Equal(down))
	g.Expect(alert.CellID).To(Equal("c2"))

	answered := *alert
	answered.Answer = &model.Answer{Verb: model.Wait, For: model.Duration(time.Hour), Reason: "it loads", By: "ops"}
	w.put(&answered)
	w.pass(59 * time.Minute)
	g.Expect(w.snap.StuckItems()).To(BeEmpty())
	w.pass(2 * time.Minute)
	g.Expect(w.snap.StuckItem(id)).NotTo(BeNil(), "and it is told again")

	w.breaks("redis/1", false)
	w.pass(time.Minute)
	g.Expect(w.snap.StuckItem(id)).To(Or(BeNil(), WithTransform((*model.Stuck).Recovered, BeTrue())))
	g.Expect(w.snap.Claims()[0].DownSince).To(BeZero())
}

// breaks has an instance crash, and stay down until it is mended.
func (w *world) breaks(name string, broken bool) {
	w.broken[name] = broken
	for at, p := range w.procs {
		if at.name() == name && broken {
			p.become(model.Crashed, w.now)
		}
	}
	w.settle()
}

// pass lets time pass, whether or not anything happens in it.
func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	w.run(d)
	w.now = end
	w.settle()
}
