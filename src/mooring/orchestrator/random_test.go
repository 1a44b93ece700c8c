package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mooring/model"
)

// TestAnyFleetThroughAnything rolls random fleets by random plans while
// handlers hang, processes crash, cells die, hosts fail, people answer, pause
// and abort, others disrupt the same apps, and the orchestrator is killed
// between any two of its commits. The invariants hold at every change; when
// everything is mended, every roll ends or an alert says why not.
func TestAnyFleetThroughAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		w.drawFleet(rt)
		w.drawPlan(rt, "plan")
		story := []string{}
		for range rapid.IntRange(5, 60).Draw(rt, "length") {
			story = append(story, w.drawTurn(rt))
			w.checkExplained()
			w.hold(rt, story)
		}
		w.mend()
		for round := range 40 {
			w.run(48 * time.Hour)
			if !w.finishUpdates() && !w.answerAll(round) {
				break
			}
		}
		w.checkRest()
		w.hold(rt, append(story, "all mended"))
		w.checkEnded()
		w.hold(rt, append(story, "all mended and answered"))
	})
}

// TestNothingIsDownButWhatIsPlanned watches from outside: as long as nothing
// fails, no app ever has more instances away than its policy allows.
func TestNothingIsDownButWhatIsPlanned(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		w.drawFleet(rt)
		w.drawPlan(rt, "plan")
		w.run(48 * time.Hour)
		w.checkRest()
		w.hold(rt, nil)
		for _, app := range w.snap.Apps() {
			if allowed := app.Policy.Disrupted(app.Instances); w.most[app.GUID] > allowed {
				rt.Fatalf("%s had %d away, its policy allows %d\n%s", app.GUID, w.most[app.GUID], allowed, w.events())
			}
		}
	})
}

func (w *world) hold(rt *rapid.T, story []string) {
	if len(w.violations) > 0 {
		rt.Fatalf("%s\nafter %s\n%s\n%s\n%s\n%s", strings.Join(w.violations, "\n"), strings.Join(story, "; "), w.events(), w.rollsText(), w.stuckText(), w.booksText())
	}
}

// booksText tells who holds and who waits for what, and what runs where.
func (w *world) booksText() string {
	var b strings.Builder
	for _, ledger := range w.snap.Ledgers() {
		for _, p := range ledger.Permits {
			fmt.Fprintf(&b, "permit %s/%d %s %s want %s of %s on %s\n", ledger.AppGUID, p.Index, p.Kind, p.Step, p.Want, p.Holder, p.CellID)
		}
	}
	for _, claim := range w.snap.Claims() {
		_, verdict := w.snap.Grant(claim.Holder, w.now)
		fmt.Fprintf(&b, "claim %s %v aside %t: %+v\n", claim.Holder, claim.Demands, claim.Aside, verdict)
	}
	for _, inst := range w.snap.Instances() {
		actual := w.snap.ActualInstance(inst.AppGUID, inst.Index, inst.CellID)
		fmt.Fprintf(&b, "instance %s/%d on %s next %v: %v\n", inst.AppGUID, inst.Index, inst.CellID, inst.Next, actual)
	}
	return b.String()
}

func (w *world) drawFleet(rt *rapid.T) {
	w.addCells(rapid.IntRange(1, 6).Draw(rt, "cells"), rapid.IntRange(1, 2).Draw(rt, "azs"))
	for i := range rapid.IntRange(1, 3).Draw(rt, "apps") {
		class := rapid.SampledFrom([]string{model.ClassPersistent, model.ClassPersistent, model.ClassEphemeral, model.ClassShared, ""}).Draw(rt, "class")
		limit := func(label string) model.Limit {
			return model.Limit{Count: rapid.SampledFrom([]int{0, 1, 1, 1, 2, 3}).Draw(rt, label)}
		}
		policy := model.Policy{
			MaxInterrupted: limit("max_interrupted"), MaxDraining: limit("max_draining"),
			HealthyFor: model.Duration(10 * time.Second), ReturnWithin: model.Duration(5 * time.Minute),
			DataDisposable: rapid.IntRange(0, 5).Draw(rt, "disposable") == 0,
		}
		if rapid.IntRange(0, 3).Draw(rt, "stay") == 0 {
			policy.Floating = model.FloatingStay
		}
		policy.OnStuck = rapid.SampledFrom([]model.OnStuck{{}, {}, {Answer: model.StuckSkip}, {Answer: model.StuckForce, After: model.Duration(time.Minute)}}).Draw(rt, "on_stuck")
		w.push(fmt.Sprintf("app%d", i), rapid.IntRange(1, 6).Draw(rt, "instances"), rapid.IntRange(0, 5).Draw(rt, "offset"), class, policy)
	}
}

