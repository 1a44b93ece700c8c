package model

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestAHostIsTouchedOnceItIsActedOn(t *testing.T) {
	g := NewWithT(t)
	for _, phase := range []Phase{Queued, Cordoned, Draining, Moving, Interrupting, Quiesced} {
		g.Expect(phase.BeforeHost()).To(BeTrue(), string(phase))
	}
	for _, phase := range []Phase{Acting, Returning, Settling, RollDone, RollSkipped, RollAborted} {
		g.Expect(phase.BeforeHost()).To(BeFalse(), string(phase))
	}
}

// What is noted in a phase does not begin it anew; to come back to it does.
func TestARollIsInItsPhaseSinceItCameToIt(t *testing.T) {
	g := NewWithT(t)
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	roll := &Roll{Phase: Interrupting, Timeline: []Entry{
		{Phase: Queued, At: at(0)}, {Phase: Interrupting, At: at(1)}, {Phase: Queued, At: at(2), Note: "paused"},
		{Phase: Interrupting, At: at(3)}, {Phase: Interrupting, At: at(4), Note: "granted"},
	}}
	g.Expect(roll.Since()).To(Equal(at(3)))
	g.Expect((&Roll{Phase: Queued}).Since()).To(BeZero(), "nothing is known yet")
}
