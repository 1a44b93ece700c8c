package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

func TestWaitingForWhatComesAndGoesTakesTwoLines(t *testing.T) {
	g := NewWithT(t)
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	plan := &model.Plan{PlanSpec: model.PlanSpec{Name: "p"}}
	roll := &model.Roll{Plan: "p", CellID: "c1", Phase: model.Interrupting, Timeline: []model.Entry{
		{Phase: model.Queued, At: start}, {Phase: model.Interrupting, At: start}}}
	snap := state.SnapshotOf(plan, roll)

	for i := range 10 {
		c := newDecision(snap, start.Add(time.Duration(i)*time.Minute), model.Via{}).draft(plan, roll)
		c.waitForInstance("redis", i%2)
		if roll = c.roll; i%3 > 0 {
			c.waitNoMore()
		}
	}
	g.Expect(roll.Timeline).To(HaveLen(3))
	g.Expect(roll.Timeline[2]).To(And(HaveField("At", start.Add(9*time.Minute)), HaveField("Note", HavePrefix(waitsNote))))
	g.Expect(roll.Since()).To(Equal(start), "the phase began when it did")

	c := newDecision(snap, start.Add(10*time.Minute), model.Via{}).draft(plan, roll)
	c.waitNoMore()
	c.note(grantedNote)
	c.waitForInstance("redis", 0)
	g.Expect(c.roll.Timeline).To(HaveLen(6), "what led to something is kept")
}
