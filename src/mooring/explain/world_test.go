package explain

import (
	"fmt"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

const operators = model.CloudOps

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) // a Saturday

// world is a fleet of three cells, each with one instance of redis on a
// persistent volume, and a plan that recreates them in turn.
type world struct {
	cells     map[string]*model.Cell
	absent    map[string]bool
	app       *model.App
	instances []*model.Instance
	actuals   []*model.ActualInstance
	ledger    *model.Ledger
	plan      *model.Plan
	rolls     map[string]*model.Roll
	more      []model.Record
}

func newWorld() *world {
	w := &world{
		cells: map[string]*model.Cell{}, absent: map[string]bool{}, rolls: map[string]*model.Roll{},
		app: &model.App{GUID: "redis", Name: model.Name{Org: "acme", Space: "prod", Name: "redis"}, Owner: "team-redis", Instances: 3,
			Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1},
				Interrupt: &model.Handler{Command: "x", Timeout: model.Duration(time.Minute)}}},
		ledger: &model.Ledger{AppGUID: "redis"},
		plan: &model.Plan{PlanSpec: model.PlanSpec{Name: "p", Action: model.Recreate}, Intent: model.IntentRun, Status: model.PlanRunning,
			Order: []string{"c1", "c2", "c3"}},
		more: []model.Record{&model.VolumeSet{GUID: "set", Name: model.Name{Org: "acme", Space: "prod", Name: "data"}, Survives: model.Recreate}},
	}
	for i, id := range w.plan.Order {
		w.cells[id] = &model.Cell{ID: id, AZ: "z1"}
		volume := fmt.Sprint("v", i)
		w.more = append(w.more, &model.Volume{GUID: volume, SetGUID: "set", Index: i, CellID: id, Mounted: true},
			&model.ActualVolume{GUID: volume, CellID: id, State: model.VolumeAttached})
		w.instances = append(w.instances, &model.Instance{AppGUID: "redis", Index: i, Placement: model.Placement{CellID: id}, Volumes: []string{volume}})
		w.actuals = append(w.actuals, &model.ActualInstance{AppGUID: "redis", Index: i, CellID: id, State: model.Serving})
		w.rolls[id] = &model.Roll{Plan: "p", CellID: id, Order: i, Action: model.Recreate}
		w.in(id, model.Queued)
	}
	return w
}

// in puts the roll of a cell into a phase, each a second after the other.
func (w *world) in(cell string, phase model.Phase) *model.Roll {
	roll := w.rolls[cell]
	roll.Phase = phase
	roll.Timeline = append(roll.Timeline, model.Entry{Phase: phase, At: now.Add(-time.Hour + time.Duration(len(roll.Timeline))*time.Second)})
	return roll
}

// crowd has all volumes float, and two instances share c2.
func (w *world) crowd() {
	for _, record := range w.more {
		switch record := record.(type) {
		case *model.VolumeSet:
			record.Floating = true
		case *model.Volume:
			record.Floating = true
		}
	}
	w.instances[2].CellID, w.actuals[2].CellID = "c2", "c2"
}

// permit gives the instance on a cell's index leave to go, for a holder.
func (w *world) permit(index int, holder string, step model.Step) *model.Permit {
	w.ledger.Permits = append(w.ledger.Permits, model.Permit{
		ID: fmt.Sprint("permit-", index), Index: index, Kind: model.Interrupt, Holder: holder, CellID: w.instances[index].CellID, Step: step,
		Want: model.WantOut, Times: map[model.Step]time.Time{model.StepGranted: now.Add(-time.Minute)}})
	return &w.ledger.Permits[len(w.ledger.Permits)-1]
}

// works reports a handler of the instance's permit.
func (w *world) works(index int, state model.DisruptionState) *model.ActualDisruption {
	w.actuals[index].Disruption = &model.ActualDisruption{
		PermitID: fmt.Sprint("permit-", index), State: state, Progress: 0.31, Message: "5300 slots", StartedAt: now.Add(-20 * time.Second)}
	return w.actuals[index].Disruption
}

// claims puts the roll of a cell into the line for its instance.
func (w *world) claims(cell string, index int, since int64) {
	w.more = append(w.more, &model.Claim{Holder: "roll:p/" + cell, Reason: model.ReasonRoll, CellID: cell, Since: since,
		Demands: []model.Demand{{AppGUID: "redis", Index: index, Kind: model.Interrupt}}})
}

func (w *world) sticks(cell string, item *model.Stuck) {
	item.ID, item.Plan, item.CellID = "p."+cell+"."+string(item.Kind), "p", cell
	w.rolls[cell].StuckID = item.ID
	w.more = append(w.more, item)
}

func (w *world) snapshot() *state.Snapshot {
	records := append([]model.Record{w.app, w.ledger, w.plan}, w.more...)
	for id, cell := range w.cells {
		records = append(records, cell)
		if !w.absent[id] {
			records = append(records, &model.Presence{CellID: id, Boot: "boot-2", Start: "start-2"})
		}
	}
	for _, inst := range w.instances {
		records = append(records, inst)
	}
	for _, actual := range w.actuals {
		records = append(records, actual)
	}
	for _, roll := range w.rolls {
		records = append(records, roll)
	}
	return state.SnapshotOf(records...)
}

// told gives the chain, a line for each link.
func told(why *client.Why) string {
	var lines []string
	for _, link := range why.Chain {
		lines = append(lines, string(link.Kind)+": "+link.Text)
	}
	return strings.Join(lines, "\n")
}

func redisAt(index int) string { return fmt.Sprint("acme/prod/redis/", index) }
