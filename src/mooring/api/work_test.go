package api

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

func workCell(id string) *model.Cell { cell := aCell(id, "z1").Cell; return &cell }

func workApp() *model.App {
	return &model.App{GUID: "app", Name: named("db"), Instances: 3, Policy: model.Policy{
		HealthyFor: model.Duration(10 * time.Second),
		Interrupt:  &model.Handler{Command: "bin/step-down", Timeout: model.Duration(time.Minute), ProgressTimeout: model.Duration(15 * time.Second)},
	}}
}

func workInstance(index int, cellID string) *model.Instance {
	return &model.Instance{
		AppGUID: "app", Index: index, Placement: model.Placement{GUID: "i", CellID: cellID, Ports: []int{10000 + index}},
		Spec:        model.RunSpec{Command: "run", Ports: []string{"redis"}, Mounts: []model.Mount{{VolumeSet: "db", Path: "/data"}}},
		SpecVersion: 4, Volumes: []string{"v"}, StartedAfter: model.AfterNew,
	}
}

func workPermit(cellID string, change func(*model.Permit)) *model.Ledger {
	permit := model.Permit{ID: "p", Index: 0, Kind: model.Interrupt, Reason: model.ReasonRoll, Action: model.Recreate, CellID: cellID, Step: model.StepGranted, Want: model.WantOut}
	if change != nil {
		change(&permit)
	}
	return &model.Ledger{AppGUID: "app", Permits: []model.Permit{permit}}
}

func workOn(cellID string, records ...model.Record) *model.Work {
	return WorkOf(state.SnapshotOf(append(records, workCell("c1"), workCell("c2"))...), cellID)
}

func TestACellRunsWhatIsPlacedOnIt(t *testing.T) {
	g := NewWithT(t)
	set := &model.VolumeSet{GUID: "s", Name: named("db")}
	volume := &model.Volume{GUID: "v", SetGUID: "s", Index: 0, Class: "persistent", Size: model.Gigabyte, CellID: "c1", Epoch: 2, Steal: true}
	gone := &model.Volume{GUID: "w", SetGUID: "s", Index: 7, Class: "persistent", CellID: "c1", Ending: true}
	elsewhere := &model.Volume{GUID: "x", SetGUID: "s", CellID: "c2"}

	work := workOn("c1", workApp(), workInstance(0, "c1"), workInstance(1, "c2"), set, volume, gone, elsewhere)

	g.Expect(work.Revision).To(BeNumerically(">", 0))
	g.Expect(work.Instances).To(Equal([]model.InstanceWork{{
		AppGUID: "app", App: named("db"), Index: 0, Instances: 3, GUID: "i", Spec: workInstance(0, "c1").Spec, SpecVersion: 4, Ports: []int{10000},
		Mounts:     []model.MountedWork{{VolumeGUID: "v", Set: "db", Path: "/data"}},
		HealthyFor: model.Duration(10 * time.Second), StartedAfter: model.AfterNew, Run: true,
	}}))
	g.Expect(work.Volumes).To(Equal([]model.VolumeWork{
		{GUID: "v", Set: named("db"), Index: 0, Class: "persistent", Size: model.Gigabyte, Epoch: 2, Steal: true},
		{GUID: "w", Set: named("db"), Index: 7, Class: "persistent", Delete: true},
	}))
}

func TestACellStopsWhatIsToGo(t *testing.T) {
	g := NewWithT(t)
	removing := workInstance(0, "c1")
	removing.Removing = true
	g.Expect(workOn("c1", workApp(), removing).Instances).To(ConsistOf(HaveField("Run", false)))

	deleting := workApp()
	deleting.Deleting = true
	g.Expect(workOn("c1", deleting, workInstance(0, "c1")).Instances).To(ConsistOf(HaveField("Run", false)))

	g.Expect(workOn("c1", workInstance(0, "c1")).Instances).To(BeEmpty(), "nothing of an app that is gone")
}

