package cli_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

const appFile = `
applications:
- name: db
  instances: 2
  command: run
  lifecycle: {max_interrupted: 0}
- name: broker
  command: run
`

var db = model.Name{Org: "acme", Space: "prod", Name: "db"}

func TestPush(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("PUT /v1/apps/acme/prod/db", client.Pushed{Created: true, App: model.App{Name: db, Instances: 2}, Warnings: []string{"max_interrupted is 0: never"}})
	api.answers("PUT /v1/apps/acme/prod/broker", client.Pushed{Rolling: true, App: model.App{Name: model.Name{Org: "acme", Space: "prod", Name: "broker"}, Instances: 1, SpecVersion: 3}})
	path := file(t, "app.yml", appFile)

	r := api.run(t, "push", "-f", path)
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines(
		"acme/prod/db created: 2 instances to start; see moor app db",
		"acme/prod/broker updated: its instances follow to version 3 under its policy; see moor app broker",
	)))
	g.Expect(r.err).To(Equal("WARNING: max_interrupted is 0: never\n"))
	g.Expect(api.requests()[0]).To(And(HavePrefix("PUT /v1/apps/acme/prod/db {"), ContainSubstring(`"max_interrupted":"0"`), ContainSubstring(`"instances":2`)))

	g.Expect(api.run(t, "push", "-f", path, "broker").status).To(Equal(0))
	g.Expect(api.requests()).To(HaveLen(3))
	g.Expect(api.runWith(t, appFile, "push", "broker", "-f", "-", "--json").out).To(ContainSubstring(`"rolling": true`))

	r = api.run(t, "push", "-f", path, "other")
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("there is no application acme/prod/other in " + path))
}

func TestPushThatIsRefused(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.refuses("PUT /v1/apps/acme/prod/db", 422, `{"title":"Unprocessable Entity","detail":"the push is refused","errors":[{"location":"mounts[0].volume","message":"there is no volume set"}]}`)

	r := api.run(t, "push", "-f", file(t, "app.yml", "applications:\n- name: db\n  comand: run\n"))
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring(`app.yml:3:3: unknown field "comand"`))
	g.Expect(api.requests()).To(BeEmpty(), "nothing is asked with a manifest that has problems")

	r = api.run(t, "push", "-f", file(t, "app.yml", appFile))
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(Equal(lines("moor: the push is refused", "  mounts[0].volume: there is no volume set")))
	g.Expect(api.requests()).To(HaveLen(1), "the second application is not pushed")

	r = api.run(t, "push", "-f", "/nowhere/app.yml")
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("read /nowhere/app.yml"))
}

