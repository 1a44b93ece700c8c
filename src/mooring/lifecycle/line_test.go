package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

func TestLaterClaimsPassOnlyWhereTheyTakeNothing(t *testing.T) {
	two := model.Policy{MaxInterrupted: limit(2), MaxDraining: limit(1)}
	// The earlier claim waits for the queue, where an instance is down, and
	// wants db/0 besides.
	waiting := func() *model.Claim {
		return both(interrupts("roll:p/early", "db", 0), interrupts("", "queue", 0))
	}
	aside := waiting()
	aside.Aside = true

	for _, row := range []struct {
		name    string
		earlier *model.Claim
		db      model.Policy
		before  func(f *fleet)
		claim   *model.Claim
		granted bool
		text    string
	}{
		{name: "room for both", earlier: waiting(), db: two, claim: interrupts("r", "db", 1), granted: true},
		{name: "room for one", earlier: waiting(), db: one(), claim: interrupts("r", "db", 1),
			text: "acme/prod/db allows max_interrupted 1 of 3, and roll:p/early waits for it before"},
		{name: "room for one of either kind", earlier: waiting(), db: one(), claim: drains("r", "db", 1),
			text: "acme/prod/db allows max_disrupted 1 of 3, and roll:p/early waits for it before"},
		{name: "the same instance", earlier: waiting(), db: two, claim: interrupts("r", "db", 0),
			text: "roll:p/early waits for the same instance acme/prod/db/0"},
		{name: "another app", earlier: waiting(), db: one(), claim: interrupts("r", "cache", 0), granted: true},
		{name: "aside reserves nothing", earlier: aside, db: one(), claim: interrupts("r", "db", 1), granted: true},
		{name: "what can never be granted reserves nothing", earlier: waiting(), db: one(),
			before: func(f *fleet) { f.apps["queue"].Policy.MaxInterrupted = limit(0) },
			claim:  interrupts("r", "db", 1), granted: true},
		{name: "what crashed is held back for nobody", earlier: waiting(), db: one(),
			before: func(f *fleet) { f.state("db", 0, model.Crashed) },
			claim:  interrupts("r", "db", 0), granted: true},
		{name: "its own earlier claim", earlier: waiting(), db: one(), claim: interrupts("roll:p/early", "db", 1), granted: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFleet()
			f.add("db", 3, row.db)
			f.add("queue", 3, one())
			f.add("cache", 3, one())
			f.state("queue", 2, model.Crashed)
			if row.before != nil {
				row.before(f)
			}
			g.Expect(lifecycle.Judge(row.earlier, nil, f.crew).Granted).To(BeFalse(), "the earlier one waits")
			verdict := lifecycle.Judge(row.claim, []*model.Claim{row.earlier}, f.crew)
			g.Expect(verdict.Granted).To(Equal(row.granted), "%v", verdict.Blockers)
			if !row.granted {
				g.Expect(verdict.Blockers[0].Text).To(Equal(row.text))
				g.Expect(verdict.Blockers[0].Ahead).To(Equal([]string{"roll:p/early"}))
				g.Expect(verdict.Forever()).To(BeFalse())
			}
		})
	}
}
