package orchestrator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

// tangled is a world whose apps are strewn over its cells, and a plan over all
// of them. The seed is one of those where the first order is not the best.
func tangled(t *testing.T) *world {
	t.Helper()
	random := rand.New(rand.NewPCG(2, 0))
	w := newWorld()
	w.addCells(24, 3)
	for a := range 30 {
		w.push(fmt.Sprintf("app%d", a), 2+random.IntN(4), random.IntN(24), model.ClassPersistent, model.Policy{MaxInterrupted: model.Limit{Count: 1}})
	}
	plan, err := newPlan(w.snap, model.PlanSpec{Name: "plan", Action: model.Recreate}, w.now)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	w.put(plan)
	return w
}

// underWay starts the first cells of the plan.
func (w *world) underWay() *world {
	w.orchestrate(0) // makes the rolls
	w.orchestrate(0)
	return w
}

// countdown says that there is time for so many steps more.
func countdown(steps int) func() bool { return func() bool { steps--; return steps >= 0 } }

// found is the better order that is found in so many steps.
func (w *world) found(steps int) *reorder {
	return seek(w.snap, w.snap.Plan("plan"), w.now, countdown(steps))
}

func TestALivePlanGetsShorter(t *testing.T) {
	g := NewWithT(t)
	plain := tangled(t).underWay()
	plain.run(24 * time.Hour)

	w := tangled(t).underWay()
	before := w.snap.Plan("plan").Order
	swap := w.found(100).swap(w.snap, w.now)
	g.Expect(swap.Events()).To(ConsistOf(And(HaveField("Kind", model.EventPlanReordered), HaveField("Plan", "plan"),
		HaveField("Text", MatchRegexp(`plan plan: the \d+ cells that have not begun have a better order: what is left takes \w+ instead of \w+`)))))
	w.write(swap)
	after := w.snap.Plan("plan").Order
	g.Expect(after).To(ConsistOf(before))
	g.Expect(after).NotTo(Equal(before))
	for i, cell := range after {
		roll := w.snap.Roll("plan", cell)
		g.Expect(roll.Order).To(Equal(i), cell)
		if roll.Phase != model.Queued {
			g.Expect(before[i]).To(Equal(cell), "what has begun keeps its place")
		}
	}
	w.run(24 * time.Hour)

	g.Expect(w.snap.Plan("plan").Status).To(Equal(model.PlanDone))
	g.Expect(w.violations).To(BeEmpty())
	g.Expect(w.now.Sub(w.start)).To(BeNumerically("<", plain.now.Sub(plain.start)))
}

func TestABetterOrderComesTooLateForWhatHasBegunSince(t *testing.T) {
	g := NewWithT(t)
	w := tangled(t).underWay()
	found := w.found(100)
	w.run(time.Minute) // the first are done, others have begun
	order := w.snap.Plan("plan").Order
	queued := func(cell string) bool { return w.snap.Roll("plan", cell).Phase == model.Queued }
	g.Expect(found.queued).To(ContainElement(Not(Satisfy(queued))), "some have begun")
	g.Expect(found.queued).To(ContainElement(Satisfy(queued)))

	w.write(found.swap(w.snap, w.now))

	after := w.snap.Plan("plan").Order
	for i, cell := range order {
		if !queued(cell) {
			g.Expect(after[i]).To(Equal(cell))
		}
	}
	g.Expect(slices.DeleteFunc(slices.Clone(after), func(cell string) bool { return !queued(cell) })).To(
		Equal(slices.DeleteFunc(slices.Clone(found.queued), func(cell string) bool { return !queued(cell) })))
	w.run(24 * time.Hour)
	g.Expect(w.snap.Plan("plan").Status).To(Equal(model.PlanDone))
}

func TestWhatCameBackToTheQueueIsFirstInABetterOrder(t *testing.T) {
	g := NewWithT(t)
	w := tangled(t).underWay()
	found := w.found(100)
	last := found.queued[len(found.queued)-1]
	found.queued = found.queued[:len(found.queued)-1] // it had begun
	w.write(found.swap(w.snap, w.now))
	next := slices.IndexFunc(w.snap.Plan("plan").Order, func(cell string) bool { return w.snap.Roll("plan", cell).Phase == model.Queued })
	g.Expect(w.snap.Plan("plan").Order[next]).To(Equal(last))
}

