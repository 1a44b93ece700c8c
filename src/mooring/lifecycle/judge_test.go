package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

func TestJudgeSpendsTheBudget(t *testing.T) {
	for _, row := range []struct {
		name    string
		policy  model.Policy
		before  func(f *fleet)
		claim   *model.Claim
		granted bool
		forever bool
		text    string
	}{
		{name: "the first of one", policy: one(), claim: interrupts("r", "db", 0), granted: true},
		{name: "the second of one", policy: one(), before: func(f *fleet) { f.enter(interrupts("roll:p/c1", "db", 1)) },
			claim: interrupts("r", "db", 0),
			text:  "acme/prod/db allows max_interrupted 1 of 6, used up by /1 (interrupt for roll:p/c1)"},
		{name: "a failure counts", policy: one(), before: func(f *fleet) { f.state("db", 4, model.Crashed) },
			claim: interrupts("r", "db", 0),
			text:  "acme/prod/db allows max_interrupted 1 of 6, used up by /4 (crashed)"},
		{name: "a failure counts against drains", policy: one(), before: func(f *fleet) { f.gone["c4"] = true },
			claim: drains("r", "db", 0),
			text:  "acme/prod/db allows max_draining 1 of 6, used up by /4 (on cell c4, which does not answer)"},
		{name: "a drain counts against both together", policy: one(), before: func(f *fleet) { f.enter(drains("roll:p/c1", "db", 1)) },
			claim: interrupts("r", "db", 0),
			text:  "acme/prod/db allows max_disrupted 1 of 6, used up by /1 (drain for roll:p/c1)"},
		{name: "a drain beside an interrupt, where both together may", policy: model.Policy{MaxInterrupted: limit(1), MaxDraining: limit(1), MaxDisrupted: &model.Limit{Count: 2}},
			before: func(f *fleet) { f.enter(drains("roll:p/c1", "db", 1)) }, claim: interrupts("r", "db", 0), granted: true},
		{name: "a share", policy: model.Policy{MaxInterrupted: model.Limit{Percent: 50}, MaxDraining: limit(1)},
			before: func(f *fleet) { f.enter(interrupts("roll:p/c1", "db", 1, 2)) }, claim: interrupts("r", "db", 0), granted: true},
		{name: "never", policy: model.Policy{MaxDraining: limit(1)}, claim: interrupts("r", "db", 0), forever: true,
			text: "acme/prod/db allows max_interrupted 0 of 6: never; developers of acme/prod would have to change the policy"},
		{name: "more at once than ever allowed", policy: one(), claim: interrupts("r", "db", 0, 1), forever: true,
			text: "acme/prod/db allows max_interrupted 1 of 6, and 2 of it are asked for at once; raise the limit, or spread the instances over more cells"},
		{name: "what crashed after its drain is a failure like any other", policy: model.Policy{MaxInterrupted: limit(1), MaxDraining: limit(1), MaxDisrupted: &model.Limit{Count: 2}},
			before: func(f *fleet) {
				f.enter(drains("roll:p/c1", "db", 1))
				f.ledgers["db"].Permits[0].Want = model.WantBack
				f.state("db", 1, model.Crashed)
			},
			claim: interrupts("r", "db", 0),
			text:  "acme/prod/db allows max_interrupted 1 of 6, used up by /1 (drain for roll:p/c1)"},
		{name: "an instance that fails its check counts once", policy: one(), before: func(f *fleet) { f.state("db", 0, model.Failing) },
			claim: interrupts("r", "db", 0), granted: true},
		{name: "two that fail their checks", policy: one(), before: func(f *fleet) { f.state("db", 0, model.Failing); f.state("db", 1, model.Failing) },
			claim: interrupts("r", "db", 0),
			text:  "acme/prod/db allows max_interrupted 1 of 6, used up by /1 (failing)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFleet()
			f.add("db", 6, row.policy)
			if row.before != nil {
				row.before(f)
			}
			verdict := lifecycle.Judge(row.claim, nil, f.crew)
			g.Expect(verdict.Granted).To(Equal(row.granted))
			g.Expect(verdict.Forever()).To(Equal(row.forever))
			if !row.granted {
				g.Expect(verdict.Blockers).NotTo(BeEmpty())
				g.Expect(verdict.Blockers[0].Text).To(Equal(row.text))
			}
		})
	}
}

