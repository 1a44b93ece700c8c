package orchestrator

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// gathered is a plan of the gate with cells of these domains, all queued at
// their gates since convergeNow. One app, of which one instance may be away,
// has an instance on each.
func gathered(domains ...int) []model.Record {
	one := model.Limit{Count: 1}
	plan := &model.Plan{
		PlanSpec: model.PlanSpec{Name: "gate", Action: model.Restart, Via: model.Via{Wait: true}},
		Intent:   model.IntentRun, Status: model.PlanRunning, Gathers: &model.Gathering{Deployment: "mooring"},
	}
	app := &model.App{GUID: "a", Name: model.Name{Org: "o", Space: "s", Name: "redis"}, Instances: len(domains), Policy: model.Policy{MaxInterrupted: one, MaxDraining: one, DataDisposable: true}}
	set := &model.VolumeSet{GUID: "s", Name: app.Name, Class: model.ClassPersistent, Survives: model.Recreate, Count: len(domains)}
	records := []model.Record{plan, app, set}
	for i, domain := range domains {
		id := fmt.Sprintf("c%d", i)
		plan.Order = append(plan.Order, id)
		volume := fmt.Sprintf("v%d", i)
		records = append(records,
			&model.Cell{ID: id, AZ: "z1", Domain: domain, Boot: "b"}, &model.Presence{CellID: id, Boot: "b"},
			&model.Roll{Plan: "gate", CellID: id, Order: model.NoOrder, Action: model.Restart, Phase: model.Queued, AtGate: convergeNow, Asking: id, Deployment: "mooring",
				Timeline: []model.Entry{{Phase: model.Queued, At: convergeNow}}},
			&model.Volume{GUID: volume, SetGUID: "s", Index: i, CellID: id, Class: model.ClassPersistent, Mounted: true},
			&model.Instance{AppGUID: "a", Index: i, Placement: model.Placement{GUID: id, CellID: id}, Volumes: []string{volume}},
			&model.ActualInstance{AppGUID: "a", Index: i, CellID: id, GUID: id, State: model.Serving},
		)
	}
	return records
}

// decided is what a state becomes by one look.
func decided(snap *state.Snapshot, now time.Time) *state.Snapshot {
	txns, _ := decide(snap, now, model.Via{}, time.Time{})
	for _, tx := range txns {
		snap = snap.Apply(tx)
	}
	return snap
}

func TestCellsThatBOSHComesToUnplannedAreOrderedByDomain(t *testing.T) {
	g := NewWithT(t)
	snap := decided(state.SnapshotOf(gathered(2, 1, 3, 1)...), convergeNow)
	g.Expect(snap.Plan("gate").Order).To(Equal([]string{"c1", "c3", "c0", "c2"}))
	for i, cell := range snap.Plan("gate").Order {
		g.Expect(snap.Roll("gate", cell)).To(And(HaveField("Order", i), HaveField("Phase", model.Queued)), cell)
	}
}

func TestTheFirstAtItsGateWaitsAMomentForOthers(t *testing.T) {
	g := NewWithT(t)
	snap := decided(state.SnapshotOf(gathered(2, 1)...), convergeNow)
	_, due := decide(snap, convergeNow, model.Via{}, time.Time{})
	g.Expect(due).To(Equal(convergeNow.Add(gatherFor)))
	snap = decided(snap, due)
	g.Expect(snap.Roll("gate", "c1").Phase).NotTo(Equal(model.Queued), "the first in order, not the first that came")
	g.Expect(snap.Roll("gate", "c0").Phase).To(Equal(model.Queued))

	// Who comes when others have waited finds its place among them at once.
	plan := *snap.Plan("gate")
	plan.Order = append(plan.Order, "c9")
	tx := snap.Txn()
	tx.Put(&plan)
	tx.Put(&model.Cell{ID: "c9", AZ: "z1", Domain: 1, Boot: "b"})
	tx.Put(&model.Presence{CellID: "c9", Boot: "b"})
	tx.Put(&model.Roll{Plan: "gate", CellID: "c9", Order: model.NoOrder, Action: model.Restart, Phase: model.Queued, AtGate: due, Timeline: []model.Entry{{Phase: model.Queued, At: due}}})
	snap = decided(snap.Apply(tx), due)
	g.Expect(snap.Plan("gate").Order).To(Equal([]string{"c1", "c9", "c0"}), "what is in roll stays first")
	g.Expect(decided(snap, due).Roll("gate", "c9").Phase).NotTo(Equal(model.Queued), "it takes nothing of what others wait for")
}

