package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

func TestAReportWritesOnlyWhatChanged(t *testing.T) {
	g := NewWithT(t)
	since := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	serving := model.ActualInstance{AppGUID: "app", Index: 0, CellID: "c1", State: model.Serving, Since: since}
	started := model.ActualInstance{AppGUID: "app", Index: 1, CellID: "c1", State: model.Starting, Since: since}
	left := model.ActualInstance{AppGUID: "app", Index: 2, CellID: "c1", State: model.Stopped}
	foreign := model.ActualInstance{AppGUID: "app", Index: 0, CellID: "c2", State: model.Serving}
	ready := model.ActualVolume{GUID: "v", CellID: "c1", State: model.VolumeReady}
	deleted := model.ActualVolume{GUID: "w", CellID: "c1", State: model.VolumeReady}
	snap := state.SnapshotOf(workCell("c1"), workApp(), &serving, &started, &left, &foreign, &ready, &deleted, &model.Volume{GUID: "v", SetGUID: "set"})

	now := since.Add(time.Minute)
	changed := started
	changed.State, changed.CellID = model.Serving, "a cell may only speak for itself"
	attached := ready
	attached.State = model.VolumeAttached
	tx := absorb(snap, workCell("c1"), &model.Report{
		Instances: []model.ActualInstance{serving, changed}, Volumes: []model.ActualVolume{attached},
	}, now)

	puts, deletes := tx.Changes()
	wanted := changed
	wanted.CellID = "c1"
	g.Expect(puts).To(ConsistOf(&wanted, &attached))
	g.Expect(deletes).To(ConsistOf(left.Key(), deleted.Key()))
	index := 1
	g.Expect(tx.Events()).To(ConsistOf(model.Event{
		At: now, Kind: "instance.serving", Actor: "cell", Text: "acme/prod/db/1 serves on c1",
		App: "acme/prod/db", AppGUID: "app", Index: &index, CellID: "c1",
	}))

	again := absorb(snap.Apply(tx), workCell("c1"), &model.Report{
		Instances: []model.ActualInstance{serving, changed}, Volumes: []model.ActualVolume{attached},
	}, now)
	g.Expect(again.Empty()).To(BeTrue())
}

func TestHandlersAreToldOfOnce(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(workCell("c1"), workApp(), workInstance(0, "c1"))
	told := func(task model.ActualDisruption) []string {
		tx := absorb(snap, workCell("c1"), &model.Report{Instances: []model.ActualInstance{
			{AppGUID: "app", Index: 0, State: model.Serving, Disruption: &task},
		}}, time.Now())
		snap = snap.Apply(tx)
		var kinds []string
		for _, event := range tx.Events() {
			kinds = append(kinds, string(event.Kind))
		}
		return kinds
	}
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskAsked})).To(ConsistOf("instance.serving"))
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskRunning})).To(ConsistOf("handler.running"))
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskRunning, Progress: 0.5})).To(BeEmpty())
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskHung, Progress: 0.5})).To(ConsistOf("handler.hung"))
	g.Expect(told(model.ActualDisruption{PermitID: "q", State: model.TaskHung})).To(ConsistOf("handler.hung"), "another permit")
	g.Expect(told(model.ActualDisruption{PermitID: "q", State: model.TaskYielded})).To(ConsistOf("instance.yielded"))
}

// How a cancel command ended is told once, and what it said is not told.
func TestCancelCommands_AreToldOfOnce(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(workCell("c1"), workApp(), &model.Instance{AppGUID: "app", Placement: model.Placement{CellID: "c1"}})
	told := func(task model.ActualDisruption) []string {
		tx := absorb(snap, workCell("c1"), &model.Report{Instances: []model.ActualInstance{
			{AppGUID: "app", Index: 0, State: model.Serving, Disruption: &task},
		}}, time.Now())
		snap = snap.Apply(tx)
		var texts []string
		for _, event := range tx.Events() {
			if event.Kind == model.EventHandlerTakenBack {
				texts = append(texts, event.Text)
			}
		}
		return texts
	}
	over := model.ActualDisruption{PermitID: "old", State: model.TaskCancelled, Cancel: model.CancelDone}
	g.Expect(told(over)).To(BeEmpty(), "what a new agent says of what is over")
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskHung})).To(BeEmpty())
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskHung, Cancel: model.CancelRunning})).To(BeEmpty())
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskHung, Cancel: model.CancelDone})).To(ConsistOf(
		"acme/prod/db/0 goes on on c1, and its cancel command has taken back what its handler had done"))
	g.Expect(told(model.ActualDisruption{PermitID: "p", State: model.TaskCancelled, Cancel: model.CancelDone})).To(BeEmpty())
	g.Expect(told(model.ActualDisruption{PermitID: "q", State: model.TaskCancelled, Cancel: model.CancelFailed, CancelError: "exit status 4"})).To(ConsistOf(
		"acme/prod/db/0 goes on on c1, but its cancel command failed, so what its handler had done was not taken back: exit status 4"))
}

