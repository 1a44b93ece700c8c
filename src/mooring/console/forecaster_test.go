package console

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

func TestForecastsOfPlansThatAreOverOrGoneAreForgotten(t *testing.T) {
	g := NewWithT(t)
	f := newForecaster(nil, time.Now)
	for _, name := range []string{"runs", "done", "gone"} {
		f.known[name], f.stages[name] = &client.Forecast{}, "some"
	}

	given := f.look(t.Context(), state.SnapshotOf(
		&model.Plan{PlanSpec: model.PlanSpec{Name: "runs"}, Status: model.PlanRunning},
		&model.Plan{PlanSpec: model.PlanSpec{Name: "done"}, Status: model.PlanDone}))

	g.Expect(given).To(HaveKey("runs"))
	g.Expect(f.known).To(And(HaveLen(1), HaveKey("runs")))
	g.Expect(f.stages).To(And(HaveLen(1), HaveKey("runs")))
}

func TestAForecastIsMadeAnewAsThePlanGoesOn(t *testing.T) {
	g := NewWithT(t)
	stage := func(records ...model.Record) string {
		snap := state.SnapshotOf(append(fleet(2), append(records, plan("p", 0, model.PlanRunning, "cell-0", "cell-1"))...)...)
		return stageOf(snap, snap.Plan("p"))
	}
	stages := map[string]bool{}
	for _, text := range []string{stage(), stage(roll("p", "cell-0", model.Acting)), stage(roll("p", "cell-0", model.RollDone)),
		stage(&model.Roll{Plan: "p", CellID: "cell-0", Phase: model.Acting, StuckID: "s"})} {
		stages[text] = true
	}
	g.Expect(stages).To(HaveLen(4))
	g.Expect(stage(roll("p", "cell-0", model.Acting))).To(Equal(stage(roll("p", "cell-0", model.Settling))), "nothing is through yet")
}
