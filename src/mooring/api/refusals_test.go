package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// aReport is what an honest agent of c1 says of the instance that is placed
// there.
func aReport() model.Report {
	report := reportOf(aCell("c1", "z1"))
	report.Instances = []model.ActualInstance{{
		AppGUID: "app", Index: 0, GUID: "i", State: model.Crashed, LastExit: "exit status 3", Output: []string{"out of luck"},
		Disruption: &model.ActualDisruption{PermitID: "p", State: model.TaskAsked, Progress: -1},
	}}
	report.Volumes = []model.ActualVolume{{GUID: "v", Class: "persistent", State: model.VolumeAttached, Epoch: 1}}
	return report
}

// withPlaced has an instance and a volume placed on c1, and a volume of
// somebody else on c2.
func (f *fixture) withPlaced(t *testing.T) *fixture {
	f.withCells(t, 2)
	f.put(t, workApp(), workInstance(0, "c1"), &model.VolumeSet{GUID: "s", Name: named("db")},
		&model.Volume{GUID: "v", SetGUID: "s", CellID: "c1", Floating: true}, &model.Volume{GUID: "w", SetGUID: "s", Index: 1, CellID: "c2", Floating: true})
	return f
}

func TestReport_WhatNoAgentSaysIsRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withPlaced(t)
	_, err := f.Report(t.Context(), "c1", aReport())
	g.Expect(err).NotTo(HaveOccurred())
	taken := f.store.Snapshot()
	for name, c := range map[string]struct {
		spoil func(*model.Report)
		where string
	}{
		"a negative index":         {func(r *model.Report) { r.Instances[0].Index = -1 }, "instances[0].index"},
		"an index beyond all":      {func(r *model.Report) { r.Instances[0].Index = model.MaxInstances }, "instances[0].index"},
		"a path":                   {func(r *model.Report) { r.Instances[0].AppGUID = "../.." }, "instances[0].app_guid"},
		"a key":                    {func(r *model.Report) { r.Instances[0].AppGUID = "app/0" }, "instances[0].app_guid"},
		"no app":                   {func(r *model.Report) { r.Instances[0].AppGUID = "" }, "instances[0].app_guid"},
		"an escape in a guid":      {func(r *model.Report) { r.Instances[0].GUID = "i\x1b[2J" }, "instances[0].guid"},
		"an escape in a state":     {func(r *model.Report) { r.Instances[0].State = "serving\x1b" }, "instances[0].state"},
		"an escape in a permit":    {func(r *model.Report) { r.Instances[0].Disruption.PermitID = "p\u202e" }, "instances[0].disruption.permit_id"},
		"progress beyond the end":  {func(r *model.Report) { r.Instances[0].Disruption.Progress = 7 }, "instances[0].disruption.progress"},
		"an instance twice":        {func(r *model.Report) { r.Instances = append(r.Instances, r.Instances[0]) }, "instances[1]"},
		"a volume's path":          {func(r *model.Report) { r.Volumes[0].GUID = "../../v" }, "volumes[0].guid"},
		"a negative epoch":         {func(r *model.Report) { r.Volumes[0].Epoch = -1 }, "volumes[0].epoch"},
		"a text in place of state": {func(r *model.Report) { r.Volumes[0].State = model.VolumeState(strings.Repeat("x", 900_000)) }, "volumes[0].state"},
		"too many volumes":         {func(r *model.Report) { r.Volumes = madeUp(15_000) }, "volumes"},
		"too many orphans": {func(r *model.Report) {
			for i := range maxStrays + 1 {
				r.Instances = append(r.Instances, model.ActualInstance{AppGUID: "ghost", Index: i, State: model.Serving})
			}
		}, "instances"},
	} {
		report := aReport()
		c.spoil(&report)
		_, err := f.Report(t.Context(), "c1", report)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "the report of cell c1 is refused"), name)
		var said *client.Error
		g.Expect(err).To(BeAssignableToTypeOf(said))
		g.Expect(err.(*client.Error).Errors).To(ContainElement(And(HaveField("Location", c.where), HaveField("Message", Not(BeEmpty())))), name)
		g.Expect(len(err.Error())).To(BeNumerically("<", 3000), name)
		snap := f.store.Snapshot()
		g.Expect(snap.ActualInstancesOn("c1")).To(Equal(taken.ActualInstancesOn("c1")), "%s changes nothing", name)
		g.Expect(snap.ActualVolumesOn("c1")).To(Equal(taken.ActualVolumesOn("c1")), "%s changes nothing", name)
	}
}

