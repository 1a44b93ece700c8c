package orchestrator

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/host"
	"mooring/model"
	"mooring/state"
)

const noRoomForVM = "BOSH task 7 failed on cell/c1 and goes on with those in flight: no hypervisor has room"

// inTask is a group whose task is under way: c1 was stopped and does not
// answer, c2 waits at its gate for permits that it does not get, c3 for its
// turn, and to c4 BOSH has not come.
func inTask() *state.Snapshot {
	records := group(model.Returning, model.Interrupting, model.Queued, model.Queued)
	records[0].(*model.Plan).Converging = &model.Converging{}
	var kept []model.Record
	for _, record := range records {
		switch r := record.(type) {
		case *model.Presence:
			if r.CellID == "c1" {
				continue
			}
		case *model.Roll:
			if r.CellID != "c4" {
				r.AtGate = convergeNow
			}
			if r.CellID == "c1" {
				r.Acted = true
				r.Timeline = append([]model.Entry{{Phase: model.Acting, At: convergeNow}}, r.Timeline...)
			}
		}
		kept = append(kept, record)
	}
	app := &model.App{GUID: "a", Name: model.Name{Org: "o", Space: "s", Name: "redis"}, Instances: 4, Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}}
	kept = append(kept, app, &model.Ledger{AppGUID: "a", Permits: []model.Permit{{ID: "1", Index: 0, Holder: "roll:p/c1", CellID: "c1", Kind: model.Interrupt, Reason: model.ReasonRoll, Step: model.StepAway, Want: model.WantOut}}})
	for i, cell := range []string{"c1", "c2", "c3", "c4"} {
		kept = append(kept, &model.Instance{AppGUID: "a", Index: i, Placement: model.Placement{CellID: cell, GUID: "i" + cell}, Volumes: []string{"v" + cell}},
			&model.VolumeSet{GUID: "set", Survives: model.Recreate}, &model.Volume{GUID: "v" + cell, SetGUID: "set", Index: i, CellID: cell, Mounted: true})
		if cell != "c1" {
			kept = append(kept, &model.ActualInstance{AppGUID: "a", Index: i, CellID: cell, GUID: "i" + cell, State: model.Serving},
				&model.ActualVolume{GUID: "v" + cell, CellID: cell})
		}
	}
	kept = append(kept, &model.Claim{Holder: "roll:p/c2", CellID: "c2", Reason: model.ReasonRoll, Action: model.Recreate, Demands: []model.Demand{{AppGUID: "a", Index: 1, Kind: model.Interrupt}}})
	return state.SnapshotOf(kept...)
}

// looked is a snapshot after some looks.
func looked(snap *state.Snapshot, at time.Time) *state.Snapshot {
	for range 5 {
		txns, _ := decide(snap, at, model.Via{}, time.Time{})
		for _, tx := range txns {
			snap = snap.Apply(tx)
		}
	}
	return snap
}

// answered is a snapshot with an answer to an alert.
func answered(snap *state.Snapshot, alert string, verb model.Verb, confirm ...string) *state.Snapshot {
	next := *snap.StuckItem(alert)
	next.Answer = &model.Answer{Verb: verb, By: "olga", Reason: "seen to", Confirm: confirm}
	tx := snap.Txn()
	tx.Put(&next)
	return snap.Apply(tx)
}

func TestACellThatBOSHFailsOnIsFlaggedWhileItsTaskGoesOn(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	snap = looked(snap.Apply(failedOn(snap, "p", "c1", noRoomForVM, convergeNow)), convergeNow)
	alert := snap.StuckItem("p.c1.action-failed")
	g.Expect(alert).NotTo(BeNil())
	g.Expect(alert.Error).To(Equal(noRoomForVM))
	g.Expect(alert.Owner).To(Equal(model.CloudOps))
	g.Expect(alert.Blocks).To(ContainElements("c1", "c3"))
	g.Expect(alert.Answers).To(Equal([]model.Verb{model.Retry, model.Skip, model.Lost}))
	g.Expect(failedOn(snap, "p", "c1", noRoomForVM, convergeNow)).To(BeNil(), "whoever leads next is told again")

	for _, cell := range []string{"c2", "c3"} {
		g.Expect(waitsAtGate(snap.Roll("p", cell))).To(BeTrue(), "%s waits on until somebody answers", cell)
	}
	g.Expect(snap.Plan("p").Intent).To(Equal(model.IntentRun))
}

