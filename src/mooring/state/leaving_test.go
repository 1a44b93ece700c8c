package state_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"mooring/model"
	"mooring/state"
)

func TestLeaving_IsWhatARetireHasLeftToDo(t *testing.T) {
	g := NewWithT(t)
	plan := func(name string, action model.Action, status model.PlanStatus, cells ...string) *model.Plan {
		return &model.Plan{PlanSpec: model.PlanSpec{Name: name, Action: action}, Status: status, Order: cells}
	}
	roll := func(plan, cell string, phase model.Phase) *model.Roll {
		return &model.Roll{Plan: plan, CellID: cell, Action: model.Retire, Phase: phase}
	}
	snap := state.SnapshotOf(
		plan("going", model.Retire, model.PlanRunning, "queued", "draining", "done", "skipped", "aborted", "new"),
		roll("going", "queued", model.Queued), roll("going", "draining", model.Draining), roll("going", "done", model.RollDone),
		roll("going", "skipped", model.RollSkipped), roll("going", "aborted", model.RollAborted),
		plan("paused", model.Retire, model.PlanPaused, "waits"), plan("over", model.Retire, model.PlanDone, "stays"),
		plan("other", model.Recreate, model.PlanRunning, "recreated"),
	)
	g.Expect(snap.Leaving()).To(Equal(map[string]string{"queued": "going", "draining": "going", "new": "going", "waits": "paused"}))
	g.Expect(snap.Leaving(plan("next", model.Retire, model.PlanRunning, "next"))).To(HaveKeyWithValue("next", "next"), "as if it had begun")
}

// BOSH comes to the cells of a deployment that it deletes one after another; all
// of them leave from the first on, until it turns back.
func TestLeaving_IsAllOfADeploymentThatIsDeleted(t *testing.T) {
	roll := model.Roll{Plan: "gate", CellID: "c1", Action: model.Retire, Phase: model.Queued, AtGate: time.Unix(1, 0), Deployment: "mooring", DeletesAll: true}
	leaving := func(change func(*model.Roll)) map[string]string {
		changed := roll
		change(&changed)
		return state.SnapshotOf(&changed,
			&model.Plan{PlanSpec: model.PlanSpec{Name: "gate", Action: model.Retire}, Status: model.PlanRunning, Order: []string{"c1"}},
			&model.Cell{ID: "c1", Deployment: "mooring"}, &model.Cell{ID: "c2", Deployment: "mooring"}, &model.Cell{ID: "c3", Deployment: "other"}, &model.Cell{ID: "c4"},
		).Leaving()
	}
	alone := HaveExactElements("c1")
	for _, row := range []struct {
		what   string
		change func(*model.Roll)
		cells  types.GomegaMatcher
	}{
		{"it is deleted", func(*model.Roll) {}, ConsistOf("c1", "c2")},
		{"it is scaled in", func(r *model.Roll) { r.DeletesAll = false }, alone},
		{"BOSH was turned away", func(r *model.Roll) { r.Refused = "BOSH task 7 is being cancelled" }, alone},
		{"BOSH has gone", func(r *model.Roll) { r.AtGate = time.Time{} }, alone},
		{"its name is not known", func(r *model.Roll) { r.Deployment = "" }, alone},
		{"the roll is over", func(r *model.Roll) { r.Phase = model.RollDone }, BeEmpty()},
	} {
		var cells []string
		for cell, plan := range leaving(row.change) {
			cells = append(cells, cell)
			NewWithT(t).Expect(plan).To(Equal("gate"))
		}
		NewWithT(t).Expect(cells).To(row.cells, row.what)
	}
}
