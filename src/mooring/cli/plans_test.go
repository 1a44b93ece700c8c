package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

const planFile = `
name: kernel
cells: {az: [z1, z2]}
action: reboot
max_in_flight: 10%
`

func seconds(n int) model.Duration { return model.Duration(time.Duration(n) * time.Second) }

func TestPreview(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("POST /v1/preview", client.Preview{
		Order: []string{"cell-1", "cell-2"}, AtOnce: 1, Expected: seconds(80), Shortest: seconds(60), Longest: seconds(120), Bound: seconds(80),
		Bottleneck: "acme/prod/db: max_interrupted 1 of 6",
		Raise:      &client.Raise{App: db, Limit: "max_interrupted", From: 1, To: 2, Saved: seconds(40), Bound: seconds(40)},
		Foresight:  &client.Foresight{Rolls: model.Tally{Early: 5, Within: 4, Late: 1}, Plans: model.Tally{Early: 1}},
		Timeline:   []client.Slot{{CellID: "cell-1", From: 0, To: seconds(40)}, {CellID: "cell-2", From: seconds(40), To: seconds(80)}},
		Never:      []client.Forbidden{{CellID: "cell-3", Instance: "acme/prod/q/0", Limit: "max_interrupted: 0", Owner: "#queues", Text: "the policy never allows it"}},
		DataAtRisk: []string{"acme/prod/db/3"},
		Warnings:   []string{"no room to drain cell-2"},
	})
	r := api.run(t, "preview", file(t, "plan.yml", planFile))
	g.Expect(r.status).To(Equal(0), r.err)
	now := time.Now()
	atTime := regexp.MustCompile(`; \w+ \d\d:\d\d to \w+ \d\d:\d\d\)`)
	g.Expect(r.out).To(Or(ContainSubstring(now.Add(2*time.Minute).Format("Mon 15:04")), ContainSubstring(now.Add(3*time.Minute).Format("Mon 15:04"))))
	g.Expect(atTime.ReplaceAllString(r.out, ")")).To(Equal(lines(
		"plan kernel: reboot 2 cells",
		"at once:     at most 1 cell",
		"ends:        in 1m20s to 2m (p50 to p90), 1m at best (p10)",
		"bound:       1m20s at least, in any order",
		"bottleneck:  acme/prod/db: max_interrupted 1 of 6",
		"raised:      max_interrupted 2 instead of 1 for acme/prod/db would save 40s; the bound would be 40s",
		"foresight:   of 10 rolls so far 50% were done by their p50, 90% by their p90; of 1 plan 1 by their p50, 1 by their p90",
		"",
		"cell     from   to      ",
		"cell-1   0s     40s     ####################....................",
		"cell-2   40s    1m20s   ....................####################",
		"",
		"1 cell can never roll:",
		"cell     instance        limit                owner     why",
		"cell-3   acme/prod/q/0   max_interrupted: 0   #queues   the policy never allows it",
		"",
		"if anything were forced, the data of these volumes could be lost: acme/prod/db/3",
	)))
	g.Expect(r.err).To(Equal("WARNING: no room to drain cell-2\n"))
	g.Expect(api.requests()).To(ConsistOf(HavePrefix(`POST /v1/preview {"name":"kernel","cells":{"az":["z1","z2"]},"action":"reboot","max_in_flight":"10%"`)))
}

func TestPreviewOutsideItsWindow(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	opens := time.Date(2026, 3, 7, 2, 0, 0, 0, time.Local)
	api.answers("POST /v1/preview", client.Preview{Order: []string{"cell-1"}, AtOnce: 1, Expected: seconds(120), Longest: seconds(180), Opens: &opens, Improvable: true,
		Raise: &client.Raise{App: db, Limit: "max_interrupted", From: 1, To: 2, Bound: seconds(200)}})
	out := api.run(t, "preview", "--cells", "all", "--action", "reboot", "--window", "Sat 02:00-06:00 UTC").out
	g.Expect(out).To(ContainSubstring("in 2m to 3m once the window opens (p50 to p90; Sat 02:02 to Sat 02:03)"))
	g.Expect(out).NotTo(ContainSubstring("raised"), "it would save nothing")
	g.Expect(out).To(MatchRegexp(`(?m)^order: +may get better: while the first cells roll, a faster one is looked for$`))
}

func TestPreviewOfALargeFleet(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	preview := client.Preview{Expected: seconds(200), Longest: seconds(240)}
	for i := range 100 {
		id := fmt.Sprint("cell-", i)
		preview.Order = append(preview.Order, id)
		preview.DataAtRisk = append(preview.DataAtRisk, fmt.Sprint("acme/prod/db/", i))
		from := seconds(100 * (i / 50))
		preview.Timeline = append(preview.Timeline, client.Slot{CellID: id, AZ: "z1", Domain: 1 + i/50, From: from, To: from + seconds(100)})
	}
	api.answers("POST /v1/preview", preview)
	page := filepath.Join(t.TempDir(), "plan.html")

	r := api.run(t, "preview", file(t, "plan.yml", planFile), "--html", page)

	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(ContainSubstring(lines(
		"az   domain   cells   from    to      ",
		"z1   1        50      0s      1m40s   ####################....................",
		"z1   2        50      1m40s   3m20s   ....................####################",
	)))
	g.Expect(r.out).To(And(ContainSubstring("acme/prod/db/19, and 80 more"), HaveSuffix("the timeline is in "+page+"\n")))
	content, err := os.ReadFile(page)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(content)).To(And(ContainSubstring("Plan kernel: reboot of 100 cells"), ContainSubstring("acme/prod/db/99"), ContainSubstring(`"cell-99"`)))

	nowhere := filepath.Join(t.TempDir(), "missing", "plan.html")
	r = api.run(t, "preview", file(t, "plan.yml", planFile), "--html", nowhere)
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("write the timeline: open " + nowhere))
}

