package explain

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// TestTheChainEndsAtTheCause plants one cause at a time and asks why c2 does
// not move.
func TestTheChainEndsAtTheCause(t *testing.T) {
	for _, c := range []struct {
		name   string
		plant  func(w *world)
		last   client.LinkKind
		of     string // whom or what the last link is about
		owner  string
		says   string // in the last link
		along  []string
		moving bool
	}{
		{name: "in no plan", plant: func(w *world) { w.plan.Status = model.PlanDone; w.in("c2", model.RollSkipped) },
			last: client.LinkCell, of: "c2", says: "in no plan that is under way; under plan p it was skipped", moving: true},
		{name: "in no plan, and gone", plant: func(w *world) { w.plan.Status = model.PlanDone; w.in("c2", model.RollDone); w.absent["c2"] = true },
			last: client.LinkCell, of: "c2", owner: operators, says: "does not answer"},
		{name: "in no plan, and its reports are refused", plant: func(w *world) {
			w.plan.Status = model.PlanDone
			w.in("c2", model.RollDone)
			w.absent["c2"] = true
			w.cells["c2"].Refused = "instances[0].index: is -1"
		}, last: client.LinkCell, of: "c2", owner: operators, says: "the control plane refuses what its agent reports: instances[0].index: is -1"},
		{name: "in no plan yet, and its deployment is deleted", plant: func(w *world) {
			w.plan.Status = model.PlanDone
			w.in("c2", model.RollDone)
			w.cells["c2"].Deployment = "mooring"
			w.more = append(w.more, &model.Plan{PlanSpec: model.PlanSpec{Name: "gate", Action: model.Retire}, Status: model.PlanRunning, Order: []string{"c1"}},
				&model.Roll{Plan: "gate", CellID: "c1", Action: model.Retire, Phase: model.Queued, AtGate: now, Deployment: "mooring", DeletesAll: true})
		}, last: client.LinkCell, of: "c2", says: "takes nothing new: BOSH deletes its deployment", moving: true},
		{name: "its turn has come", plant: func(w *world) { w.in("c1", model.RollDone) },
			last: client.LinkRoll, of: "c2", says: "it starts now", moving: true},
		{name: "the plan is paused", plant: func(w *world) {
			w.plan.Intent, w.plan.Reason, w.plan.IntentBy = model.IntentPause, "the network is being worked on", "ann"
		}, last: client.LinkPerson, of: "ann", owner: "ann", says: "ann paused plan p: the network is being worked on"},
		{name: "the window is closed", plant: func(w *world) { w.plan.Window = "Sun 02:00-06:00 UTC" },
			last: client.LinkWindow, of: "p", says: "opens at Sun 2026-11-22 02:00 UTC"},
		{name: "the cell does not answer", plant: func(w *world) { w.absent["c2"] = true; w.in("c1", model.RollDone) },
			last: client.LinkCell, of: "c2", owner: operators, says: "does not answer"},
		{name: "another plan has the cell", plant: func(w *world) {
			w.more = append(w.more, &model.Plan{PlanSpec: model.PlanSpec{Name: "q"}, Status: model.PlanRunning, Order: []string{"c2"}},
				&model.Cordon{CellID: "c2", Holder: "roll:q/c2"},
				&model.Roll{Plan: "q", CellID: "c2", Action: model.Reboot, Phase: model.Queued, Timeline: []model.Entry{{Phase: model.Queued}}})
			w.more = append(w.more, &model.Roll{Plan: "q", CellID: "c2", Action: model.Reboot, Phase: model.Acting, Timeline: []model.Entry{{Phase: model.Acting}}})
		}, last: client.LinkHost, of: "c2", owner: operators, says: "the reboot of cell c2 is under way", moving: true},
		{name: "a canary is under way", plant: func(w *world) { w.plan.Canaries = 1; w.in("c3", model.Acting); w.rolls["c3"].Error = "no such host" },
			last: client.LinkHost, of: "c3", owner: operators, says: "failed: no such host", along: []string{"canaries, one at a time, and 0 are done"}},
		{name: "the ceiling is reached", plant: func(w *world) { w.plan.MaxInFlight = model.Limit{Count: 1}; w.in("c3", model.Acting) },
			last: client.LinkHost, of: "c3", owner: operators, says: "is under way", along: []string{"at most 1 cells at once"}, moving: true},
		{name: "BOSH is working on another cell", plant: func(w *world) {
			w.plan.Via.Bosh, w.plan.Cells.IDs = &model.BoshVia{Deployment: "moor", InstanceGroup: "cell"}, []string{"c1", "c2", "c3"}
			w.in("c3", model.Acting)
		}, last: client.LinkHost, of: "c3", owner: operators, says: "is under way", along: []string{"lock: BOSH works on one cell of deployment moor at a time"}, moving: true},
		{name: "BOSH has not come to it", plant: func(w *world) { w.plan.Via.Bosh = &model.BoshVia{Deployment: "moor", InstanceGroup: "cell"} },
			last: client.LinkHost, of: "c2", owner: operators, says: "in an order of its own, and has not come to cell c2", moving: true},
		{name: "somebody holds the deployment", plant: func(w *world) {
			w.plan.Via.Bosh = &model.BoshVia{Deployment: "moor", InstanceGroup: "cell"}
			w.more = append(w.more, &model.Stuck{ID: "p.director", Kind: model.DirectorBlocks, Plan: "p", What: "it waits to begin", Owner: operators,
				Error: "task 7 (deploy) by olga holds the deployment"})
		}, last: client.LinkLock, of: "p", owner: operators, says: "task 7 (deploy) by olga holds the deployment"},
		{name: "more of an app than may go at once moves in steps", plant: func(w *world) { w.crowd(); w.in("c1", model.RollDone) },
			last: client.LinkRoll, of: "c2", says: "it starts now", moving: true},
		{name: "the next step waits for the one before", plant: func(w *world) {
			w.crowd()
			w.in("c2", model.Moving)
			w.permit(1, "roll:p/c2", model.StepAway)
			w.instances[1].CellID, w.actuals[1].CellID, w.actuals[1].State = "c1", "c1", model.Starting
		}, last: client.LinkInstance, of: redisAt(1), owner: "team-redis", says: "is starting on cell c1", moving: true,
			along: []string{"roll: what has left cell c2 does not serve yet, and more of its app is to follow"}},
		{name: "another cell comes first", plant: func(*world) {},
			last: client.LinkRoll, of: "c1", says: "it starts now", along: []string{"cell c1 comes before it in the plan, and both host acme/prod/redis"}, moving: true},
		{name: "an instance elsewhere has crashed", plant: func(w *world) {
			w.actuals[2].State, w.actuals[2].LastExit, w.actuals[2].Output = model.Crashed, "exit status 3", []string{"start", "no space left"}
		}, last: client.LinkInstance, of: redisAt(2), owner: "team-redis", says: "is crashed on cell c3; exit status 3; it last wrote: no space left",
			along: []string{"policy: acme/prod/redis allows max_interrupted 1 of 3, used up by /2 (crashed)"}},
		{name: "an instance elsewhere is on a cell that is gone", plant: func(w *world) { w.absent["c3"] = true },
			last: client.LinkCell, of: "c3", owner: operators, says: "does not answer", along: []string{"instance: acme/prod/redis/2 is on cell c3"}},
		{name: "an instance elsewhere is placed nowhere", plant: func(w *world) {
			w.instances[2].CellID, w.instances[2].Unplaced = "", "no cell has 4G left"
		}, last: client.LinkInstance, of: redisAt(2), owner: operators, says: "placed nowhere: no cell has 4G left"},
		{name: "another roll's handler is at work", plant: func(w *world) {
			w.in("c3", model.Interrupting)
			w.permit(2, "roll:p/c3", model.StepRunning)
			w.works(2, model.TaskRunning)
		}, last: client.LinkHandler, of: redisAt(2), owner: "team-redis", says: "interrupt handler of acme/prod/redis/2 is running at 31% (5300 slots), with 40s left",
			along: []string{"used up by /2 (interrupt for roll:p/c3)", "roll: cell c3 is interrupting"}, moving: true},
		{name: "an update holds the budget", plant: func(w *world) {
			w.permit(2, "update:redis", model.StepBack)
			w.actuals[2].State = model.Starting
		}, last: client.LinkInstance, of: redisAt(2), owner: "team-redis", says: "is starting on cell c3",
			along: []string{"claim: the update of acme/prod/redis to a new version is under way"}, moving: true},
		{name: "a claim is before it in the line", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.in("c3", model.Interrupting)
			w.claims("c3", 2, 1)
			w.claims("c2", 1, 2)
		}, last: client.LinkClaim, of: "roll:p/c3", says: "permits are being granted", along: []string{"roll:p/c3 was in the line before"}, moving: true},
		{name: "the policy never allows it", plant: func(w *world) { w.app.Policy.MaxInterrupted = model.Limit{} },
			last: client.LinkPerson, of: "team-redis", owner: "team-redis", says: "raise max_interrupted of acme/prod/redis",
			along: []string{"policy: acme/prod/redis allows max_interrupted 0 of 3: never"}},
		{name: "its own handler is at work", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.permit(1, "roll:p/c2", model.StepRunning)
			w.works(1, model.TaskRunning)
		}, last: client.LinkHandler, of: redisAt(1), owner: "team-redis", says: "running at 31%", moving: true},
		{name: "its cell has not taken the handler up", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.permit(1, "roll:p/c2", model.StepGranted)
		}, last: client.LinkHandler, of: redisAt(1), owner: operators, says: "cell c2 has not taken up the interrupt", moving: true},
		{name: "its cell is gone in the middle", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.permit(1, "roll:p/c2", model.StepGranted)
			w.absent["c2"] = true
		}, last: client.LinkCell, of: "c2", owner: operators, says: "does not answer"},
		{name: "what it drains finds no place", plant: func(w *world) {
			w.in("c2", model.Draining)
			w.permit(1, "roll:p/c2", model.StepYielded).Kind = model.Drain
			w.instances[1].Unplaced = "no cell of z1 has 10G of persistent disk"
		}, last: client.LinkInstance, of: redisAt(1), owner: operators, says: "no cell takes it: no cell of z1 has 10G"},
		{name: "a replacement starts", plant: func(w *world) {
			w.in("c2", model.Moving)
			w.instances[1].Volumes, w.instances[1].Next = nil, &model.Placement{CellID: "c3"}
		}, last: client.LinkInstance, of: redisAt(1), owner: "team-redis", says: "the replacement of acme/prod/redis/1 on cell c3 is not heard of yet", moving: true},
		{name: "somebody else is to act", plant: func(w *world) { w.plan.Via.Wait = true; w.in("c2", model.Acting) },
			last: client.LinkPerson, of: operators, owner: operators, says: "leaves the recreate of cell c2 to somebody else"},
		{name: "BOSH has it", plant: func(w *world) { w.plan.Via.Wait = true; w.in("c2", model.Acting).AtGate = now },
			last: client.LinkHost, of: "c2", owner: operators, says: "BOSH has leave to stop cell c2"},
		{name: "it is tried again once BOSH's task has ended", plant: func(w *world) {
			w.plan.Via.Bosh, w.plan.Converging = &model.BoshVia{Deployment: "moor", InstanceGroup: "cell"}, &model.Converging{Answered: true}
			w.in("c2", model.Acting).Alone = true
		}, last: client.LinkHost, of: "c2", owner: operators, says: "begins anew once BOSH's task for the whole group, which is done with it, has ended", moving: true},
		{name: "it waits at its gate while nobody hears of BOSH's task", plant: func(w *world) {
			w.plan.Via.Bosh, w.plan.Converging = &model.BoshVia{Deployment: "moor", InstanceGroup: "cell"}, &model.Converging{Unheard: "no route to host"}
			w.more = append(w.more, &model.Stuck{ID: "p.director", Kind: model.DirectorBlocks, Plan: "p", What: "nobody hears of it", Owner: operators, Error: "no route to host"})
			w.in("c1", model.RollDone)
			w.rolls["c2"].AtGate = now
		}, last: client.LinkRoll, of: "c2", says: "it starts now", moving: true},
		{name: "its agent is not back", plant: func(w *world) { w.in("c2", model.Returning); w.absent["c2"] = true },
			last: client.LinkHost, of: "c2", owner: operators, says: "its agent does not answer yet"},
		{name: "it was never recreated", plant: func(w *world) { w.in("c2", model.Returning).Boot = "boot-2" },
			last: client.LinkHost, of: "c2", owner: operators, says: "the host was restarted, not recreated"},
		{name: "it is back without a volume", plant: func(w *world) {
			w.in("c2", model.Returning).Boot = "boot-1"
			w.more = append(w.more, &model.Volume{GUID: "v9", SetGUID: "set", Index: 9, CellID: "c2", Mounted: true})
		}, last: client.LinkHost, of: "c2", owner: operators, says: "without its volumes acme/prod/data/9"},
		{name: "its instance crashes after it is back", plant: func(w *world) {
			w.in("c2", model.Settling)
			w.permit(1, "roll:p/c2", model.StepAway).Want = model.WantBack
			w.actuals[1].State, w.actuals[1].LastExit = model.Crashed, "signal: killed"
		}, last: client.LinkInstance, of: redisAt(1), owner: "team-redis", says: "crashed on cell c2; signal: killed"},
		{name: "its instance soaks", plant: func(w *world) {
			w.in("c2", model.Settling)
			w.permit(1, "roll:p/c2", model.StepSoaking).Want = model.WantBack
			w.actuals[1].State = model.Soaking
		}, last: client.LinkInstance, of: redisAt(1), owner: "team-redis", says: "is soaking", moving: true},
		{name: "a handler hangs", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.sticks("c2", &model.Stuck{Kind: model.HandlerHung, What: "it hangs", Owner: "team-redis", AppGUID: "redis", Index: 1, Progress: 0.31,
				Message: "moving", Output: []string{"waiting for the lock"}, Answers: []model.Verb{model.Retry, model.Force}})
		}, last: client.LinkPerson, of: "team-redis", owner: "team-redis", says: "moor resolve p.c2.handler-hung retry|force",
			along: []string{"stuck: it hangs", "handler: it last reported 31% moving; it last wrote: waiting for the lock"}},
		{name: "an instance does not stop", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.sticks("c2", &model.Stuck{Kind: model.InstanceNotStopped, What: "it stays", Owner: operators, CellID: "c2", AppGUID: "redis", Index: 1,
				Error: "detaching volume v1: the device is busy", Answers: []model.Verb{model.Retry}})
		}, last: client.LinkPerson, of: operators, owner: operators, says: "moor resolve p.c2.instance-not-stopped retry",
			along: []string{"stuck: it stays", "instance: acme/prod/redis/1 stays on cell c2: detaching volume v1: the device is busy"}},
		{name: "an agent takes nothing up", plant: func(w *world) {
			w.in("c2", model.Interrupting)
			w.sticks("c2", &model.Stuck{Kind: model.InstanceNotStopped, What: "it stays", Owner: operators, CellID: "c2", AppGUID: "redis", Index: 1, Answers: []model.Verb{model.Retry}})
		}, last: client.LinkPerson, of: operators, owner: operators, says: "moor resolve",
			along: []string{"cell: the agent of cell c2 has not taken up what it was asked of acme/prod/redis/1"}},
		{name: "it was answered", plant: func(w *world) {
			w.sticks("c2", &model.Stuck{Kind: model.ActionFailed, What: "it failed", Owner: operators, Error: "no route to host", Answers: []model.Verb{model.Retry},
				Answer: &model.Answer{Verb: model.Retry, By: "ann", Reason: "cable put back"}})
		}, last: client.LinkPerson, of: "ann", owner: "ann", says: "ann answered with retry (cable put back)", along: []string{"host: no route to host"}, moving: true},
		{name: "it waits for a budget, flagged", plant: func(w *world) {
			w.actuals[2].State, w.actuals[2].LastExit = model.Crashed, "exit status 3"
			w.sticks("c2", &model.Stuck{Kind: model.WaitingForBudget, What: "it waits", Owner: "team-redis", AppGUID: "redis", Index: 2, Answers: []model.Verb{model.Skip}})
		}, last: client.LinkPerson, of: "team-redis", owner: "team-redis", says: "team-redis must see to it",
			along: []string{"instance: acme/prod/redis/2 is crashed on cell c3; exit status 3"}},
		{name: "a policy forbids it, flagged", plant: func(w *world) {
			w.app.Policy.MaxInterrupted = model.Limit{}
			w.sticks("c2", &model.Stuck{Kind: model.PolicyForbids, What: "never", Owner: "team-redis", AppGUID: "redis", Answers: []model.Verb{model.Skip}})
		}, last: client.LinkPerson, of: "team-redis", owner: "team-redis", says: "moor resolve p.c2.policy-forbids skip", along: []string{"policy: the policy of acme/prod/redis allows max_interrupted 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld()
			c.plant(w)

			why := Cell(w.snapshot(), "c2", now, AllOutput)

			chain := told(why)
			last := why.Chain[len(why.Chain)-1]
			g.Expect(last.Kind).To(Equal(c.last), chain)
			g.Expect(last.Name).To(Equal(c.of), chain)
			g.Expect(last.Owner).To(Equal(c.owner), chain)
			g.Expect(last.Text).To(ContainSubstring(c.says), chain)
			for _, text := range c.along {
				g.Expect(chain).To(ContainSubstring(text))
			}
			g.Expect(why.Moving).To(Equal(c.moving), chain)
		})
	}
}

