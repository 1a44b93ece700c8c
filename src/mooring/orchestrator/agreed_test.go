package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// agreedWorld is three cells with a service whose instance 1 hangs.
func agreedWorld(agreed model.OnStuck, class string) *world {
	w := newWorld()
	w.addCells(3, 1)
	w.push("redis", 3, 0, class, model.Policy{
		MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}, HealthyFor: model.Duration(time.Second),
		Interrupt: &model.Handler{Command: "step-down"}, Drain: &model.Handler{Command: "move"}, OnStuck: agreed,
	})
	w.hang["redis/1"] = true
	return w
}

func (w *world) begin(g *WithT, spec model.PlanSpec, cells ...string) {
	spec.Name, spec.Cells = "plan", model.Selector{All: len(cells) == 0, IDs: cells}
	plan, err := newPlan(w.snap, spec, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	w.put(plan)
}

// What was agreed beforehand happens without a person, and is on record.
func TestWhatWasAgreedBeforehandIsDoneWithoutAPerson(t *testing.T) {
	for name, test := range map[string]struct {
		policy model.OnStuck
		plan   model.StuckChoice
		says   string
		ends   model.Phase
	}{
		"a policy skips": {policy: model.OnStuck{Answer: model.StuckSkip}, ends: model.RollSkipped,
			says: "answer plan.c2.handler-hung: skip, by the policy of o/s/redis"},
		"a policy forces": {policy: model.OnStuck{Answer: model.StuckForce, After: model.Duration(time.Hour)}, ends: model.RollDone,
			says: "answer plan.c2.handler-hung: force, by the policy of o/s/redis"},
		"a plan skips, whatever a policy would do later": {plan: model.StuckSkip, ends: model.RollSkipped,
			policy: model.OnStuck{Answer: model.StuckForce, After: model.Duration(time.Hour)},
			says:   "answer plan.c2.handler-hung: skip, by the plan plan"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := agreedWorld(test.policy, model.ClassPersistent)
			w.begin(g, model.PlanSpec{Action: model.Restart, OnStuck: test.plan})
			w.run(24 * time.Hour)
			g.Expect(w.events()).To(ContainSubstring(test.says))
			g.Expect(w.snap.Roll("plan", "c2").Phase).To(Equal(test.ends))
			g.Expect(w.snap.Plan("plan").Status).To(Equal(model.PlanDone))
			g.Expect(w.snap.StuckItems()).To(BeEmpty())
		})
	}
}

func TestAPolicyThatHoldsWaitsForAPerson(t *testing.T) {
	g := NewWithT(t)
	w := agreedWorld(model.OnStuck{Answer: model.StuckHold}, model.ClassPersistent)
	w.begin(g, model.PlanSpec{Action: model.Restart})
	w.run(48 * time.Hour)
	g.Expect(w.snap.StuckItem("plan.c2.handler-hung")).NotTo(BeNil())
	g.Expect(w.snap.Roll("plan", "c3").Phase).To(Equal(model.RollDone), "and holds nobody else")
}

// To give data up takes a person, whatever a policy says.
func TestAPolicyNeverForcesTheLossOfData(t *testing.T) {
	g := NewWithT(t)
	w := agreedWorld(model.OnStuck{Answer: model.StuckForce, After: model.Duration(time.Hour)}, model.ClassEphemeral)
	w.begin(g, model.PlanSpec{Action: model.Recreate}, "c2")
	w.run(48 * time.Hour)
	g.Expect(w.snap.StuckItem("plan.c2.handler-hung").Data).To(ConsistOf("o/s/redis/1"))
	g.Expect(w.events()).NotTo(ContainSubstring("force"))
}

// An update's handler is no other than a roll's.
func TestAPolicyForcesAnUpdateThatHangs(t *testing.T) {
	g := NewWithT(t)
	w := agreedWorld(model.OnStuck{Answer: model.StuckForce, After: model.Duration(time.Hour)}, model.ClassPersistent)
	holder := model.UpdateHolder("redis")
	w.put(&model.Claim{Holder: holder, Reason: model.ReasonUpdate, Since: w.snap.Revision(), At: w.now,
		Demands: []model.Demand{{AppGUID: "redis", Index: 1, Kind: model.Interrupt}}})
	w.update("redis")
	w.run(50 * time.Minute)
	g.Expect(w.snap.StuckItem("update.o.s.redis.1.handler-hung")).NotTo(BeNil())

	w.run(2 * time.Hour)
	g.Expect(w.events()).To(ContainSubstring("answer update.o.s.redis.1.handler-hung: force, by the policy of o/s/redis"))
	g.Expect(w.snap.Claim(holder)).To(HaveField("Demands", ConsistOf(HaveField("Force", true))), "it is asked for again, without the handler")
}

// Many plans in which nothing goes wrong.
func TestUndisturbedRollsRaiseNoAlert(t *testing.T) {
	const cells, plans = 12, 20
	g := NewWithT(t)
	w := newWorld()
	w.unchecked = true
	w.addCells(cells, 2)
	for i, class := range []string{model.ClassPersistent, model.ClassShared, ""} {
		w.push([]string{"ledger", "queue", "web"}[i], cells, i, class, model.Policy{
			MaxInterrupted: model.Limit{Count: 4}, MaxDraining: model.Limit{Count: 1}, HealthyFor: model.Duration(time.Second), ReturnWithin: model.Duration(time.Minute)})
	}
	for n := range plans {
		action := []model.Action{model.Restart, model.Reboot, model.Recreate}[n%3]
		plan, err := newPlan(w.snap, model.PlanSpec{Name: string(action) + w.now.Format(time.RFC3339), Action: action, Cells: model.Selector{All: true}}, w.now)
		g.Expect(err).NotTo(HaveOccurred())
		w.put(plan)
		w.run(24 * time.Hour)
		g.Expect(w.snap.Plan(plan.Name).Status).To(Equal(model.PlanDone), w.rollsText())
		tx := w.snap.Txn() // what is over is no load on what comes
		for _, roll := range w.snap.Rolls(plan.Name) {
			tx.Delete(roll)
		}
		tx.Delete(w.snap.Plan(plan.Name))
		w.write(tx)
	}
	g.Expect(w.count("STUCK")).To(BeZero())
}
