package api

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func aPlan(name string, cells ...string) client.PlanRequest {
	return client.PlanRequest{By: "olga", Reason: "kernel", PlanSpec: model.PlanSpec{
		Name: name, Cells: model.Selector{IDs: cells}, Action: model.Recreate,
	}}
}

func TestAPlanStartsInThePlannersOrder(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 4)
	f.preview = client.Preview{Order: []string{"c3", "c1"}, Greedy: true, AtOnce: 2, Expected: model.Duration(time.Minute)}
	wanted := aPlan("stemcell-1.915")
	wanted.Cells = model.Selector{All: true}

	preview, err := f.Preview(t.Context(), wanted)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(preview).To(HaveValue(Equal(f.preview)))
	g.Expect(f.Plans(t.Context())).To(BeEmpty(), "a preview changes nothing")

	plan, err := f.StartPlan(t.Context(), wanted)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(plan.Order).To(Equal([]string{"c3", "c1", "c2", "c4"}), "cells that can never roll come last")
	g.Expect(plan.Greedy).To(BeTrue(), "the order is kept as strictly as it was planned")
	g.Expect(plan.Plan).To(And(HaveField("Intent", model.IntentRun), HaveField("Status", model.PlanRunning),
		HaveField("CreatedBy", "olga"), HaveField("Reason", "kernel"), HaveField("OnStuck", model.StuckHold)))
	g.Expect(plan.Queued).To(Equal(4))
	g.Expect(plan.Rolls).To(HaveExactElements(
		HaveField("CellID", "c3"), HaveField("CellID", "c1"), HaveField("CellID", "c2"), And(HaveField("CellID", "c4"), HaveField("Phase", model.Queued))))
	g.Expect(f.Events(t.Context(), client.EventQuery{Plan: "stemcell-1.915"})).To(ConsistOf(
		And(HaveField("Kind", model.EventPlanStarted), HaveField("Actor", "olga"), HaveField("Reason", "kernel"))))
}

func TestPlansThatCannotBeAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 4)
	lost := *f.store.Snapshot().Cell("c4")
	lost.Lost = true
	f.put(t, &lost)
	for text, wanted := range map[string]client.PlanRequest{
		"names no cell":           aPlan("p"),
		"there is no cell c8, c9": aPlan("p", "c1", "c8", "c9"),
		"declared lost":           aPlan("p", "c4"),
		"no cell is chosen":       {PlanSpec: model.PlanSpec{Name: "p", Action: model.Reboot, Cells: model.Selector{AZ: []string{"z1"}, Pool: "gold"}}},
		"is not a name":           aPlan("p/q", "c1"),
		"time zone":               {PlanSpec: model.PlanSpec{Name: "p", Action: model.Reboot, Cells: model.Selector{All: true}, Window: "02:00-06:00 Mars"}},
		"body.action":             {PlanSpec: model.PlanSpec{Name: "p", Action: "burn", Cells: model.Selector{All: true}}},
		"keep one of the two":     {PlanSpec: model.PlanSpec{Name: "p", Action: model.Reboot, Cells: model.Selector{All: true, Pool: "default"}}},
	} {
		_, err := f.Preview(t.Context(), wanted)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
		_, err = f.StartPlan(t.Context(), wanted)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
	}
	g.Expect(f.Plans(t.Context())).To(BeEmpty())
}

