package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/scheduler"
	"mooring/state"
)

// weighPolicy says what the policy of a push costs the fleet, and what the app
// can stand where its instances are or would be. The push is acceptable.
func (s *server) weighPolicy(ctx context.Context, snap *state.Snapshot, push *client.Push, check *client.PolicyCheck) error {
	with, err := supposing(snap, push, s.newGUID(), s.now())
	if err != nil {
		return err
	}
	app := with.AppNamed(push.Name)
	cost := &client.PolicyCost{Action: model.Recreate}
	places := placesOf(with, app)
	cost.Supposed = max(0, len(places)-running(snap, app.GUID))
	cost.Unplaced = app.Instances - len(places)
	var classes []model.Class
	for _, set := range mountedSets(with, app) {
		classes = append(classes, set.AsClass())
	}
	check.Failures = lifecycle.Failures(&app.Policy, app.Instances, classes, places)

	spec := model.PlanSpec{Name: "check-policy", Cells: model.Selector{Pool: model.Pooled(app.Spec.Pool)}, Action: cost.Action}
	foresee := func(snap *state.Snapshot) (*client.Preview, error) {
		cells, err := chosen(snap, &spec.Cells)
		if err != nil {
			return nil, err
		}
		return s.planner(ctx, snap, spec, cells, s.now())
	}
	full, err := foresee(with)
	if err != nil {
		return err
	}
	rest, err := foresee(without(with, app))
	if err != nil {
		return err
	}
	cost.Cells, cost.With, cost.Without = len(full.Order), endsOf(full), endsOf(rest)
	if at := slices.IndexFunc(full.Raises, func(r client.Raise) bool { return r.App == app.Name }); at >= 0 {
		cost.Bottleneck, cost.Raise = true, &full.Raises[at]
	}
	if full.Exclusive != nil && slices.Contains(full.Exclusive.Apps, app.Name) {
		cost.Bottleneck, cost.Exclusive = true, full.Exclusive
	}
	for _, never := range full.Never {
		if strings.HasPrefix(never.Instance, app.Name.String()+"/") {
			cost.Never++
		}
	}
	check.Cost = cost
	return nil
}

func endsOf(p *client.Preview) client.PlanEnds {
	return client.PlanEnds{Expected: p.Expected, Longest: p.Longest, Bound: p.Bound}
}

// placingRounds bounds how often the scheduler is asked: it makes volumes,
// then puts instances on them.
const placingRounds = 8

// supposing gives the state as if a push had been made and the scheduler had
// placed what it asks for. The instances of an app that runs already go on
// under the spec they have: it is the policy that is asked about.
func supposing(snap *state.Snapshot, push *client.Push, guid string, now time.Time) (*state.Snapshot, error) {
	policy, instances := push.Policy, push.Instances
	wanted := *push
	if old := snap.AppNamed(push.Name); old != nil {
		wanted = client.Push{Name: old.Name, Owner: old.Owner, Spec: old.Spec}
	}
	wanted.Policy, wanted.Instances = policy, instances
	tx, pushed, err := decidePush(snap, &wanted, guid, someDeveloper, now)
	if err != nil {
		return nil, fmt.Errorf("suppose the push: %w", err)
	}
	supposed := snap.Apply(tx)
	for range placingRounds {
		if len(placesOf(supposed, &pushed.App)) >= instances {
			break
		}
		decision := scheduler.Decide(supposed, now, scheduler.Rules{Settled: now.Add(time.Hour)})
		for _, tx := range decision.Txns {
			supposed = supposed.Apply(tx)
		}
		if len(decision.Txns) == 0 {
			break
		}
	}
	return supposed, nil
}

// placesOf lists where the instances of an app that are to stay are.
func placesOf(snap *state.Snapshot, app *model.App) []lifecycle.Place {
	var places []lifecycle.Place
	for _, inst := range snap.InstancesOf(app.GUID) {
		cell := snap.Cell(inst.CellID)
		if cell != nil && !inst.Removing && inst.Index < app.Instances {
			places = append(places, lifecycle.Place{Cell: cell.ID, AZ: cell.AZ})
		}
	}
	return places
}

// running counts the instances of an app that are placed.
func running(snap *state.Snapshot, guid string) (n int) {
	for _, inst := range snap.InstancesOf(guid) {
		n += one(inst.CellID != "")
	}
	return n
}

// without gives the state as if there were no such app.
func without(snap *state.Snapshot, app *model.App) *state.Snapshot {
	tx := snap.Txn()
	tx.Delete(app)
	tx.Delete(&model.Ledger{AppGUID: app.GUID})
	for _, inst := range snap.InstancesOf(app.GUID) {
		tx.Delete(inst)
	}
	for _, actual := range snap.ActualInstancesOf(app.GUID) {
		tx.Delete(actual)
	}
	return snap.Apply(tx)
}