func (w *world) drawPlan(rt *rapid.T, name string) bool {
	spec := model.PlanSpec{
		Name:     name,
		Action:   rapid.SampledFrom([]model.Action{model.Restart, model.Reboot, model.Recreate, model.Recreate, model.Retire}).Draw(rt, "action"),
		Canaries: rapid.SampledFrom([]int{0, 0, 1}).Draw(rt, "canaries"),
		OnStuck:  rapid.SampledFrom([]model.StuckChoice{"", "", model.StuckSkip}).Draw(rt, "plan on_stuck"),
	}
	spec.MaxInFlight.Count = rapid.IntRange(0, 3).Draw(rt, "max_in_flight")
	plan, err := newPlan(w.snap, spec, w.now)
	if err != nil {
		return false
	}
	w.put(plan)
	return true
}

// drawTurn lets one thing happen.
func (w *world) drawTurn(rt *rapid.T) string {
	cell := func() *model.Cell { return rapid.SampledFrom(w.snap.Cells()).Draw(rt, "cell") }
	instance := func() string {
		inst := rapid.SampledFrom(w.snap.Instances()).Draw(rt, "instance")
		return place{inst.AppGUID, inst.Index, ""}.name()
	}
	turns := []string{"commit", "commit", "commit", "all", "cells", "schedule", "hosts", "time", "time", "time", "rest", "down",
		"hang", "fail", "break", "fail-host", "stay-away", "kill", "start", "answer", "answer", "intent", "update", "plan", "full"}
	turn := rapid.SampledFrom(turns).Draw(rt, "turn")
	if len(w.snap.Cells()) == 0 {
		return "nothing is left"
	}
	switch turn {
	case "commit": // the rest of what was decided dies with the orchestrator
		w.orchestrate(1)
	case "all":
		w.orchestrate(0)
	case "cells":
		w.runCells()
	case "schedule":
		w.schedule()
	case "hosts":
		w.runHosts()
	case "time":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(rt, "seconds")) * time.Second)
	case "rest":
		w.run(time.Duration(rapid.IntRange(1, 600).Draw(rt, "seconds")) * time.Second)
	case "down":
		w.down, w.began = !w.down, w.now
	case "hang", "fail", "break":
		faults := map[string]map[string]bool{"hang": w.hang, "fail": w.fail, "break": w.broken}[turn]
		name := instance()
		faults[name] = !faults[name]
		return turn + " " + name
	case "fail-host":
		c := cell()
		w.failHost[c.ID] = !w.failHost[c.ID]
	case "stay-away":
		c := cell()
		w.stayAway[c.ID] = !w.stayAway[c.ID]
	case "kill":
		c := cell()
		w.takeDown(c.ID)
		return turn + " " + c.ID
	case "start":
		c := cell()
		if w.snap.Presence(c.ID) == nil && !w.busyHost(c.ID) {
			w.register(c)
			return turn + " " + c.ID
		}
	case "answer":
		if alerts := w.snap.StuckItems(); len(alerts) > 0 {
			alert := rapid.SampledFrom(alerts).Draw(rt, "alert")
			if len(alert.Answers) > 0 {
				verb := rapid.SampledFrom(alert.Answers).Draw(rt, "verb")
				w.answer(alert, verb)
				return fmt.Sprintf("answer %s %s", alert.ID, verb)
			}
		}
	case "intent":
		plan := *rapid.SampledFrom(w.snap.Plans()).Draw(rt, "which plan")
		if !plan.Finished() && plan.Intent != model.IntentAbort {
			plan.Intent = rapid.SampledFrom([]model.Intent{model.IntentRun, model.IntentRun, model.IntentPause, model.IntentPause, model.IntentAbort}).Draw(rt, "intent")
			w.put(&plan)
			return string(plan.Intent)
		}
	case "update":
		w.update(rapid.SampledFrom(w.snap.Apps()).Draw(rt, "app").GUID)
	case "plan":
		w.drawPlan(rt, fmt.Sprintf("plan%d", w.snap.Revision()))
	case "full":
		w.full = !w.full
	}
	return turn
}