func TestABetterOrderIsDroppedWhenThePlanHasGoneAnotherWay(t *testing.T) {
	g := NewWithT(t)
	w := tangled(t).underWay()
	found := w.found(100)
	g.Expect(found.swap(w.snap, w.now)).NotTo(BeNil())
	for what, change := range map[string]func(*model.Plan){
		"paused":             func(p *model.Plan) { p.Intent = model.IntentPause },
		"still paused":       func(p *model.Plan) { p.Status = model.PlanPaused },
		"aborted":            func(p *model.Plan) { p.Intent = model.IntentAbort },
		"over":               func(p *model.Plan) { p.Status = model.PlanDone },
		"another of a name":  func(p *model.Plan) { p.CreatedAt = p.CreatedAt.Add(time.Second) },
		"in another order":   func(p *model.Plan) { p.Order[0], p.Order[1] = p.Order[1], p.Order[0] },
		"not kept as before": func(p *model.Plan) { p.Greedy = !p.Greedy },
		"gathered":           func(p *model.Plan) { p.Gathers = &model.Gathering{} },
		"of a group of BOSH": func(p *model.Plan) {
			p.Via.Bosh = &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}
		},
	} {
		plan := *w.snap.Plan("plan")
		plan.Order = slices.Clone(plan.Order)
		change(&plan)
		tx := w.snap.Txn()
		tx.Put(&plan)
		g.Expect(found.swap(w.snap.Apply(tx), w.now)).To(BeNil(), what)
	}
	tx := w.snap.Txn()
	tx.Delete(w.snap.Plan("plan"))
	g.Expect(found.swap(w.snap.Apply(tx), w.now)).To(BeNil(), "gone")
	w.write(found.swap(w.snap, w.now))
	g.Expect(found.swap(w.snap, w.now)).To(BeNil(), "it is in place")
}

func TestAnOrderIsBetteredWhereItDecidesAndOthersHaveBegun(t *testing.T) {
	g := NewWithT(t)
	w := tangled(t)
	g.Expect(improvable(w.snap, w.snap.Plan("plan"))).To(BeFalse(), "the first cells have their turn anyway")
	w.underWay()
	g.Expect(improvable(w.snap, w.snap.Plan("plan"))).To(BeTrue())
	group := *w.snap.Plan("plan")
	group.Via = model.Via{Bosh: &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}}
	g.Expect(improvable(w.snap, &group)).To(BeFalse(), "BOSH comes to its cells as it likes")
	group.Converging = &model.Converging{Ended: "failed"}
	g.Expect(improvable(w.snap, &group)).To(BeTrue(), "what BOSH's task left is taken in our order")
	w.run(24 * time.Hour)
	g.Expect(improvable(w.snap, w.snap.Plan("plan"))).To(BeFalse())
}

func TestWhoeverStopsAPlanIsNotOvertakenByItsNewOrder(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	w := tangled(t).underWay()
	writeInto(t, store, w)
	snap := store.Snapshot()
	swap := seek(snap, snap.Plan("plan"), w.now, countdown(100)).swap(snap, w.now)
	paused := *snap.Plan("plan")
	paused.Intent = model.IntentPause
	tx := snap.Txn()
	tx.Put(&paused)
	_, err := store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())

	_, err = store.Commit(t.Context(), swap)

	g.Expect(err).To(MatchError(state.ErrConflict))
}

// TestRunBettersAPlanUnderWay on a real etcd: the hosts of the first cells are
// waited for, and meanwhile the others are given a better order.
func TestRunBettersAPlanUnderWay(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	w := tangled(t)
	writeInto(t, store, w)
	live(t, store)
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())
	before := store.Snapshot().Plan("plan").Order

	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), store, lead, Config{DefaultVia: model.Via{Wait: true}}) }()

	g.Eventually(func() []string { return store.Snapshot().Plan("plan").Order }, "30s").ShouldNot(Equal(before))
	snap := store.Snapshot()
	g.Expect(snap.RecentEvents(1000)).To(ContainElement(And(HaveField("Kind", model.EventPlanReordered), HaveField("Actor", "orchestrator"))))
	for i, cell := range snap.Plan("plan").Order {
		roll := snap.Roll("plan", cell)
		g.Expect(roll.Order).To(Equal(i))
		g.Expect(roll.Phase == model.Queued || before[i] == cell).To(BeTrue(), "what has begun keeps its place")
	}
	g.Expect(lead.Resign(t.Context())).To(Succeed())
	g.Eventually(ended, "10s").Should(Receive(MatchError(state.ErrLost)), "it ends with what runs beside it")
}

func TestAPreviewSaysWhetherItsOrderMayGetBetter(t *testing.T) {
	g := NewWithT(t)
	w := tangled(t)
	spec := model.PlanSpec{Name: "p", Cells: model.Selector{All: true}, Action: model.Recreate}
	first, err := Preview(w.snap, spec, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.Improvable).To(BeFalse(), "nobody asked for a better one")
	hurried, err := PreviewWithin(w.snap, spec, w.now, countdown(0))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(hurried.Order).To(Equal(first.Order))
	g.Expect(hurried.Improvable).To(BeTrue())
	better, err := PreviewWithin(w.snap, spec, w.now, func() bool { return true })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(better.Improvable).To(BeFalse(), "all was tried")
	g.Expect(better.Expected).To(BeNumerically("<", first.Expected))
}
