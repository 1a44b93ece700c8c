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
