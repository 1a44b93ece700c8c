package orchestrator

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// live lets the world's time be the clock's, and everything in it happen when
// it is due, until the clock has gone on by d.
func (w *world) live(d time.Duration) {
	end := time.Now().Add(d)
	for {
		w.now = time.Now()
		due := w.settle()
		if due.IsZero() || due.After(end) {
			due = end
		}
		if time.Sleep(time.Until(due)); !time.Now().Before(end) {
			w.now = time.Now()
			w.settle()
			return
		}
	}
}

func (w *world) count(what string) int { return strings.Count(w.events(), what) }

// flapping is three cells of which one is away for five seconds again and
// again, and there for five seconds in between.
func flapping(t *testing.T, times int) *world {
	w := newWorld()
	w.now, w.start = time.Now(), time.Now()
	w.addCells(3, 1)
	w.push("redis", 3, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}, HealthyFor: model.Duration(time.Second)})
	for range times {
		w.takeDown("c2")
		w.live(5 * time.Second)
		w.register(w.snap.Cell("c2"))
		w.live(5 * time.Second)
	}
	for _, violation := range w.violations {
		t.Error(violation)
	}
	return w
}

func TestFlappingIsOneAlertNotTwenty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		w := flapping(t, 20)
		g.Expect(w.count("STUCK")).To(Equal(1), w.events())
		g.Expect(w.count("unstuck")).To(BeZero(), w.events())
		alert := w.snap.StuckItem("cell.c2.cell-gone")
		g.Expect(alert.Flaps).To(Equal(19))
		g.Expect(alert.FlaggedAt).To(Equal(w.start), "it is the alert that was opened first")
		g.Expect(alert.Recovered()).To(BeTrue())

		// The more often it came back, the longer it is watched.
		w.live(keepOpenMost - 6*time.Second)
		g.Expect(w.snap.StuckItems()).NotTo(BeEmpty())
		w.live(2 * time.Second)
		g.Expect(w.snap.StuckItems()).To(BeEmpty())
		g.Expect(w.events()).To(ContainSubstring("unstuck cell.c2.cell-gone: it moves again, after it was stuck 20 times"))
	})
}

func TestWhatRecoversOnceClosesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		w := flapping(t, 1)
		g.Expect(w.snap.StuckItem("cell.c2.cell-gone").Recovered()).To(BeTrue())
		w.live(keepOpen - 5*time.Second)
		g.Expect(w.snap.StuckItems()).To(BeEmpty())
		g.Expect(w.events()).To(HaveSuffix("unstuck cell.c2.cell-gone: it moves again\n"))
	})
}

func TestAnAlertThatRecoveredHoldsNothingUp(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.addCells(2, 1)
	w.push("redis", 2, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	w.takeDown("c1")
	plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Action: model.Restart, Cells: model.Selector{IDs: []string{"c1"}}}, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	w.put(plan)
	w.settle()
	g.Expect(w.snap.Roll("plan", "c1").StuckID).To(Equal("cell.c1.cell-gone"))

	w.register(w.snap.Cell("c1"))
	w.settle()
	g.Expect(w.snap.StuckItem("cell.c1.cell-gone").Recovered()).To(BeTrue())
	g.Expect(w.snap.Roll("plan", "c1")).To(And(HaveField("StuckID", BeEmpty()), HaveField("Phase", model.Interrupting)))

	// Nor can it be answered any more.
	w.answer(w.snap.StuckItem("cell.c1.cell-gone"), model.Lost)
	w.settle()
	g.Expect(w.events()).To(ContainSubstring("refused cell.c1.cell-gone moves again, so there is nothing to answer"))
	g.Expect(w.snap.Cell("c1").Lost).To(BeFalse())
}

// After an outage of everything, the control plane is back before its cells.
func TestCellsHaveTimeToSoundOffAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		w := newWorld()
		w.now, w.start = time.Now(), time.Now()
		w.addCells(4, 1)
		w.push("redis", 4, 0, model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
		w.down = true
		for i := range 4 {
			w.takeDown(fmt.Sprint("c", i+1))
		}
		time.Sleep(time.Hour)

		w.down, w.began = false, time.Now()
		w.live(5 * time.Second)
		for i := range 3 {
			w.register(w.snap.Cell(fmt.Sprint("c", i+1)))
		}
		w.live(soundOff - 6*time.Second)
		g.Expect(w.snap.StuckItems()).To(BeEmpty(), w.events())
		w.live(2 * time.Second)
		g.Expect(w.snap.StuckItems()).To(ConsistOf(HaveField("ID", "cell.c4.cell-gone")), "and one did not")

		w.takeDown("c1")
		w.live(time.Second)
		g.Expect(w.snap.StuckItem("cell.c1.cell-gone")).NotTo(BeNil(), "who was heard of since is missed at once")
	})
}
