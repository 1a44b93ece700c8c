package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// says is what BOSH's task 7 says of a host.
func says(last string) model.HostTask {
	return model.HostTask{ID: 7, Last: last, At: convergeNow}
}

func ofPlan(name string) func(*model.Plan, *model.Roll) bool {
	return func(plan *model.Plan, _ *model.Roll) bool { return plan.Name == name }
}

func TestWhatBOSHSaysIsKeptWithTheRollsThatItIsAbout(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Queued, model.Returning, model.Settling, model.RollDone)
	records[0].(*model.Plan).Converging = &model.Converging{}
	snap := state.SnapshotOf(records...)
	last := map[string]model.HostTask{"": says("Preparing deployment: Preparing deployment, started")}
	for _, cell := range []string{"c1", "c2", "c3", "c4", "router"} {
		last[cell] = says(cell + ", executing pre-stop")
	}
	g.Expect(heard(snap, last, "q", ofPlan("q"))).To(BeNil(), "another plan's task")
	snap = snap.Apply(heard(snap, last, "p", ofPlan("p")))
	g.Expect(snap.Plan("p").Converging.Task.Last).To(HavePrefix("Preparing deployment"))
	g.Expect(snap.Roll("p", "c1").Task.Last).To(HavePrefix("c1"))
	g.Expect(snap.Roll("p", "c2").Task.Last).To(HavePrefix("c2"))
	g.Expect(snap.Roll("p", "c3").Task).To(BeNil(), "it is back")
	g.Expect(snap.Roll("p", "c4").Task).To(BeNil(), "it is over")

	for cell, again := range last {
		again.At = again.At.Add(time.Hour)
		last[cell] = again
	}
	g.Expect(heard(snap, last, "p", ofPlan("p"))).To(BeNil(), "the same once more is no news")
	g.Expect(heard(snap, map[string]model.HostTask{"": {ID: 7}}, "p", ofPlan("p"))).To(BeNil(), "nor is that the task is followed again")
	snap = snap.Apply(converging(snap, "p", "the Director does not answer"))
	g.Expect(snap.Plan("p").Converging.Task).NotTo(BeNil())
}

// look decides until nothing more is decided.
func look(snap *state.Snapshot, now time.Time) *state.Snapshot {
	for {
		txns, _ := decide(snap, now, model.Via{}, time.Time{})
		if len(txns) == 0 {
			return snap
		}
		for _, tx := range txns {
			snap = snap.Apply(tx)
		}
	}
}

func TestACellThatIsNotBackHasWhatBOSHLastSaidForEvidence(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Returning)
	records[0].(*model.Plan).Via.Within = model.Duration(time.Minute)
	roll := records[3].(*model.Roll)
	roll.Acted, roll.Start = true, "before"
	records = append(records[:2], roll) // it is away
	snap := state.SnapshotOf(records...)
	tell := func(task model.HostTask) {
		snap = snap.Apply(heard(snap, map[string]model.HostTask{"c1": task}, "p", ofPlan("p")))
	}
	tell(says("Updating instance: c1, stopping jobs"))
	later := convergeNow.Add(2 * time.Minute)
	snap = look(snap, later)
	alert := snap.StuckItem("p.c1." + string(model.NotReturned))
	g.Expect(alert.Task.Said(later)).To(Equal("BOSH task 7, last: Updating instance: c1, stopping jobs 2m ago"))

	tell(says("Updating instance: c1, installing packages"))
	snap = look(snap, later)
	g.Expect(snap.StuckItem(alert.ID).Task.Last).To(HaveSuffix("installing packages"), "the evidence is the newest")

	failed := says("Updating instance: c1, failed: no more hosts")
	failed.Failed = true
	tell(failed)
	snap = look(snap, later)
	g.Expect(snap.StuckItem("p.c1."+string(model.ActionFailed))).To(And(
		HaveField("Error", ContainSubstring("no more hosts")), HaveField("Answers", ContainElement(model.Retry))), "nobody waits for what BOSH has given up")
	g.Expect(snap.StuckItem(alert.ID)).To(BeNil())
}

func TestATaskIsHeardOfFromTheGateUntilTheCellIsBack(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Returning)
	plan, roll := records[0].(*model.Plan), records[3].(*model.Roll)
	plan.Cells = model.Selector{IDs: []string{"c1"}}
	for phase, from := range map[model.Phase]string{model.Queued: "", model.Acting: "mooring", model.Returning: "mooring", model.Settling: "", model.RollDone: ""} {
		at := *roll
		at.Phase = phase
		g.Expect(actsOn(plan, &at)).To(Equal(from), "%s, though no gate has told of it", phase)
	}
	roll.Phase, roll.AtGate, roll.Deployment = model.Interrupting, convergeNow, "other"
	g.Expect(actsOn(plan, roll)).To(Equal("other"), "the gate knows better")
	plan.Cells = model.Selector{All: true}
	g.Expect(actsOn(plan, roll)).To(BeEmpty(), "the plan's own task is followed as such")
}
