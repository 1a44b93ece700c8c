package orchestrator

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// starting is a fleet whose app was just pushed: on each cell one instance
// that is in a state.
func starting(states ...model.InstanceState) *state.Snapshot {
	class := model.Class{Name: model.ClassPersistent, Survives: model.Recreate, Capacity: model.Gigabyte}
	app := &model.App{GUID: "app", Name: model.Name{Org: "o", Space: "s", Name: "redis"}, Instances: len(states), SpecVersion: 1,
		Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}}
	records := []model.Record{app, &model.VolumeSet{GUID: "set", Class: class.Name, Survives: class.Survives, AppGUID: app.GUID, Count: len(states)}}
	for i, is := range states {
		cell, volume := fmt.Sprintf("c%d", i+1), fmt.Sprintf("v%d", i)
		records = append(records,
			&model.Cell{ID: cell, AZ: "z1", Pool: "default", Classes: []model.Class{class}, Boot: "b", Start: "s"},
			&model.Presence{CellID: cell, Boot: "b", Start: "s"},
			&model.Volume{GUID: volume, SetGUID: "set", Index: i, Class: class.Name, CellID: cell, AZ: "z1", Mounted: true},
			&model.Instance{AppGUID: app.GUID, Index: i, SpecVersion: 1, Volumes: []string{volume}, Placement: model.Placement{GUID: volume, CellID: cell}},
			&model.ActualInstance{AppGUID: app.GUID, Index: i, CellID: cell, GUID: volume, State: is, SpecVersion: 1})
	}
	return state.SnapshotOf(records...)
}

func TestAPreviewCountsOnWhatStarts(t *testing.T) {
	g := NewWithT(t)
	spec := model.PlanSpec{Name: "p", Cells: model.Selector{All: true}, Action: model.Recreate}
	settled, err := Preview(starting(model.Serving, model.Serving, model.Serving), spec, time.Unix(0, 0))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(settled.AtOnce).To(Equal(1))

	early, err := Preview(starting(model.Starting, model.Soaking, model.Starting), spec, time.Unix(0, 0))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(early.AtOnce).To(Equal(settled.AtOnce))
	g.Expect(early.Expected).To(Equal(settled.Expected))
	g.Expect(early.Bottleneck).To(Equal(settled.Bottleneck))
}