func madeUp(n int) []model.ActualVolume {
	volumes := make([]model.ActualVolume, n)
	for i := range volumes {
		volumes[i] = model.ActualVolume{GUID: fmt.Sprint("made-up-", i), Class: "persistent", State: model.VolumeAttached}
	}
	return volumes
}

func TestReport_VolumesNotPlacedOnTheCellAreNotShownAsHeld(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withPlaced(t)
	report := aReport()
	report.Volumes = append(report.Volumes, model.ActualVolume{GUID: "w", Class: "shared", State: model.VolumeAttached, Epoch: 99})
	report.Volumes = append(report.Volumes, madeUp(500)...)
	_, err := f.Report(t.Context(), "c1", report)
	g.Expect(err).NotTo(HaveOccurred(), "its other volumes are told all the same")
	var known []string
	for _, actual := range f.store.Snapshot().ActualVolumesOn("c1") {
		if !actual.Unknown {
			known = append(known, actual.GUID)
		}
	}
	g.Expect(known).To(ConsistOf("v"))
	g.Expect(f.store.Snapshot().UnknownVolumes()).To(HaveLen(maxUnknown), "of the others so many are told of, and held against nobody")
	g.Expect(allVolumeViews(f.store.Snapshot())).To(ConsistOf(
		And(HaveField("GUID", "v"), HaveField("HeldBy", "c1")), And(HaveField("GUID", "w"), HaveField("HeldBy", ""))))

	// A volume that moves away is held until its cell has let it go.
	f.put(t, &model.Volume{GUID: "v", SetGUID: "s", CellID: "c2", Floating: true, Epoch: 2})
	_, err = f.Report(t.Context(), "c1", report)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(allVolumeViews(f.store.Snapshot())).To(ContainElement(And(HaveField("GUID", "v"), HaveField("HeldBy", "c1"))))
	report.Volumes = nil
	_, err = f.Report(t.Context(), "c1", report)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.store.Snapshot().ActualVolumesOn("c1")).To(BeEmpty())
}

// Orphans are what an agent has still to stop: of an app that is gone, or of an
// instance that moved on. They hold up their own cell and are believed in
// nothing else.
func TestReport_OrphansCountOnTheirCellAlone(t *testing.T) {
	g := NewWithT(t)
	moved := workInstance(1, "c2")
	snap := state.SnapshotOf(workCell("c1"), workCell("c2"), workApp(), workInstance(0, "c1"), moved)
	orphans := []model.ActualInstance{
		{AppGUID: "app", Index: 1, State: model.Serving, GUID: "j", PID: 7, Output: []string{"ours"}, Disruption: &model.ActualDisruption{PermitID: "p", State: model.TaskYielded}},
		{AppGUID: "deleted", Index: 4, State: model.Serving},
	}
	tx := absorb(snap, workCell("c1"), &model.Report{Instances: orphans}, time.Now())
	g.Expect(tx.Events()).To(BeEmpty())
	after := snap.Apply(tx)
	g.Expect(after.ActualInstancesOf("app")).To(BeEmpty(), "another cell's instance is not touched")
	g.Expect(after.ActualInstancesOf("deleted")).To(BeEmpty())
	g.Expect(after.ActualInstancesOn("c1")).To(ConsistOf(
		&model.ActualInstance{AppGUID: "app", Index: 1, CellID: "c1", GUID: "j", State: model.Serving, PID: 7, Stray: true},
		&model.ActualInstance{AppGUID: "deleted", Index: 4, CellID: "c1", State: model.Serving, Stray: true}))
	g.Expect(absorb(after, workCell("c1"), &model.Report{Instances: orphans}, time.Now()).Empty()).To(BeTrue())
	g.Expect(after.Apply(absorb(after, workCell("c1"), &model.Report{}, time.Now())).ActualInstancesOn("c1")).To(BeEmpty(), "they have stopped")

	// Placed there after all, it is told in full.
	here := workInstance(1, "c1")
	placed := after.Txn()
	placed.Put(here)
	after = after.Apply(placed)
	after = after.Apply(absorb(after, workCell("c1"), &model.Report{Instances: orphans[:1]}, time.Now()))
	g.Expect(after.ActualInstancesOn("c1")).To(ConsistOf(And(HaveField("Stray", false), HaveField("Output", []string{"ours"}))))

	// Moved away, it is told in full until it has stopped, by the next agent too.
	away := after.Txn()
	away.Put(moved)
	after = after.Apply(away)
	restarted := aCell("c1", "z1")
	restarted.Start = "start-2"
	admitted, cell, err := admit(after.Apply(after.Txn()), "c1", &restarted, time.Now())
	g.Expect(err).NotTo(HaveOccurred())
	after = after.Apply(admitted)
	after = after.Apply(absorb(after, cell, &model.Report{Instances: orphans[:1]}, time.Now()))
	g.Expect(after.ActualInstancesOn("c1")).To(ConsistOf(And(HaveField("Stray", false), HaveField("GUID", "j"))))
}

