package cli_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// rolling is a plan two hours under way: one cell done, one stuck, one waiting.
func rolling() client.PlanView {
	start := time.Now().Add(-2 * time.Hour)
	line := func(phases ...model.Phase) (timeline []model.Entry) {
		for i, phase := range phases {
			timeline = append(timeline, model.Entry{Phase: phase, At: start.Add(time.Duration(i) * 10 * time.Minute)})
		}
		return timeline
	}
	return client.PlanView{
		Plan: model.Plan{PlanSpec: model.PlanSpec{Name: "kernel", Action: model.Reboot}, Status: model.PlanRunning, CreatedAt: start},
		Rolls: []model.Roll{
			{CellID: "cell-1", Phase: model.RollDone, Timeline: line(model.Queued, model.Cordoned, model.RollDone)},
			{CellID: "cell-2", Phase: model.Interrupting, StuckID: "4f1c", Timeline: line(model.Queued, model.Interrupting)},
			{CellID: "cell-3", Phase: model.Cordoned, Timeline: line(model.Queued, model.Cordoned)},
			{CellID: "cell-4", Phase: model.Queued, Timeline: line(model.Queued)},
		},
		Done: 1, Rolling: 2, Queued: 1,
		Waiting: []client.Waiting{{CellID: "cell-3", Why: []string{"acme/prod/db allows max_interrupted 1 of 6, used up by /2 (crashed)"}}},
		Stuck:   []model.Stuck{hung()},
	}
}

// hung is an interrupt handler that hangs.
func hung() model.Stuck {
	return model.Stuck{
		ID: "4f1c", Kind: model.HandlerHung, What: "the handler of acme/prod/db/2 hangs", Advice: "look at its output, then retry or force",
		Plan: "kernel", CellID: "cell-2", App: &db, Index: 2, Owner: "#data", Phase: model.Interrupting,
		Since: time.Now().Add(-3 * time.Hour), Progress: 0.31, Message: "moving", Output: []string{"one", "two"},
		Blocks: []string{"cell-3"}, Answers: []model.Verb{model.Wait, model.Retry, model.Force, model.Skip},
	}
}

// undated takes times of day out of a text.
func undated(text string) string {
	return regexp.MustCompile(`\d\d:\d\d:\d\d`).ReplaceAllString(text, "TIME")
}

func TestRollStatusForetellsTheEnd(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	view := rolling()
	soon := time.Now().Add(30 * time.Second) // the command takes less
	view.Forecast = &client.Forecast{Likely: soon.Add(2 * time.Hour), Latest: soon.Add(5 * time.Hour), Bottleneck: "acme/prod/db", Left: 2, Open: 1}
	api.answers("GET /v1/plans/kernel", view)
	g.Expect(api.run(t, "plan-status", "kernel").out).To(ContainSubstring(
		"\nends in 2h to 5h (p50 to p90); 1 cell will not get a turn as things are; bottleneck acme/prod/db\n"))
	g.Expect(api.requests()).To(Equal([]string{"GET /v1/plans/kernel?forecast=true"}))
}

func TestRollStatus(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/plans/kernel", rolling())
	want := lines(
		"plan kernel: reboot, running; 1 of 4 done, 2 rolling, 1 queued; 2h",
		"cell     phase          for     total   details",
		"cell-1   done           -       10m     -",
		"cell-2   interrupting   1h50m   1h50m   STUCK: the handler of acme/prod/db/2 hangs",
		"cell-3   cordoned       1h50m   1h50m   waits: acme/prod/db allows max_interrupted 1 of 6, used up by /2 (crashed)",
		"cell-4   queued         -       -       -",
		"",
		"STUCK 4f1c: the handler of acme/prod/db/2 hangs",
		"  kind:      handler-hung",
		"  since:     TIME (3h ago)",
		"  cell:      cell-2",
		"  instance:  acme/prod/db/2",
		"  owner:     #data",
		"  plan:      kernel",
		"  phase:     interrupting",
		"  progress:  31% moving",
		"  blocks:    cell-3",
		"  do:        look at its output, then retry or force",
		"  answer:    moor resolve 4f1c wait|retry|force|skip --reason WHY",
		"  runbook:   docs/runbooks/handler-hung.md",
		"  | one",
		"  | two",
	)
	r := api.run(t, "plan-status", "kernel")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(undated(r.out)).To(Equal(want))

	t.Run("of the newest plan under way", func(t *testing.T) {
		finished := client.PlanView{Plan: model.Plan{PlanSpec: model.PlanSpec{Name: "newer"}, Status: model.PlanDone}}
		api.answers("GET /v1/plans", []client.PlanView{finished, rolling()})
		NewWithT(t).Expect(undated(api.run(t, "plan-status").out)).To(Equal(want))
	})
}