func TestTheAnswerForACellThatBOSHFailedOnLetsItsTaskEnd(t *testing.T) {
	for verb, phase := range map[model.Verb]model.Phase{model.Retry: model.Acting, model.Skip: model.RollSkipped, model.Lost: model.RollSkipped} {
		t.Run(string(verb), func(t *testing.T) {
			g := NewWithT(t)
			snap := inTask()
			snap = looked(snap.Apply(failedOn(snap, "p", "c1", noRoomForVM, convergeNow)), convergeNow)
			snap = looked(answered(snap, "p.c1.action-failed", verb, snap.StuckItem("p.c1.action-failed").Data...), convergeNow)

			g.Expect(snap.Roll("p", "c1").Phase).To(Equal(phase))
			for _, cell := range []string{"c2", "c3"} {
				g.Expect(snap.Roll("p", cell)).To(And(HaveField("Refused", ContainSubstring("BOSH failed on cell c1")), HaveField("Phase", model.Queued)), cell)
			}
			g.Expect(snap.Roll("p", "c4").Refused).To(BeEmpty(), "nobody is at its gate")
			g.Expect(snap.Ledger("a").Permits).To(HaveLen(map[model.Verb]int{model.Retry: 1, model.Skip: 1}[verb]))

			arrived := *snap.Roll("p", "c4") // it was in flight already
			arrived.AtGate = convergeNow
			tx := snap.Txn()
			tx.Put(&arrived)
			snap = looked(snap.Apply(tx), convergeNow)
			g.Expect(snap.Roll("p", "c4").Refused).NotTo(BeEmpty(), "who comes later is turned away, too")

			snap = looked(snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow)), convergeNow)
			g.Expect(snap.Plan("p")).To(And(HaveField("Intent", model.IntentRun), HaveField("Converging.Ended", ContainSubstring("task 7"))), "a person has said how to go on")
			g.Expect(snap.Roll("p", "c1").Error).To(Equal(map[bool]string{false: noRoomForVM}[verb == model.Retry]))
		})
	}
}

func TestARetryIsAnActionOnTheCellAloneOnceTheTaskHasEnded(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	snap = looked(snap.Apply(failedOn(snap, "p", "c1", noRoomForVM, convergeNow)), convergeNow)
	snap = looked(answered(snap, "p.c1.action-failed", model.Retry), convergeNow)
	g.Expect(snap.StuckItems()).To(BeEmpty())
	g.Expect(wantsAction(snap.Plan("p"), snap.Roll("p", "c1"))).To(BeFalse(), "the task has the deployment")
	snap = looked(snap, convergeNow.Add(100*time.Hour))
	g.Expect(snap.Roll("p", "c1").StuckID).To(BeEmpty(), "what the task waits for is another cell's")

	snap = looked(snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow)), convergeNow)
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Acting), HaveField("Acted", false), HaveField("Error", "")), "that it does not answer says nothing")
	g.Expect(wantsAction(snap.Plan("p"), snap.Roll("p", "c1"))).To(BeTrue())
	g.Expect((&actions{}).driver(snap.Plan("p"))).To(Equal(host.Bosh{Via: *snap.Plan("p").Via.Bosh}))
	for _, cell := range []string{"c2", "c3", "c4"} {
		g.Expect(snap.Roll("p", cell).Phase).To(Equal(model.Queued), "what c1 spends is still spent")
	}

	tx := snap.Txn()
	tx.Put(&model.Presence{CellID: "c1", Boot: "b2", Start: "s2"})
	tx.Put(&model.ActualVolume{GUID: "vc1", CellID: "c1"})
	snap = looked(snap.Apply(tx), convergeNow)
	g.Expect(snap.Roll("p", "c1").Phase).To(Equal(model.Settling))
}

func TestARetryOfACellThatStillAnswersWaitsForTheTaskToo(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	roll := *snap.Roll("p", "c1")
	roll.Phase, roll.Acted, roll.Timeline = model.Acting, false, roll.Timeline[:1]
	tx := snap.Txn()
	tx.Put(&roll)
	tx.Put(&model.Presence{CellID: "c1", Boot: "b"})
	snap = snap.Apply(tx)
	snap = looked(snap.Apply(failedOn(snap, "p", "c1", "1 of 1 pre-stop scripts failed", convergeNow)), convergeNow)
	snap = looked(answered(snap, "p.c1.action-failed", model.Retry), convergeNow)
	snap = looked(snap.Apply(converged(snap, "p", errors.New("BOSH task 7 ended as error"), convergeNow)), convergeNow)
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Acting), HaveField("Refused", ""), HaveField("Error", "")))
	g.Expect(wantsAction(snap.Plan("p"), snap.Roll("p", "c1"))).To(BeTrue())

	tx = snap.Txn()
	tx.Delete(snap.Presence("c1")) // its VM was gone already, and nobody had noticed
	snap = looked(snap.Apply(tx), convergeNow)
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Acting), HaveField("Acted", false)))
}

func TestAPlanThatSkipsWhatIsStuckSkipsWhatBOSHFailsOn(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	plan := *snap.Plan("p")
	plan.OnStuck = model.StuckSkip
	tx := snap.Txn()
	tx.Put(&plan)
	snap = snap.Apply(tx)
	snap = looked(snap.Apply(failedOn(snap, "p", "c1", noRoomForVM, convergeNow)), convergeNow)
	g.Expect(snap.Roll("p", "c1").Phase).To(Equal(model.RollSkipped))
	g.Expect(snap.Roll("p", "c2").Refused).NotTo(BeEmpty())
	g.Expect(snap.StuckItem("cell.c1.cell-gone")).NotTo(BeNil(), "it is not forgotten")
}