func TestAPermitBecomesATask(t *testing.T) {
	g := NewWithT(t)
	peer := workInstance(1, "c2")
	serving := &model.ActualInstance{AppGUID: "app", Index: 1, CellID: "c2", State: model.Serving}
	leaving := workInstance(2, "c2")
	leaving.Removing = true
	extra := workPermit("c1", func(p *model.Permit) {
		p.Extra, p.ExpectedBack = model.Duration(time.Minute), model.Duration(time.Hour)
	})

	work := workOn("c1", workApp(), workInstance(0, "c1"), peer, leaving, serving, extra).Instances[0]

	g.Expect(work.Run).To(BeFalse())
	g.Expect(work.Task).To(Equal(&model.Task{
		PermitID: "p", Kind: model.Interrupt, Reason: model.ReasonRoll, Action: model.Recreate, ExpectedBack: model.Duration(time.Hour),
		Handler: &model.Handler{Command: "bin/step-down", Timeout: model.Duration(2 * time.Minute), ProgressTimeout: model.Duration(75 * time.Second)},
		Peers:   []model.Peer{{Index: 1, Address: "127.83.0.1", Ports: map[string]int{"redis": 10001}, State: model.Serving, CellID: "c2"}},
	}))
}

func TestForceNeedsNoHandler(t *testing.T) {
	g := NewWithT(t)
	forced := workPermit("c1", func(p *model.Permit) { p.Force = true })
	task := workOn("c1", workApp(), workInstance(0, "c1"), forced).Instances[0].Task
	g.Expect(task.Force).To(BeTrue())
	g.Expect(task.Handler).To(BeNil())
}

func TestAnInstanceLearnsWhyItStarts(t *testing.T) {
	drained := func(p *model.Permit) { p.Kind = model.Drain }
	back := func(p *model.Permit) { p.Want = model.WantBack }
	for name, c := range map[string]struct {
		permit *model.Ledger
		want   model.StartedAfter
		run    bool
		task   bool
	}{
		"without a permit: as the scheduler says": {&model.Ledger{AppGUID: "app"}, model.AfterNew, true, false},
		"while it is to be out":                   {workPermit("c1", nil), model.AfterNew, false, true},
		"told to come back to the same cell":      {workPermit("c1", back), model.AfterInterrupt, true, false},
		"moved here by an interrupt":              {workPermit("c2", nil), model.AfterInterrupt, true, false},
		"moved here by a drain":                   {workPermit("c2", drained), model.AfterDrain, true, false},
		"interrupted while it was placed nowhere": {workPermit("", nil), model.AfterInterrupt, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			work := workOn("c1", workApp(), workInstance(0, "c1"), c.permit).Instances[0]
			g.Expect(work.StartedAfter).To(Equal(c.want))
			g.Expect(work.Run).To(Equal(c.run))
			g.Expect(work.Task != nil).To(Equal(c.task))
		})
	}
}

func TestAReplacementRunsBesideWhatItReplaces(t *testing.T) {
	g := NewWithT(t)
	moving := workInstance(0, "c1")
	moving.Spec.Mounts, moving.Volumes = nil, nil
	moving.StartedAfter = model.AfterInterrupt
	moving.Next = &model.Placement{GUID: "next", CellID: "c2", Ports: []int{12000}}

	old := workOn("c1", workApp(), moving).Instances[0]
	g.Expect(old.GUID).To(Equal("i"))
	g.Expect(old.Run).To(BeTrue())
	next := workOn("c2", workApp(), moving).Instances[0]
	g.Expect(next.GUID).To(Equal("next"))
	g.Expect(next.Ports).To(Equal([]int{12000}))
	g.Expect(next.Run).To(BeTrue())
	g.Expect(next.StartedAfter).To(Equal(model.AfterNew))

	disrupted := workPermit("c1", nil)
	g.Expect(workOn("c1", workApp(), moving, disrupted).Instances[0].Task).NotTo(BeNil())
	g.Expect(workOn("c2", workApp(), moving, disrupted).Instances[0].Task).To(BeNil())
	g.Expect(workOn("c2", workApp(), moving, disrupted).Instances[0].Run).To(BeTrue())
}

func TestPeersDoNotWakeACell(t *testing.T) {
	g := NewWithT(t)
	sum := func(records ...model.Record) any {
		return sumOf(workOn("c1", append(records, workApp(), workInstance(0, "c1"), workInstance(1, "c2"), workPermit("c1", nil))...))
	}
	crashed := &model.ActualInstance{AppGUID: "app", Index: 1, CellID: "c2", State: model.Crashed}
	g.Expect(sum(crashed)).To(Equal(sum()))
	g.Expect(sum(&model.Volume{GUID: "v", CellID: "c1"})).NotTo(Equal(sum()))
}
