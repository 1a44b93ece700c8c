package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"mooring/model"
	"mooring/scheduler"
	"mooring/state"
)

// dense gives a fleet on which everything is placed and serves: 1,000 cells
// over three AZs and 2,000 apps of ten instances on fixed volumes.
func dense() *state.Snapshot {
	var records []model.Record
	for i := range 1000 {
		c := cell(fmt.Sprintf("cell-%04d", i), fmt.Sprintf("z%d", i%3+1))
		c.Domain, c.Memory = i/3%10+1, 64*model.Gigabyte
		records = append(records, c, &model.Presence{CellID: c.ID})
	}
	for n := range 2000 {
		a := app(fmt.Sprintf("a%d", n), 10, fmt.Sprintf("s%d", n))
		set := volumeSet(fmt.Sprintf("s%d", n), model.ClassPersistent, 10)
		set.AppGUID = a.GUID
		records = append(records, a, set)
		for i := range 10 {
			id := fmt.Sprintf("cell-%04d", (n*7+i*101)%1000)
			v := &model.Volume{
				GUID: fmt.Sprintf("v%d-%d", n, i), SetGUID: set.GUID, Index: i, Class: set.Class, Size: set.Size,
				AZ: fmt.Sprintf("z%d", (n*7+i*101)%1000%3+1), CellID: id, Mounted: true, Epoch: 1,
			}
			inst := &model.Instance{
				AppGUID: a.GUID, Index: i, Spec: a.Spec, SpecVersion: 1, Volumes: []string{v.GUID}, StartedAfter: model.AfterNew,
				Placement: model.Placement{GUID: fmt.Sprintf("g%d-%d", n, i), CellID: id, Ports: []int{10000 + n%100}},
			}
			records = append(records, v, inst, &model.ActualInstance{
				AppGUID: a.GUID, Index: i, CellID: id, GUID: inst.GUID, SpecVersion: 1, State: model.Serving,
			})
		}
	}
	return state.SnapshotOf(records...)
}

// BenchmarkDecide decides about 20,000 instances on 1,000 cells: with nothing
// to do, and with one app of ten to be placed.
func BenchmarkDecide(b *testing.B) {
	snap := dense()
	b.Run("idle", func(b *testing.B) {
		for b.Loop() {
			if d := scheduler.Decide(snap, time.Unix(0, 0), scheduler.Rules{}); len(d.Txns) != 0 {
				b.Fatal("there is nothing to do")
			}
		}
	})
	b.Run("push", func(b *testing.B) {
		tx := snap.Txn()
		set := volumeSet("new", model.ClassPersistent, 10)
		set.AppGUID = "app-new"
		tx.Put(set)
		tx.Put(app("new", 10, "new"))
		pushed := snap.Apply(tx)
		for b.Loop() {
			if d := scheduler.Decide(pushed, time.Unix(0, 0), scheduler.Rules{}); len(d.Txns) != 1 {
				b.Fatal("the app is to be placed")
			}
		}
	})
}