func TestCheckPolicy(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	app := model.App{Name: db, Instances: 4, Policy: model.Policy{
		MaxInterrupted: model.Limit{Percent: 25}, MaxDraining: model.Limit{},
		Interrupt: &model.Handler{Command: "bye"}, Drain: &model.Handler{Command: "move"},
	}}
	explained := lifecycle.Explain(&app, 4, []model.Class{{Name: "ephemeral", Survives: model.Reboot}})
	api.answers("POST /v1/check-policy", client.PolicyCheck{
		Explanation: explained, Warnings: append(app.Warnings(), "no cell has the memory"),
		Failures: lifecycle.Failures(&app.Policy, 4, nil, []lifecycle.Place{{Cell: "c1", AZ: "z1"}}),
		Cost: &client.PolicyCost{Action: model.Recreate, Cells: 20, Supposed: 4, Never: 4, Bottleneck: true,
			With:    client.PlanEnds{Expected: seconds(600), Longest: seconds(900), Bound: seconds(500)},
			Without: client.PlanEnds{Expected: seconds(300), Longest: seconds(400), Bound: seconds(240)},
			Raise:   &client.Raise{App: db, Limit: "max_interrupted", From: 1, To: 2, Saved: seconds(200), Bound: seconds(250)},
		},
		Unknown: []string{"the weather"},
	})
	path := file(t, "app.yml", appFile)
	r := api.run(t, "check-policy", "-f", path, "db")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines(
		"acme/prod/db, 4 instances",
		"  max_interrupted:  1",
		"  max_draining:     0",
		"  max_disrupted:    1",
		"what an action on a host means for its instances there:",
		"  action     at once   meaning",
		"  restart    1         interrupted: it comes back on the same cell with the same data; at most 1 of 4 at once; bye has 1m, with progress every 15s",
		"  reboot     1         interrupted: it comes back on the same cell with the same data; at most 1 of 4 at once; bye has 1m, with progress every 15s",
		"  recreate   0         drained: its data leaves with the cell, and it starts anew on another; never allowed; move has 2h, with progress every 5m",
		"  retire     0         drained: its data leaves with the cell, and it starts anew on another; never allowed; move has 2h, with progress every 5m",
		"what it can stand:",
		"  while all 4 serve, 1 may be interrupted or 0 drained at once",
		"  while 1 is down, no other may be disrupted: maintenance waits until it serves again",
		"  one instance fails: 1 of 4 down, no more than max_interrupted allows (1); rolls of every other cell that has one wait",
		"  cell c1 fails: 1 of 4 down, no more than max_interrupted allows (1); rolls of every other cell that has one wait; they are started anew elsewhere",
		"  az z1 fails: 1 of 4 down, no more than max_interrupted allows (1); rolls of every other cell that has one wait; they are started anew elsewhere",
		"what it costs to recreate 20 cells, all in one plan:",
		"  fleet        expected   p90     bound",
		"  with it      10m        15m     8m20s",
		"  without it   5m         6m40s   4m",
		"  it is the bottleneck: max_interrupted 2 instead of 1 would save 3m20s",
		"  4 cells could never roll because of it",
		"  4 instances not running yet are counted where they would be placed",
		"not known: the weather",
		"warning: lifecycle.max_draining: is 0: no instance may ever be drained, so no cell with one can be rolled where its volumes go, and the application cannot shrink",
		"note: lifecycle: one instance that is down uses up the whole budget: no cell with another one is rolled until it serves again",
		"warning: no cell has the memory",
	)))
	g.Expect(api.run(t, "check-policy", "-f", path, "--json").out).To(And(ContainSubstring(`"max_interrupted": 1`), ContainSubstring(`"name": "db"`), ContainSubstring(`"kind": "drain"`)))
}

func TestCheckPolicySaysWhichCellsExcludeEachOther(t *testing.T) {
	g := NewWithT(t)
	said := func(raise *client.Raise) string {
		api := newAPI(t)
		api.answers("POST /v1/check-policy", client.PolicyCheck{Cost: &client.PolicyCost{Action: model.Recreate, Cells: 20, Bottleneck: true, Raise: raise,
			Exclusive: &client.Exclusive{Cells: []string{"c1", "c2", "c3"}, Apps: []model.Name{db, {Org: "acme", Space: "prod", Name: "q"}}}}})
		r := api.run(t, "check-policy", "-f", file(t, "app.yml", appFile), "db")
		g.Expect(r.status).To(Equal(0), r.err)
		g.Expect(r.out).To(ContainSubstring("  any two of 3 cells exclude each other (c1, c2, c3), through the limits of acme/prod/db, acme/prod/q\n"))
		return r.out
	}
	g.Expect(said(&client.Raise{App: db, Limit: "max_interrupted", From: 1, To: 2, Saved: seconds(60)})).
		To(ContainSubstring("  it is part of the bottleneck: max_interrupted 2 instead of 1 would save 1m\n"))
	g.Expect(said(&client.Raise{App: db, Limit: "max_interrupted", From: 1, To: 2})).To(ContainSubstring("  it is part of the bottleneck, and one more at once would save nothing"))
	g.Expect(said(nil)).To(And(ContainSubstring("  it is part of the bottleneck; other limits keep more"), Not(ContainSubstring("not the bottleneck"))))
}

func TestCheckPolicyThatWouldBeRefused(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("POST /v1/check-policy", client.PolicyCheck{Faults: []string{"mounts[0].volume: there is no volume set acme/prod/db"}})
	for _, args := range [][]string{{"--json"}, nil} {
		r := api.run(t, append([]string{"check-policy", "db", "-f", file(t, "app.yml", appFile)}, args...)...)
		g.Expect(r.status).To(Equal(1))
		g.Expect(r.out).To(ContainSubstring("mounts[0].volume: there is no volume set acme/prod/db"))
		g.Expect(r.err).To(Equal("moor: a push of 1 application would be refused\n"))
	}
}

