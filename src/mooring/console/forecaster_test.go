package console

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

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