func TestRollStatusOfAPlanThatWasAborted(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	view := rolling()
	view.Status, view.Reason, view.FinishedAt = model.PlanAborted, "wrong kernel", view.CreatedAt.Add(time.Minute)
	api.answers("GET /v1/plans/kernel", view)
	r := api.run(t, "plan-status", "kernel", "--json")
	g.Expect(r.status).To(Equal(3))
	g.Expect(r.err).To(Equal("moor: plan kernel was aborted: wrong kernel\n"))
	g.Expect(r.out).To(ContainSubstring(`"status": "aborted"`))
}

func TestRollStatusWithoutAnyPlan(t *testing.T) {
	api := newAPI(t)
	api.answers("GET /v1/plans", []client.PlanView{})
	NewWithT(t).Expect(api.run(t, "plan-status")).To(Equal(result{1, "", "moor: there is no plan; start one with moor roll\n"}))
}

func TestWaitReturnsAsSoonAsSomethingIsStuck(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	before := rolling()
	before.Stuck = nil
	api.streams("GET /v1/plans/kernel/stream", "plan", before, rolling())
	r := api.run(t, "plan-status", "kernel", "--wait")
	g.Expect(r.status).To(Equal(3))
	g.Expect(r.err).To(Equal("moor: plan kernel is stuck: the handler of acme/prod/db/2 hangs; see moor stuck 4f1c\n"))
	g.Expect(r.out).To(ContainSubstring("plan kernel: reboot, running"))
}

func TestWaitDoesNotStopAtWhatHasBeenAnswered(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	answered, done := rolling(), rolling()
	answered.Stuck[0].Answer = &model.Answer{Verb: model.Skip, Reason: "later"}
	done.Status, done.Stuck, done.FinishedAt = model.PlanDone, nil, time.Now()
	api.streams("GET /v1/plans/kernel/stream", "plan", answered, done)
	r := api.run(t, "plan-status", "kernel", "--wait")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(ContainSubstring("plan kernel: reboot, done"))
	g.Expect(r.out).NotTo(ContainSubstring("running"), "the plan is shown once")
}

func TestWatchPrintsALineForEachChange(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	first, answered, done := rolling(), rolling(), rolling()
	first.Stuck, first.Rolls[1].Phase = nil, model.Queued
	answered.Stuck[0].Answer = &model.Answer{Verb: model.Skip, Reason: "later"}
	done.Stuck, done.Status = nil, model.PlanDone
	done.Rolls[1].Phase, done.Rolls[1].Timeline = model.RollSkipped, []model.Entry{{Phase: model.RollSkipped, Note: "later"}}
	api.streams("GET /v1/plans/kernel/stream", "plan", first, rolling(), answered, done)
	api.answers("POST /v1/plans", first)
	want := lines(
		"TIME  plan kernel: reboot 4 cells",
		"TIME  plan kernel is running",
		"TIME  cell-1 done (1 of 4 done)",
		"TIME  cell-3 cordoned (1 of 4 done)",
		"TIME  cell-2 interrupting (1 of 4 done)",
		"TIME  STUCK 4f1c: the handler of acme/prod/db/2 hangs; look at its output, then retry or force",
		"TIME  4f1c was answered with skip: later",
		"TIME  plan kernel is done",
		"TIME  cell-2 skipped: later (1 of 4 done)",
		"TIME  4f1c is stuck no more",
	)
	for _, args := range [][]string{{"plan-status", "kernel", "--watch"}, {"roll", "--cells", "all", "--action", "reboot", "--name", "kernel", "--watch"}} {
		r := api.run(t, args...)
		g.Expect(r.status).To(Equal(0), r.err)
		g.Expect(undated(r.out)).To(Equal(want))
	}
	r := api.run(t, "plan-status", "kernel", "--watch", "--json")
	g.Expect(strings.Count(r.out, "\n")).To(Equal(4), "one object to a line")
}

func TestWatchingAPlanThatIsNotThere(t *testing.T) {
	api := newAPI(t)
	api.refuses("GET /v1/plans/other/stream", 404, `{"title":"Not Found","detail":"there is no plan other"}`)
	NewWithT(t).Expect(api.run(t, "plan-status", "other", "--watch")).To(Equal(result{1, "", "moor: there is no plan other\n"}))
}