func TestApps(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/apps", []client.AppView{{
		App:     model.App{Name: db, Instances: 6, SpecVersion: 2, Policy: model.Policy{MaxInterrupted: model.Limit{Percent: 25}, MaxDraining: model.Limit{Count: 1}}},
		Limits:  lifecycle.Limits{Interrupted: 1, Draining: 1, Disrupted: 1},
		Serving: 4, Disrupted: 1, Down: 1,
	}})
	r := api.run(t, "apps")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines(
		"name           serving   disrupted   down   max_interrupted   max_draining   version   owner",
		"acme/prod/db   4/6       1           1      25% (1)           1              2         developers of acme/prod",
	)))
	g.Expect(api.run(t, "apps", "--json").out).To(ContainSubstring(`"serving": 4`))
}

func TestApp(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	since := time.Now().Add(-2 * time.Hour)
	api.answers("GET /v1/apps/acme/prod/db", client.AppView{
		App:     model.App{Name: db, Owner: "#data", Instances: 2, SpecVersion: 1, Spec: model.RunSpec{Memory: 256 * model.Megabyte}, Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}},
		Limits:  lifecycle.Limits{Interrupted: 1, Draining: 1, Disrupted: 1},
		Serving: 1, Disrupted: 1,
		Members: []client.InstanceView{
			{Index: 0, CellID: "cell-1", AZ: "z1", Present: true, Address: "127.83.0.1", Ports: []client.Port{{Name: "default", Number: 10000}}, Standing: "serving", State: model.Serving, SpecVersion: 1,
				GaveWay: "it shares its cell", Actual: &model.ActualInstance{Since: since, Restarts: 1}},
			{Index: 1, CellID: "cell-2", AZ: "z2", Standing: "disrupted", State: model.Serving, SpecVersion: 1,
				Actual: &model.ActualInstance{Since: since, Disruption: &model.ActualDisruption{Progress: 0.31, Message: "5300 of 16384"}},
				Permit: &model.Permit{Kind: model.Drain, Holder: "roll:p/cell-2", Step: model.StepRunning}},
		},
	})
	r := api.run(t, "app", "db")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines(
		"name:       acme/prod/db",
		"owner:      #data",
		"instances:  1 of 2 serving, 1 disrupted, 0 down",
		"version:    1",
		"memory:     256M",
		"policy:     max_interrupted 1, max_draining 1, max_disrupted 1 (the larger of the two)",
		"",
		"#   standing    state     since   cell     az   address            version   details",
		"0   serving     serving   2h      cell-1   z1   127.83.0.1:10000   1         it shares its cell; 1 restart",
		"1   disrupted   serving   2h      cell-2   z2   -                  1         its cell does not answer; drain for roll:p/cell-2, running; 31% 5300 of 16384",
	)))
	api.refuses("GET /v1/apps/acme/test/db", 404, `{"title":"Not Found","detail":"there is no application acme/test/db"}`)
	r = api.run(t, "app", "test/db")
	g.Expect(r).To(Equal(result{1, "", "moor: there is no application acme/test/db\n"}))
}

func TestScale(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("PUT /v1/apps/acme/prod/db/scale", client.Pushed{App: model.App{Name: db, Instances: 8}})
	r := api.run(t, "scale", "db", "8")
	g.Expect(r).To(Equal(result{0, "acme/prod/db scaled to 8 instances; see moor app db\n", ""}))
	g.Expect(api.requests()).To(Equal([]string{`PUT /v1/apps/acme/prod/db/scale {"instances":8}`}))
}

func TestDeleteAsksFirst(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.mux.HandleFunc("DELETE /v1/apps/acme/prod/db", noContent)
	for _, in := range []string{"", "\n", "n\n", "yup\n"} {
		r := api.runWith(t, in, "delete", "db")
		g.Expect(r.status).To(Equal(1))
		g.Expect(r.err).To(ContainSubstring("nothing was deleted"))
	}
	g.Expect(api.requests()).To(BeEmpty())
	g.Expect(api.runWith(t, "y\n", "delete", "db").status).To(Equal(0))
	g.Expect(api.run(t, "delete", "db", "-f").status).To(Equal(0))
	g.Expect(api.requests()).To(HaveLen(2))
}
