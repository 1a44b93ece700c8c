package lifecycle_test

import (
	"fmt"
	"time"

	"mooring/lifecycle"
	"mooring/model"
)

// fleet is a small world for tests: apps, what is placed, what is reported,
// what is granted.
type fleet struct {
	apps      map[string]*model.App
	instances map[string][]*model.Instance
	actuals   map[string][]*model.ActualInstance
	ledgers   map[string]*model.Ledger
	gone      map[string]bool // cells that are not present
	nextID    int
}

func newFleet() *fleet {
	return &fleet{
		apps:      map[string]*model.App{},
		instances: map[string][]*model.Instance{},
		actuals:   map[string][]*model.ActualInstance{},
		ledgers:   map[string]*model.Ledger{},
		gone:      map[string]bool{},
	}
}

// add puts an app of n instances, instance i on cell c<i>, each serving and
// each with a volume.
func (f *fleet) add(name string, n int, policy model.Policy) *model.App {
	app := &model.App{GUID: name, Name: model.Name{Org: "acme", Space: "prod", Name: name}, Instances: n, Policy: policy}
	f.apps[name] = app
	f.ledgers[name] = &model.Ledger{AppGUID: name}
	for i := range n {
		cell := fmt.Sprintf("c%d", i)
		f.instances[name] = append(f.instances[name], &model.Instance{
			AppGUID: name, Index: i, Placement: model.Placement{CellID: cell, GUID: "g"}, SpecVersion: 1,
			Volumes: []string{fmt.Sprintf("v-%s-%d", name, i)},
		})
		f.actuals[name] = append(f.actuals[name], &model.ActualInstance{
			AppGUID: name, Index: i, CellID: cell, GUID: "g", SpecVersion: 1, State: model.Serving,
		})
	}
	return app
}

func (f *fleet) state(name string, index int, state model.InstanceState) {
	f.actuals[name][index].State = state
}

func (f *fleet) present(cell string) bool { return !f.gone[cell] }

func (f *fleet) crew(guid string) *lifecycle.Crew {
	app := f.apps[guid]
	if app == nil {
		return nil
	}
	crew := lifecycle.Census(app, f.instances[guid], f.actuals[guid], f.ledgers[guid], f.present)
	return &crew
}

// enter grants without asking.
func (f *fleet) enter(claim *model.Claim) {
	id := func() string { f.nextID++; return fmt.Sprintf("permit-%d", f.nextID) }
	for _, ledger := range lifecycle.Enter(claim, f.crew, func(guid string) *model.Ledger { return f.ledgers[guid] }, id, time.Unix(0, 0)) {
		f.ledgers[ledger.AppGUID] = ledger
	}
}

func interrupts(holder, app string, at ...int) *model.Claim {
	return demands(holder, model.Interrupt, app, at...)
}

func drains(holder, app string, at ...int) *model.Claim {
	return demands(holder, model.Drain, app, at...)
}

func demands(holder string, kind model.Kind, app string, at ...int) *model.Claim {
	claim := &model.Claim{Holder: holder, Reason: model.ReasonRoll}
	for _, i := range at {
		claim.Demands = append(claim.Demands, model.Demand{AppGUID: app, Index: i, Kind: kind})
	}
	return claim
}

func both(a, b *model.Claim) *model.Claim {
	a.Demands = append(a.Demands, b.Demands...)
	return a
}

func limit(n int) model.Limit { return model.Limit{Count: n} }

// one is the policy of the examples: one at a time.
func one() model.Policy { return model.Policy{MaxInterrupted: limit(1), MaxDraining: limit(1)} }
