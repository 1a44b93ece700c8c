package orchestrator

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/host"
	"mooring/model"
)

// told is a Director that keeps what it was asked for.
type told struct {
	host.Director
	silent bool
}

func (d *told) Act(_ context.Context, _, _, _, _, _ string, silent bool, _ func(string)) error {
	d.silent = silent
	return nil
}

func TestOfAHostThatWasGoneWhenItsActionBeganNoAgentNeedAnswer(t *testing.T) {
	for _, gone := range []bool{false, true} {
		director := &told{silent: !gone}
		driver := host.Bosh{Director: director, Via: model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}}
		g := NewWithT(t)
		g.Expect(driver.Act(t.Context(), asksFor(&model.Roll{CellID: "c1", Gone: gone}))).To(Succeed())
		g.Expect(director.silent).To(Equal(gone))
	}
}

// Whose task came to a cell and did nothing is for whoever follows it to say.
func TestTheTaskOfAHostThatIsActedOnFromHereIsNotSomebodyElses(t *testing.T) {
	none := model.Via{}
	chosen := model.Via{Bosh: &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}}
	for _, row := range []struct {
		what     string
		via      model.Via
		fallback model.Via
		phase    model.Phase
		over     string
	}{
		{"chosen cells of BOSH", chosen, none, model.Acting, ""},
		{"a command that has BOSH do it", model.Via{Command: "bosh restart"}, none, model.Acting, ""},
		{"the control plane's command", none, model.Via{Command: "bosh restart"}, model.Acting, ""},
		{"somebody else", model.Via{Wait: true}, model.Via{Command: "bosh restart"}, model.Acting, "mooring"},
		{"nobody named", none, none, model.Acting, "mooring"},
		{"chosen cells of BOSH, to which another task has come before", chosen, none, model.Interrupting, "mooring"},
	} {
		t.Run(row.what, func(t *testing.T) {
			plan := &model.Plan{PlanSpec: model.PlanSpec{Name: "p", Cells: model.Selector{IDs: []string{"c1"}}, Via: row.via}}
			roll := &model.Roll{Plan: "p", CellID: "c1", Phase: row.phase, AtGate: convergeNow, Deployment: "mooring"}
			NewWithT(t).Expect(taskOver(plan, roll, row.fallback)).To(Equal(row.over))
		})
	}
}
