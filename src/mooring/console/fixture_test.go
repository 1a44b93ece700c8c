package console

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mooring/model"
	"mooring/state"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fleet gives n cells in two AZs with three domains each, and one app of n
// instances on fixed volumes, one on each cell, all serving.
func fleet(n int) []model.Record {
	name := model.Name{Org: "acme", Space: "prod", Name: "redis"}
	app := &model.App{GUID: "redis", Name: name, Owner: "data team", Instances: n, Policy: model.Policy{
		MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1},
	}}
	records := []model.Record{app, &model.VolumeSet{GUID: "set", Name: name, Count: n}}
	for i := range n {
		cell := fmt.Sprintf("cell-%d", i)
		volume := &model.Volume{GUID: fmt.Sprintf("volume-%d", i), SetGUID: "set", Index: i, CellID: cell}
		inst := &model.Instance{AppGUID: "redis", Index: i, Placement: model.Placement{GUID: fmt.Sprintf("g%d", i), CellID: cell}, Volumes: []string{volume.GUID}}
		records = append(records,
			&model.Cell{ID: cell, AZ: fmt.Sprintf("z%d", 1+i%2), Domain: 1 + i/2%3}, &model.Presence{CellID: cell},
			volume, inst,
			&model.ActualInstance{AppGUID: "redis", Index: i, CellID: cell, GUID: inst.GUID, State: model.Serving})
	}
	return records
}

// with changes a snapshot as one transaction would.
func with(snap *state.Snapshot, records ...model.Record) *state.Snapshot {
	tx := snap.Txn()
	for _, record := range records {
		tx.Put(record)
	}
	return snap.Apply(tx)
}

// paper is a state that is changed by hand.
type paper struct {
	mu      sync.Mutex
	snap    *state.Snapshot
	changed chan struct{}
	waiting int
}

func newPaper(records ...model.Record) *paper {
	return &paper{snap: state.SnapshotOf(records...), changed: make(chan struct{})}
}

func (p *paper) Snapshot() *state.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snap
}

func (p *paper) Wait(ctx context.Context, after int64) error {
	for {
		p.mu.Lock()
		snap, changed := p.snap, p.changed
		p.waiting++
		p.mu.Unlock()
		if snap.Revision() > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *paper) put(records ...model.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.snap = with(p.snap, records...)
	close(p.changed)
	p.changed = make(chan struct{})
}