func TestTwoPlansDoNotShareACell(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 4)
	_, err := f.StartPlan(t.Context(), aPlan("one", "c1", "c2"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("two", "c2", "c3"))
	g.Expect(err).To(refusal(http.StatusConflict, "plan one is not finished and has the same cells: c2"))
	_, err = f.StartPlan(t.Context(), aPlan("one", "c3"))
	g.Expect(err).To(refusal(http.StatusConflict, "plan one exists"))

	finished := *f.store.Snapshot().Plan("one")
	finished.Status = model.PlanDone
	f.put(t, &finished)
	_, err = f.StartPlan(t.Context(), aPlan("two", "c2", "c3"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Plans(t.Context())).To(HaveExactElements(HaveField("Name", "two"), HaveField("Name", "one")), "the newest first")

	var starting sync.WaitGroup
	var mu sync.Mutex
	started := 0
	for _, name := range []string{"a", "b", "c", "d"} {
		starting.Go(func() {
			_, err := f.StartPlan(t.Context(), aPlan(name, "c4"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				started++
			} else if !client.HasStatus(err, http.StatusConflict) {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	g.Expect(started).To(Equal(1))
}

func TestAPlanIsSteered(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	_, err := f.Pause(t.Context(), "one", "olga", "")
	g.Expect(err).To(refusal(http.StatusNotFound, "no plan one"))
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1", "c2"))
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(f.Pause(t.Context(), "one", "olga", "lunch")).To(And(HaveField("Intent", model.IntentPause), HaveField("Reason", "lunch"), HaveField("IntentBy", "olga"), HaveField("IntentAt", Not(BeZero())), HaveField("Status", model.PlanRunning)))
	g.Expect(f.Pause(t.Context(), "one", "olga", "again")).To(HaveField("Reason", "lunch"), "said before")
	g.Expect(f.Resume(t.Context(), "one", "olga", "fed")).To(HaveField("Intent", model.IntentRun))
	g.Expect(f.Abort(t.Context(), "one", "olga", "enough")).To(HaveField("Intent", model.IntentAbort))
	_, err = f.Resume(t.Context(), "one", "olga", "no")
	g.Expect(err).To(refusal(http.StatusConflict, "being aborted"))
	g.Expect(f.Events(t.Context(), client.EventQuery{Plan: "one"})).To(HaveExactElements(
		HaveField("Kind", model.EventPlanStarted), HaveField("Kind", model.EventPlanPausing), HaveField("Kind", model.EventPlanResumed), HaveField("Kind", model.EventPlanAborting)))

	aborted := *f.store.Snapshot().Plan("one")
	aborted.Status = model.PlanAborted
	f.put(t, &aborted)
	g.Expect(f.Abort(t.Context(), "one", "olga", "again")).To(HaveField("Status", model.PlanAborted), "said before")
	g.Expect(f.Plan(t.Context(), "one")).To(HaveField("Dropped", 2))
}

func TestTheEndOfAPlanIsForetoldWhenItIsAskedFor(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	_, err := f.StartPlan(t.Context(), aPlan("one", "c1", "c2"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Plan(t.Context(), "one")).To(HaveField("Forecast", BeNil()))
	g.Expect(f.PlanForecast(t.Context(), "one")).To(HaveField("Forecast.Left", 2))
	done := *f.store.Snapshot().Plan("one")
	done.Status = model.PlanDone
	f.put(t, &done)
	g.Expect(f.PlanForecast(t.Context(), "one")).To(HaveField("Forecast", BeNil()), "it is over")
}

func TestAPlanIsWatchedUntilItHasFinished(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	g.Expect(f.WatchPlan(t.Context(), "one", nil)).To(refusal(http.StatusNotFound, "no plan one"))
	_, err := f.StartPlan(t.Context(), aPlan("one", "c1", "c2"))
	g.Expect(err).NotTo(HaveOccurred())

	views := make(chan client.PlanView, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- f.WatchPlan(t.Context(), "one", func(view client.PlanView) error { views <- view; return nil })
	}()
	g.Eventually(views).Should(Receive(HaveField("Queued", 2)))

	f.put(t, &model.Roll{Plan: "one", CellID: "c2", Order: 1, Phase: model.Draining})
	g.Eventually(views).Should(Receive(And(HaveField("Rolling", 1), HaveField("Queued", 1))))

	f.put(t, &model.Stuck{ID: "s1", Kind: model.HandlerHung, Plan: "one", CellID: "c2", FlaggedAt: time.Now()})
	g.Eventually(views).Should(Receive(HaveField("Stuck", HaveLen(1))))

	// Something else changes: nothing to say about the plan.
	f.put(t, &model.Cordon{CellID: "c1"})
	g.Consistently(views, 50*time.Millisecond).ShouldNot(Receive())

	done := *f.store.Snapshot().Plan("one")
	done.Status = model.PlanDone
	f.put(t, &done, &model.Roll{Plan: "one", CellID: "c1", Phase: model.RollDone}, &model.Roll{Plan: "one", CellID: "c2", Order: 1, Phase: model.RollSkipped})
	g.Eventually(views).Should(Receive(And(HaveField("Done", 1), HaveField("Dropped", 1))))
	g.Eventually(ended).Should(Receive(BeNil()))
}

func TestAPlanSaysWhatItsRollsWaitFor(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	push := plain("web", 1)
	push.Policy.MaxInterrupted = model.Limit{}
	pushed, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	holder := model.RollHolder("one", "c1")
	f.put(t,
		&model.Instance{AppGUID: pushed.App.GUID, Placement: model.Placement{GUID: "i", CellID: "c1"}, SpecVersion: 1},
		&model.ActualInstance{AppGUID: pushed.App.GUID, CellID: "c1", GUID: "i", State: model.Serving, SpecVersion: 1},
		&model.Roll{Plan: "one", CellID: "c1", Phase: model.Interrupting},
		&model.Claim{Holder: holder, CellID: "c1", Since: 1, Demands: []model.Demand{{AppGUID: pushed.App.GUID, Kind: model.Interrupt}}},
	)
	g.Expect(f.Plan(t.Context(), "one")).To(HaveField("Waiting", ConsistOf(And(
		HaveField("CellID", "c1"), HaveField("Why", ContainElement(ContainSubstring("max_interrupted"))),
	))))
	g.Expect(f.Cell(t.Context(), "c1")).To(And(HaveField("Plan", "one"), HaveField("Phase", model.Interrupting), HaveField("InstanceCount", 1)))
}

func TestWatchingEndsWithItsCaller(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	_, err := f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	err = f.WatchPlan(ctx, "one", func(client.PlanView) error { cancel(); return nil })
	g.Expect(err).To(MatchError(context.Canceled))
}