func TestAFailureOnACellThatBOSHHadNotStopped(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	snap = looked(snap.Apply(failedOn(snap, "p", "c3", "no such template", convergeNow)), convergeNow)
	g.Expect(snap.Roll("p", "c3")).To(And(HaveField("Phase", model.Queued), HaveField("Error", ""), HaveField("AtGate", BeZero())))
	g.Expect(snap.StuckItem("p.director").What).To(Equal("BOSH begins no more cells of plan p: it failed on cell c3, which it had not stopped: no such template"))
	g.Expect(waitsAtGate(snap.Roll("p", "c2"))).To(BeTrue(), "those in flight go on")

	away := snap.Apply(turnAway(snap, "the task is being cancelled", convergeNow, func(_ *model.Plan, roll *model.Roll) bool { return roll.CellID == "c2" }))
	g.Expect(failedOn(away, "p", "c2", "pre-stop scripts failed", convergeNow)).To(BeNil(), "being turned away is no failure")
}

func TestATaskThatNobodyHearsOf(t *testing.T) {
	g := NewWithT(t)
	snap := inTask()
	snap = looked(snap.Apply(unheard(snap, "p", "BOSH task 7 goes on, and cannot be followed: no route to host")), convergeNow)
	g.Expect(snap.StuckItem("p.director").What).To(Equal("plan p is in BOSH's hands, and nobody hears of its task: BOSH task 7 goes on, and cannot be followed: no route to host"))
	g.Expect(unheard(snap, "p", snap.Plan("p").Converging.Unheard)).To(BeNil(), "it is on record")
	snap = looked(snap.Apply(unheard(snap, "p", "")), convergeNow)
	g.Expect(snap.StuckItem("p.director").Recovered()).To(BeTrue())
	snap = looked(snap, convergeNow.Add(keepOpen))
	g.Expect(snap.StuckItem("p.director")).To(BeNil())
}

func TestWhoeverLeadsNextKnowsThatATaskHasStarted(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Queued, model.Queued)
	records[0].(*model.Plan).Converging = &model.Converging{Task: &model.HostTask{ID: 7}}
	snap := state.SnapshotOf(records...)
	snap = snap.Apply(converging(snap, "p", "no route to host"))
	g.Expect(snap.Plan("p").Converging).To(And(HaveField("Waits", ""), HaveField("Unheard", "BOSH task 7 goes on, and cannot be followed: no route to host")), "cells at their gates are in its hands")
	g.Expect(converging(snap, "p", "no route to host")).To(BeNil(), "it is on record")
}

func TestRetry_OfAHostThatBOSHOnlyRestarted(t *testing.T) {
	g := NewWithT(t)
	records := group(model.Returning, model.Queued)
	plan, roll := records[0].(*model.Plan), records[3].(*model.Roll)
	plan.Converging = &model.Converging{}
	roll.Acted, roll.Boot, roll.Start = true, "b", "before"
	snap := looked(state.SnapshotOf(records...), convergeNow)
	const alert = "p.c1.cell-not-returned"
	g.Expect(snap.StuckItem(alert)).To(BeNil(), "BOSH may have more to do")

	back := *snap.Roll("p", "c1")
	back.BackAt, back.BackAsking = convergeNow, "post-start"
	snap = looked(snap.Apply(put(snap, &back)), convergeNow)
	g.Expect(snap.StuckItem(alert)).NotTo(BeNil())
	g.Expect(snap.StuckItem(alert).Answers).To(Equal([]model.Verb{model.Retry, model.Skip, model.Lost}), "nothing comes of waiting")
	g.Expect(snap.StuckItem(alert).Effects).To(HaveEach(HaveSuffix("BOSH, which waits at the cell's gate, goes on.")))

	snap = looked(answered(snap, alert, model.Retry), convergeNow)
	g.Expect(snap.StuckItems()).To(BeEmpty())
	g.Expect(snap.Roll("p", "c1")).To(And(HaveField("Phase", model.Acting), HaveField("Alone", true), HaveField("BackAt", BeZero())),
		"the task comes to it no more, so it is acted on by itself once that has ended")
	g.Expect(snap.Roll("p", "c1").HoldsBack("post-start")).To(BeFalse(), "the task would never end")
	g.Expect(snap.Roll("p", "c1").HoldsBack("a later one")).To(BeTrue())
	snap = snap.Apply(converged(snap, "p", nil, convergeNow))
	g.Expect(wantsAction(snap.Plan("p"), snap.Roll("p", "c1"))).To(BeTrue())
}