func TestAPlanIsExplainedByTheDirector(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.more = append(w.more, &model.Stuck{ID: "p.director", Kind: model.DirectorBlocks, Plan: "p", What: "it waits to begin", Error: "olga holds it"})
	g.Expect(told(Plan(w.snapshot(), "p", now, AllOutput))).To(HaveSuffix("stuck: it waits to begin\nlock: olga holds it"))
}

func TestTwoThatWaitForEachOtherEndTheChain(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	for _, cell := range []string{"c1", "c2"} {
		w.more = append(w.more, &model.Cordon{CellID: cell, Holder: map[string]string{"c1": "roll:p/c2", "c2": "roll:p/c1"}[cell]})
	}
	why := Cell(w.snapshot(), "c2", now, AllOutput)
	g.Expect(told(why)).To(HaveSuffix("the two wait for each other"))
	g.Expect(why.Moving).To(BeFalse())
}

func TestAPlanIsExplainedByWhatNeedsAPerson(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.in("c1", model.Acting)
	w.in("c3", model.Interrupting)
	for i, cell := range []string{"c2", "c3"} {
		w.sticks(cell, &model.Stuck{Kind: model.HandlerHung, What: cell + " hangs", Owner: "team-redis", AppGUID: "redis", Index: i + 1,
			FlaggedAt: now.Add(-time.Duration(i) * time.Minute), Answers: []model.Verb{model.Retry}})
	}

	why := Plan(w.snapshot(), "p", now, AllOutput)

	g.Expect(told(why)).To(HavePrefix("plan: plan p is running: 0 of 3 cells are over, 1 under way, 2 stuck\nroll: cell c3 is interrupting"), "flagged first")
	g.Expect(why.Also).To(Equal([]string{"p.c2.handler-hung"}))
	g.Expect(why.Moving).To(BeFalse())
}