func TestRollTakesAFileOrFlags(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("POST /v1/plans", client.PlanView{Plan: model.Plan{PlanSpec: model.PlanSpec{Name: "kernel", Action: model.Reboot}, Order: []string{"cell-1"}}})

	r := api.run(t, "roll", file(t, "plan.yml", planFile), "--az", "z1", "--max-in-flight", "2", "--by", "ann", "--reason", "CVE")
	g.Expect(r).To(Equal(result{0, "plan kernel started: reboot 1 cell; see moor plan-status kernel --watch\n", ""}))
	g.Expect(api.requests()[0]).To(And(
		ContainSubstring(`"cells":{"az":["z1"]}`), ContainSubstring(`"max_in_flight":"2"`), ContainSubstring(`"action":"reboot"`),
		ContainSubstring(`"by":"ann"`), ContainSubstring(`"reason":"CVE"`)))

	r = api.run(t, "roll", "--cells", "cell-1,cell-2", "--action", "recreate", "--canaries", "1", "--on-stuck", "skip", "--via-command", "act", "--window", "02:00-03:00 UTC")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(api.requests()[1]).To(And(
		ContainSubstring(`"name":"recreate-20`), ContainSubstring(`"ids":["cell-1","cell-2"]`), ContainSubstring(`"canaries":1`),
		ContainSubstring(`"on_stuck":"skip"`), ContainSubstring(`"via":{"command":"act"}`), ContainSubstring(`"window":"02:00-03:00 UTC"`)))
	g.Expect(api.run(t, "roll", "--cells", "all", "--action", "restart", "--via-wait").status).To(Equal(0))
	g.Expect(api.requests()[2]).To(And(ContainSubstring(`"cells":{"all":true}`), ContainSubstring(`"via":{"wait":true}`)))
}

func TestRollThatMakesNoSense(t *testing.T) {
	api := newAPI(t)
	for name, row := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"nothing said":         {[]string{"roll"}, 2, "name a plan file, or say enough with flags"},
		"no cell":              {[]string{"roll", "--action", "reboot"}, 2, "cells: names no cell"},
		"an odd action":        {[]string{"roll", "--cells", "all", "--action", "explode"}, 2, `action: is "explode"`},
		"a ceiling of 0":       {[]string{"roll", "--cells", "all", "--action", "reboot", "--max-in-flight", "0"}, 2, "with 0 no cell would ever roll"},
		"no such file":         {[]string{"roll", "/nowhere/plan.yml"}, 1, "read /nowhere/plan.yml"},
		"a file that is wrong": {[]string{"preview", file(t, "plan.yml", "name: p\naction: reboot\n")}, 1, "plan.yml:1:1: cells: names no cell"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := api.run(t, row.args...)
			g.Expect(r.status).To(Equal(row.status))
			g.Expect(r.err).To(ContainSubstring(row.says))
		})
	}
	NewWithT(t).Expect(api.requests()).To(BeEmpty())
}

func TestRolls(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/plans", []client.PlanView{{
		Plan:  model.Plan{PlanSpec: model.PlanSpec{Name: "kernel", Action: model.Reboot}, Status: model.PlanRunning, CreatedAt: time.Now().Add(-2 * time.Hour), CreatedBy: "ann"},
		Rolls: make([]model.Roll, 6), Done: 3, Rolling: 1, Queued: 1, Dropped: 1,
		Stuck: []model.Stuck{{ID: "x"}},
	}})
	g.Expect(api.run(t, "plans").out).To(Equal(lines(
		"plan     action   status    done   rolling   queued   dropped   stuck   started   by",
		"kernel   reboot   running   3/6    1         1        1         1       2h ago    ann",
	)))
}

func TestSteering(t *testing.T) {
	api := newAPI(t)
	api.answers("PUT /v1/plans/kernel/intent", client.PlanView{Plan: model.Plan{PlanSpec: model.PlanSpec{Name: "kernel"}}})
	for command, want := range map[string]struct{ intent, says string }{
		"pause":  {"pause", "plan kernel is paused; cells being acted on finish, all others go back to serving\n"},
		"resume": {"run", "plan kernel goes on\n"},
		"abort":  {"abort", "plan kernel is being aborted\n"},
	} {
		g := NewWithT(t)
		r := api.run(t, command, "kernel", "--reason", "because", "--by", "ann")
		g.Expect(r).To(Equal(result{0, want.says, ""}))
		g.Expect(api.requests()[len(api.requests())-1]).To(Equal(`PUT /v1/plans/kernel/intent {"intent":"` + want.intent + `","reason":"because","by":"ann"}`))
	}
}