// BOSH deletes a deployment, and has come to the first of its cells: nothing is
// drained onto the others, which are about to go too.
func TestDeleteDeployment_DrainsNothingOntoCellsThatGoToo(t *testing.T) {
	g := NewWithT(t)
	records := gathered(1, 2, 3)
	plan := records[0].(*model.Plan)
	plan.Action, plan.Order = model.Retire, []string{"c0"}
	var kept []model.Record
	for _, rec := range records {
		switch rec := rec.(type) {
		case *model.Cell:
			rec.Deployment, rec.Classes = "mooring", []model.Class{{Name: model.ClassPersistent}}
		case *model.Roll:
			if rec.Action, rec.DeletesAll = model.Retire, true; rec.CellID != "c0" {
				continue
			}
		}
		kept = append(kept, rec)
	}
	snap := state.SnapshotOf(kept...)
	for range 9 {
		snap = decided(snap, convergeNow.Add(gatherFor))
	}
	g.Expect(snap.Ledger("a").Permits).To(BeEmpty())
	g.Expect(snap.Cordons()).To(BeEmpty())
	g.Expect(snap.StuckItems()).To(HaveExactElements(And(HaveField("Kind", model.NoRoom), HaveField("CellID", "c0"),
		HaveField("What", HaveSuffix("every other cell that could take it is leaving for good too: delete the application, or add a cell")))))

	// One of another deployment will do.
	tx := snap.Txn()
	tx.Put(&model.Cell{ID: "c9", AZ: "z1", Domain: 1, Boot: "b", Deployment: "other", Classes: []model.Class{{Name: model.ClassPersistent}}})
	tx.Put(&model.Presence{CellID: "c9", Boot: "b"})
	snap = snap.Apply(tx)
	for range 9 {
		snap = decided(snap, convergeNow.Add(gatherFor))
	}
	g.Expect(snap.Roll("gate", "c0").Phase).To(Equal(model.Draining))
	g.Expect(snap.Ledger("a").Permits).To(HaveLen(1))
}

// cancels is what becomes of a state when a deployment's task is found being
// cancelled.
func cancels(snap *state.Snapshot, deployment string) *state.Txn {
	return turnAway(snap, "BOSH task 7 is being cancelled", convergeNow, func(plan *model.Plan, roll *model.Roll) bool {
		return waitsAtGate(roll) && taskOver(plan, roll, model.Via{}) == deployment
	})
}

func TestARollThatNobodyStandsAtTheGateForIsOver(t *testing.T) {
	g := NewWithT(t)
	snap := decided(decided(state.SnapshotOf(gathered(1, 2)...), convergeNow), convergeNow.Add(gatherFor))
	g.Expect(snap.Cordon("c0")).NotTo(BeNil())
	refuse := cancels(snap, "mooring")
	g.Expect(refuse.Events()).To(HaveEach(HaveField("Kind", model.EventGateRefused)))
	g.Expect(cancels(snap, "other")).To(BeNil())
	snap = snap.Apply(refuse)
	g.Expect(cancels(snap, "mooring")).To(BeNil(), "they know")
	for range 4 {
		snap = decided(snap, convergeNow.Add(gatherFor))
	}
	for _, cell := range []string{"c0", "c1"} {
		g.Expect(snap.Roll("gate", cell).Phase).To(Equal(model.RollAborted))
		g.Expect(snap.Roll("gate", cell).LastNote()).To(Equal("BOSH task 7 is being cancelled"))
		g.Expect(snap.Cordon(cell)).To(BeNil())
	}
	g.Expect(snap.Claims()).To(BeEmpty())
	g.Expect(snap.Ledger("a").Permits).To(BeEmpty())
	g.Expect(snap.Plan("gate").Finished()).To(BeTrue())
}

func TestACellThatBOSHHadLeaveToStopAndDidNotGoesBackToWork(t *testing.T) {
	for _, somebodyPlanned := range []bool{false, true} {
		g := NewWithT(t)
		records := gathered(1)
		plan, roll := records[0].(*model.Plan), records[5].(*model.Roll)
		roll.Phase, roll.Order = model.Acting, 0
		if somebodyPlanned {
			plan.Gathers = nil
		}
		permit := model.Permit{ID: "x", Index: 0, CellID: "c0", Kind: model.Interrupt, Reason: model.ReasonRoll, Holder: roll.Holder(), Step: model.StepYielded, Want: model.WantOut}
		snap := state.SnapshotOf(append(records, &model.Ledger{AppGUID: "a", Permits: []model.Permit{permit}}, &model.Cordon{CellID: "c0", Holder: roll.Holder()})...)
		g.Expect(cancels(snap, "mooring")).To(BeNil(), "it is not too late for BOSH")
		g.Expect(taskOver(snap.Plan("gate"), snap.Roll("gate", "c0"), model.Via{})).To(Equal("mooring"), "so its task is watched")

		snap = snap.Apply(turnAway(snap, "BOSH task 7 ended as cancelled", convergeNow, func(_ *model.Plan, roll *model.Roll) bool { return untouched(snap, roll) }))
		snap = decided(snap, convergeNow)
		g.Expect(snap.Cordon("c0")).To(BeNil())
		g.Expect(snap.Ledger("a").Permits).To(HaveEach(HaveField("Want", model.WantBack)))
		g.Expect(snap.Roll("gate", "c0").LastNote()).To(Equal("BOSH task 7 ended as cancelled"))
		g.Expect(snap.Roll("gate", "c0").Phase).To(Equal(map[bool]model.Phase{false: model.RollAborted, true: model.Queued}[somebodyPlanned]))
	}
}

func TestARollThatSomebodyPlannedWaitsOnWithoutBOSH(t *testing.T) {
	g := NewWithT(t)
	records := gathered(1)
	records[0].(*model.Plan).Gathers = nil
	snap := state.SnapshotOf(records...)
	snap = snap.Apply(cancels(snap, "mooring"))
	g.Expect(snap.Roll("gate", "c0")).To(And(HaveField("Refused", Not(BeEmpty())), HaveField("AtGate", BeZero())))
	for range 3 {
		snap = decided(snap, convergeNow)
	}
	g.Expect(snap.Roll("gate", "c0").Phase.Final()).To(BeFalse())
}