func TestAPlanIsExplainedByWhatIsUnderWayOrNext(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.in("c1", model.RollDone)
	g.Expect(told(Plan(w.snapshot(), "p", now, AllOutput))).To(ContainSubstring("roll: cell c2 is in line"))
	w.in("c3", model.Acting)
	g.Expect(told(Plan(w.snapshot(), "p", now, AllOutput))).To(ContainSubstring("host: the recreate of cell c3 is under way"))
	w.plan.Status = model.PlanDone
	done := Plan(w.snapshot(), "p", now, AllOutput)
	g.Expect(done.Chain).To(HaveLen(1))
	g.Expect(done.Moving).To(BeTrue())
}

func TestACellThatSettlesIsWaitedFor(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.plan.Order = []string{"c2"}
	w.more = append(w.more, &model.Plan{PlanSpec: model.PlanSpec{Name: "q"}, Status: model.PlanRunning, Order: []string{"c2"}},
		&model.Roll{Plan: "q", CellID: "c2", Action: model.Reboot, Phase: model.Settling, Timeline: []model.Entry{{Phase: model.Settling}}})
	g.Expect(told(Plan(w.snapshot(), "p", now, AllOutput))).To(ContainSubstring("lock: cell c2 settles after a roll of plan q\nroll: cell c2 is settling for the reboot of plan q"))
}

func TestWhatDoesNotExistIsNotExplained(t *testing.T) {
	g, snap := NewWithT(t), newWorld().snapshot()
	g.Expect(Cell(snap, "c9", now, AllOutput)).To(BeNil())
	g.Expect(Plan(snap, "q", now, AllOutput)).To(BeNil())
}