// Agents of earlier releases report what apps print as it is.
func TestReport_WhatAppsPrintIsBroughtWithinBounds(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withPlaced(t)
	report := aReport()
	told := &report.Instances[0]
	told.Output = []string{"\x1b[31mred\x1b[0m", strings.Repeat("x", 900_000)}
	told.Error, told.Disruption.Message = "no\u202eway", strings.Repeat("y", 100_000)
	report.Volumes[0].Error = "busy\r"
	_, err := f.Report(t.Context(), "c1", report)
	g.Expect(err).NotTo(HaveOccurred())
	kept := f.store.Snapshot().ActualInstancesOn("c1")[0]
	g.Expect(kept.Output[0]).To(Equal(`\u001b[31mred\u001b[0m`))
	g.Expect(kept.Output[1]).To(And(HaveSuffix("bytes left out)"), WithTransform(func(s string) int { return len(s) }, BeNumerically("<=", model.MaxLine))))
	g.Expect(kept.Error).To(Equal(`no\u202eway`))
	g.Expect(len(kept.Disruption.Message)).To(BeNumerically("<=", model.MaxLine))
	g.Expect(f.store.Snapshot().ActualVolumesOn("c1")[0].Error).To(Equal(`busy\u000d`))
}

func TestReport_WhyItIsRefusedIsSeen(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withPlaced(t)
	bad := aReport()
	bad.Instances[0].AppGUID = "../.."
	_, err := f.Report(t.Context(), "c1", bad)
	g.Expect(err).To(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Refused", And(ContainSubstring("instances[0].app_guid"), ContainSubstring(`"../.."`))))
	revision := f.store.Snapshot().Revision()
	for range 3 {
		_, err = f.Report(t.Context(), "c1", bad)
		g.Expect(err).To(HaveOccurred())
	}
	g.Expect(f.store.Snapshot().Revision()).To(Equal(revision), "the same is kept once")

	bad = aReport()
	bad.Instances[0].Error = strings.Repeat("x", maxReport)
	_, err = f.Report(t.Context(), "c1", bad)
	g.Expect(client.HasStatus(err, http.StatusRequestEntityTooLarge)).To(BeTrue(), "%v", err)
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Refused", ContainSubstring("too large")))

	elsewhere := another(aCell("c1", "z1"), "c1-boot-1", "start-2")
	elsewhere.LogAddress = "203.0.113.9:80"
	_, err = f.Register(t.Context(), elsewhere)
	g.Expect(err).To(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Refused", ContainSubstring("log_address: is 203.0.113.9:80")))

	_, err = f.Register(t.Context(), another(aCell("c1", "z1"), "c1-boot-1", "start-2"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Refused", Not(BeEmpty())), "an agent that only started again has not been heard")
	good := aReport()
	good.Start = "start-2"
	_, err = f.Report(t.Context(), "c1", good)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Refused", ""))
}

func TestReport_OneCellCannotFloodANode(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withPlaced(t)
	// One after the other, as an agent sends them, none is refused.
	report := aReport()
	began := time.Now()
	for i := range 60 {
		report.Instances[0].Restarts = i
		_, err := f.Report(t.Context(), "c1", report)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(time.Since(began)).To(BeNumerically(">=", 59*reportPace))

	var taken, turned atomic.Int32
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 200 {
		mine := aReport()
		mine.Instances[0].Restarts = i
		all.Go(func() {
			switch _, err := f.Report(ctx, "c1", mine); {
			case err == nil:
				taken.Add(1)
			case client.HasStatus(err, http.StatusTooManyRequests):
				turned.Add(1)
			}
		})
	}
	_, err := f.Report(t.Context(), "c2", reportOf(aCell("c2", "z2")))
	g.Expect(err).NotTo(HaveOccurred(), "others are not held up")
	all.Wait()
	g.Expect(turned.Load()).To(BeNumerically(">", 0))
	g.Expect(taken.Load()).To(BeNumerically(">", 0))
}

// What a cell says of its address is no way to call somebody else.
func TestLogs_AreAskedOfTheCellAlone(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	var called atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { called.Add(1) }))
	defer elsewhere.Close()
	host := strings.TrimPrefix(elsewhere.URL, "http://")
	for _, address := range []string{host, "127.83.0.1:80@" + host, "127.83.0.1", "127.83.0.1:http", "localhost:80", "127.83.0.1:80/x?y=", "127.83.0.1:0", "127.83.0.1:80#", "[::1%lo]:80"} {
		cell := aCell("c1", "z1")
		cell.LogAddress = address
		_, err := f.Register(t.Context(), cell)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "log_address"), address)
	}
	for _, address := range []string{"169.254.169.254", "0.0.0.0", "224.0.0.1", "example.org", "fe80::1%eth0", ""} {
		cell := aCell("c1", "z1")
		cell.Address = address
		_, err := f.Register(t.Context(), cell)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "address"), address)
	}

	// One that is in the state already is not called either.
	_, err := f.Register(t.Context(), aCell("c1", "z1"))
	g.Expect(err).NotTo(HaveOccurred())
	f.placed(t, "c1")
	stored := *f.store.Snapshot().Cell("c1")
	stored.LogAddress = "127.83.0.1:80@" + host
	f.put(t, &stored)
	_, err = f.Logs(t.Context(), named("web"), 0, client.LogOptions{})
	g.Expect(err).To(refusal(http.StatusBadGateway, "log_address"))

	// Nor is one that the cell sends on to.
	agent := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/secret", http.StatusFound))
	defer agent.Close()
	stored.Address, stored.LogAddress = "127.0.0.1", strings.TrimPrefix(agent.URL, "http://")
	f.put(t, &stored)
	_, err = f.Logs(t.Context(), named("web"), 0, client.LogOptions{})
	g.Expect(err).To(refusal(http.StatusBadGateway, "302"))
	g.Expect(called.Load()).To(BeZero())
}

func TestReasons_WhatActsOnATerminalIsRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	const evil = "x\x1b]0;owned\a"
	push := plain("web", 1)
	push.Owner = evil
	_, err := f.Push(t.Context(), push)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "owner"))
	push = plain("web", 1)
	push.Policy.Interrupt = &model.Handler{Command: "bin/x \u202e"}
	_, err = f.Push(t.Context(), push)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "lifecycle.interrupt.command"))
	cell := aCell("c9", "z1")
	cell.Deployment = evil
	_, err = f.Register(t.Context(), cell)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "deployment"))
	_, err = f.StartPlan(t.Context(), client.PlanRequest{PlanSpec: model.PlanSpec{Name: "p", Cells: model.Selector{All: true}, Action: model.Restart}, Reason: evil})
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "reason"))
	f.put(t, &model.Plan{PlanSpec: model.PlanSpec{Name: "p"}, Status: model.PlanRunning, Intent: model.IntentRun}, aStuck("a"))
	_, err = f.Pause(t.Context(), "p", "me", evil)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "reason"))
	_, err = f.Answer(t.Context(), "a", model.Answer{Verb: model.Skip, Reason: evil})
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "reason"))
}

func FuzzReport(f *testing.F) {
	for _, seed := range []model.Report{
		aReport(), {}, {Instances: []model.ActualInstance{{AppGUID: "../..", Index: -1, Error: "\x1b[2J\u202e"}}},
		{Instances: []model.ActualInstance{{AppGUID: "app", Index: 1, Output: []string{strings.Repeat("x", 5000)}}}, Volumes: madeUp(3)},
	} {
		body, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"instances":[{"app_guid":"app","index":1e3,"stray":true,"cell_id":"c2","disruption":{"progress":-7}}]}`))
	snap := state.SnapshotOf(workCell("c1"), workCell("c2"), workApp(), workInstance(0, "c1"), workInstance(1, "c2"),
		&model.Volume{GUID: "v", CellID: "c1"}, &model.Volume{GUID: "w", CellID: "c2"})
	f.Fuzz(func(t *testing.T, body []byte) {
		var report model.Report
		if json.Unmarshal(body, &report) != nil || checkReport(snap, workCell("c1"), &report) != nil {
			return
		}
		after := snap.Apply(absorb(snap, workCell("c1"), &report, time.Now()))
		if len(after.ActualInstancesOn("c2"))+len(after.ActualVolumesOn("c2"))+len(after.ActualVolumesOf("w")) > 0 {
			t.Errorf("%s speaks for another cell", body)
		}
		for _, actual := range after.ActualInstancesOn("c1") {
			if !actual.Stray && (actual.AppGUID != "app" || actual.Index != 0) {
				t.Errorf("%s is believed of app %q/%d", body, actual.AppGUID, actual.Index)
			}
			for _, text := range append([]string{actual.Error, actual.LastExit, actual.GUID, string(actual.State)}, actual.Output...) {
				if err := model.CheckText(text, model.MaxLine); err != nil {
					t.Errorf("%s keeps %q, which %v", body, text, err)
				}
			}
		}
		if !absorb(after, workCell("c1"), &report, time.Now()).Empty() {
			t.Errorf("%s changes something when it is sent again", body)
		}
	})
}