// An agent that registers anew says all that it knows, most of which is no news.
func TestWhatACellSaysAgainAfterItRegisteredAnewIsNotToldAgain(t *testing.T) {
	g := NewWithT(t)
	told := func(step model.Step, is model.DisruptionState) []string {
		snap := state.SnapshotOf(workCell("c1"), workApp(), workInstance(0, "c1"), &model.Ledger{AppGUID: "app", Permits: []model.Permit{{ID: "p", Step: step}}})
		var kinds []string
		for _, permit := range []string{"p", "of old"} {
			tx := absorb(snap, workCell("c1"), &model.Report{Instances: []model.ActualInstance{{AppGUID: "app", Disruption: &model.ActualDisruption{PermitID: permit, State: is}}}}, time.Now())
			for _, event := range tx.Events() {
				kinds = append(kinds, permit+" "+string(event.Kind))
			}
		}
		return kinds
	}
	g.Expect(told(model.StepAway, model.TaskYielded)).To(BeEmpty())
	g.Expect(told(model.StepRunning, model.TaskRunning)).To(BeEmpty())
	g.Expect(told(model.StepRunning, model.TaskYielded)).To(Equal([]string{"p instance.yielded"}), "it happened meanwhile")
	g.Expect(told(model.StepGranted, model.TaskRunning)).To(Equal([]string{"p handler.running"}))
}

// Since when an instance is being stopped is decided by the control plane's
// clock: from the first report of it on.
func TestSinceWhenAnInstanceIsBeingStopped(t *testing.T) {
	g := NewWithT(t)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	snap := state.SnapshotOf(workCell("c1"), workApp(), workInstance(0, "c1"))
	told := func(later time.Duration, permit string, is model.DisruptionState) time.Time {
		snap = snap.Apply(absorb(snap, workCell("c1"), &model.Report{Instances: []model.ActualInstance{
			{AppGUID: "app", Disruption: &model.ActualDisruption{PermitID: permit, State: is, StoppingAt: noon.Add(-time.Hour)}},
		}}, noon.Add(later)))
		return snap.ActualInstance("app", 0, "c1").Disruption.StoppingAt
	}
	g.Expect(told(0, "p", model.TaskRunning)).To(BeZero())
	g.Expect(told(time.Minute, "p", model.TaskStopping)).To(Equal(noon.Add(time.Minute)))
	g.Expect(told(2*time.Minute, "p", model.TaskStopping)).To(Equal(noon.Add(time.Minute)), "it is the same")
	g.Expect(told(3*time.Minute, "q", model.TaskStopping)).To(Equal(noon.Add(3*time.Minute)), "another disruption")
	g.Expect(told(4*time.Minute, "q", model.TaskYielded)).To(BeZero())
}

// After a step back, cells are newer than the API and say more than it knows.
func TestWhatNewerCellsSayIsPassedOver(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t)
	registration := aCell("c1", "z1")
	f.put(t, workInstance(0, "c1"))
	report := model.Report{Boot: registration.Boot, Start: registration.Start, Volumes: []model.ActualVolume{},
		Instances: []model.ActualInstance{{AppGUID: "app", GUID: "i", CellID: "c1", State: model.Serving}}}
	for _, sent := range []struct {
		path string
		body any
	}{{"register", registration}, {"report", report}} {
		body, err := json.Marshal(sent.body)
		g.Expect(err).NotTo(HaveOccurred())
		more := strings.ReplaceAll(string(body), "{", `{"hue":"red",`)
		g.Expect(more).NotTo(Equal(string(body)))
		answer, err := http.Post(f.url+"/v1/cells/c1/"+sent.path, "application/json", strings.NewReader(more))
		g.Expect(err).NotTo(HaveOccurred())
		said, err := io.ReadAll(answer.Body)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(answer.Body.Close()).To(Succeed())
		g.Expect(answer.StatusCode).To(Equal(http.StatusOK), "%s: %s", sent.path, said)
	}
	g.Expect(f.store.Snapshot().ActualInstance("app", 0, "c1")).NotTo(BeNil())
}

func TestReport_MarksVolumesThatTheStateDoesNotKnow(t *testing.T) {
	g := NewWithT(t)
	cell := &model.Cell{ID: "c1"}
	snap := state.SnapshotOf(cell, &model.Volume{GUID: "known", SetGUID: "s", CellID: "c1"})
	report := &model.Report{Volumes: []model.ActualVolume{{GUID: "known", Unknown: true}, {GUID: "made-after-the-backup"}}}
	after := snap.Apply(absorb(snap, cell, report, time.Now()))
	g.Expect(after.UnknownVolumes()).To(ConsistOf(HaveField("GUID", "made-after-the-backup")))
	g.Expect(after.ActualVolumesOn("c1")).To(HaveLen(2))
}

// A cell that makes volumes up does not fill the state with them.
func TestReport_KeepsOnlySoManyVolumesThatTheStateDoesNotKnow(t *testing.T) {
	g := NewWithT(t)
	cell := &model.Cell{ID: "c1"}
	snap := state.SnapshotOf(cell, &model.Volume{GUID: "known", SetGUID: "s", CellID: "c1"})
	report := &model.Report{}
	for i := range 3 * maxUnknown {
		report.Volumes = append(report.Volumes, model.ActualVolume{GUID: fmt.Sprint("made-up-", i)})
	}
	report.Volumes = append(report.Volumes, model.ActualVolume{GUID: "known"})
	after := snap.Apply(absorb(snap, cell, report, time.Now()))
	g.Expect(after.UnknownVolumes()).To(HaveLen(maxUnknown))
	g.Expect(after.ActualVolumesOn("c1")).To(HaveLen(maxUnknown + 1))
}