func TestJudgeAtTheEdges(t *testing.T) {
	forced := func(c *model.Claim) *model.Claim {
		for i := range c.Demands {
			c.Demands[i].Force = true
		}
		return c
	}
	for _, row := range []struct {
		name    string
		before  func(f *fleet)
		claim   *model.Claim
		granted bool
		forever bool
		text    string
	}{
		{name: "interrupting what crashed is allowed however many are down",
			before: func(f *fleet) {
				f.state("db", 0, model.Crashed)
				f.state("db", 1, model.Blocked)
				f.gone["c2"] = true
			},
			claim: interrupts("r", "db", 0, 1, 2), granted: true},
		{name: "interrupting what crashed is allowed under a policy of never",
			before: func(f *fleet) { f.apps["db"].Policy = model.Policy{}; f.state("db", 0, model.Crashed) },
			claim:  interrupts("r", "db", 0), granted: true},
		{name: "what starts is left alone", before: func(f *fleet) { f.state("db", 0, model.Starting) },
			claim: interrupts("r", "db", 0), text: "acme/prod/db/0 cannot be interrupted: it is starting and is left alone until it serves"},
		{name: "what soaks is left alone", before: func(f *fleet) { f.state("db", 0, model.Soaking) },
			claim: drains("r", "db", 0), text: "acme/prod/db/0 cannot be drained: it is soaking and is left alone until it serves"},
		{name: "what soaks is left alone by force too", before: func(f *fleet) { f.state("db", 0, model.Soaking) },
			claim: forced(interrupts("r", "db", 0)), text: "acme/prod/db/0 cannot be interrupted: it is soaking and is left alone until it serves"},
		{name: "what is about to start is left alone", before: func(f *fleet) { f.actuals["db"] = f.actuals["db"][1:] },
			claim: interrupts("r", "db", 0), text: "acme/prod/db/0 cannot be interrupted: it is about to start on cell c0 and is left alone until it serves"},
		{name: "draining what is down with data never", before: func(f *fleet) { f.state("db", 0, model.Crashed) },
			claim: drains("r", "db", 0), forever: true,
			text: "acme/prod/db/0 cannot be drained: it is crashed and keeps data that nobody can hand over; start it, or give its data up by force"},
		{name: "draining what is down with data by force", before: func(f *fleet) { f.state("db", 0, model.Crashed) },
			claim: forced(drains("r", "db", 0)), granted: true},
		{name: "draining what is down without data", before: func(f *fleet) { f.state("db", 0, model.Crashed); f.instances["db"][0].Volumes = nil },
			claim: drains("r", "db", 0), granted: true},
		{name: "force does not lift the budget", before: func(f *fleet) { f.state("db", 1, model.Crashed) },
			claim: forced(interrupts("r", "db", 0)), text: "acme/prod/db allows max_interrupted 1 of 6, used up by /1 (crashed)"},
		{name: "one permit at a time", before: func(f *fleet) { f.enter(interrupts("update:db", "db", 0)) },
			claim: interrupts("r", "db", 0), text: "acme/prod/db/0 cannot be interrupted: update:db holds its permit (interrupt, granted)"},
		{name: "a permit wanted back is taken over once its instance crashed", before: func(f *fleet) {
			f.enter(interrupts("update:db", "db", 0))
			f.ledgers["db"].Permits[0].Want = model.WantBack
			f.state("db", 0, model.Crashed)
		}, claim: interrupts("r", "db", 0), granted: true},
		{name: "a permit wanted back is not taken over while its instance starts", before: func(f *fleet) {
			f.enter(interrupts("update:db", "db", 0))
			f.ledgers["db"].Permits[0].Want = model.WantBack
			f.state("db", 0, model.Starting)
		}, claim: interrupts("r", "db", 0), text: "acme/prod/db/0 cannot be interrupted: update:db holds its permit (interrupt, granted)"},
		{name: "nobody counts on an app that is being deleted", before: func(f *fleet) { f.apps["db"].Deleting = true; f.apps["db"].Policy = model.Policy{} },
			claim: interrupts("r", "db", 0, 1, 2, 3), granted: true},
		{name: "an app that is gone", claim: interrupts("r", "other", 0), text: "application other is gone; ask anew"},
		{name: "an index that is gone", claim: interrupts("r", "db", 6), text: "acme/prod/db/6 cannot be interrupted: it is gone; ask anew"},
		{name: "the same index twice", claim: interrupts("r", "db", 0, 0), forever: true, text: "acme/prod/db/0 cannot be interrupted: it is asked for twice in one claim"},
		{name: "nothing", claim: &model.Claim{Holder: "r"}, granted: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFleet()
			f.add("db", 6, one())
			if row.before != nil {
				row.before(f)
			}
			verdict := lifecycle.Judge(row.claim, nil, f.crew)
			g.Expect(verdict.Granted).To(Equal(row.granted), "%v", verdict.Blockers)
			g.Expect(verdict.Forever()).To(Equal(row.forever))
			if !row.granted {
				g.Expect(verdict.Blockers[0].Text).To(Equal(row.text))
			}
		})
	}
}

func TestJudgeIsAllOrNothingOverApps(t *testing.T) {
	g := NewWithT(t)
	f := newFleet()
	f.add("db", 3, one())
	f.add("queue", 3, one())
	f.state("queue", 2, model.Crashed)
	verdict := lifecycle.Judge(both(interrupts("r", "db", 0), interrupts("", "queue", 0)), nil, f.crew)
	g.Expect(verdict.Granted).To(BeFalse())
	g.Expect(verdict.Blockers).To(HaveLen(1))
	g.Expect(verdict.Blockers[0].App.Name).To(Equal("queue"))
	g.Expect(verdict.Blockers[0].Holders).To(Equal([]int{2}))
}