func (w *world) busyHost(cell string) bool {
	for _, op := range w.hosts {
		if op.cell == cell && w.now.Before(op.began.Add(actionTime)) {
			return true
		}
	}
	return false
}

func (w *world) answer(alert *model.Stuck, verb model.Verb) {
	answered := *alert
	answered.Answer = &model.Answer{Verb: verb, Reason: "because", By: "ops", For: model.Duration(time.Minute), Confirm: alert.Data}
	w.put(&answered)
}

// update has another holder disrupt an instance of the app under the same
// ledger, and lets it come back once it has stopped.
func (w *world) update(app string) {
	holder := model.UpdateHolder(app)
	for _, permit := range w.snap.Ledger(app).Permits {
		if permit.Holder == holder {
			if stopped(&permit) && permit.Want == model.WantOut {
				w.put(withPermit(w.snap.Ledger(app), permit.ID, func(p *model.Permit) bool { p.Want = model.WantBack; return true }))
			}
			return
		}
	}
	if w.snap.Claim(holder) == nil {
		w.put(&model.Claim{Holder: holder, Reason: model.ReasonUpdate, Since: w.snap.Revision(), At: w.now,
			Demands: []model.Demand{{AppGUID: app, Index: int(w.snap.Revision()) % w.snap.App(app).Instances, Kind: model.Interrupt}}})
	} else if tx, verdict := w.snap.Grant(holder, w.now); verdict.Granted {
		w.write(tx)
	}
}

// mend ends every fault and everything that others began.
func (w *world) mend() {
	w.down, w.full, w.began = false, false, w.now
	w.hang, w.fail, w.broken = map[string]bool{}, map[string]bool{}, map[string]bool{}
	w.failHost, w.stayAway = map[string]bool{}, map[string]bool{}
	for _, cell := range w.snap.Cells() {
		if w.snap.Presence(cell.ID) == nil && !w.busyHost(cell.ID) && !cell.Lost {
			w.register(cell)
		}
	}
	for _, plan := range w.snap.Plans() {
		if plan.Intent == model.IntentPause {
			resumed := *plan
			resumed.Intent = model.IntentRun
			w.put(&resumed)
		}
	}
	for _, app := range w.snap.Apps() {
		w.dropUpdate(app.GUID)
	}
}

func (w *world) dropUpdate(app string) bool {
	claim := w.snap.Claim(model.UpdateHolder(app))
	if claim == nil {
		return false
	}
	tx := w.snap.Txn()
	tx.Delete(claim)
	w.write(tx)
	return true
}

// finishUpdates lets instances that others stopped come back, and takes others
// out of the line; false when there are none.
func (w *world) finishUpdates() (some bool) {
	for _, app := range w.snap.Apps() {
		some = w.dropUpdate(app.GUID) || some
		for _, permit := range w.snap.Ledger(app.GUID).Permits {
			if permit.Holder == model.UpdateHolder(app.GUID) && permit.Want == model.WantOut && stopped(&permit) {
				w.update(app.GUID)
				some = true
			}
		}
	}
	return some
}

// answerAll answers whatever is open: at first patiently, then in ways that
// end it. It gives false when nothing is open that an answer could help.
func (w *world) answerAll(round int) bool {
	answered := false
	verbs := []model.Verb{model.Retry, model.Force, model.Skip}
	for _, alert := range w.snap.StuckItems() {
		for _, verb := range verbs[min(round/2, 2):] {
			if slices.Contains(alert.Answers, verb) {
				w.answer(alert, verb)
				answered = true
				break
			}
		}
	}
	return answered
}

// checkEnded: with nothing wrong any more, every plan has ended, and every
// instance serves that has somewhere to be.
func (w *world) checkEnded() {
	for _, plan := range w.snap.Plans() {
		if !plan.Finished() {
			w.violation("plan %s is still %s", plan.Name, plan.Status)
		}
	}
	if cordons := w.snap.Cordons(); len(cordons) > 0 {
		w.violation("%s is cordoned though every plan has ended", cordons[0].CellID)
	}
	for _, ledger := range w.snap.Ledgers() {
		for _, permit := range ledger.Permits {
			if inst := w.snap.Instance(ledger.AppGUID, permit.Index); inst != nil && w.snap.Present(inst.CellID) {
				w.violation("%s/%d holds a permit of %s though every plan has ended", ledger.AppGUID, permit.Index, permit.Holder)
			}
		}
	}
}
