package orchestrator

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

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
