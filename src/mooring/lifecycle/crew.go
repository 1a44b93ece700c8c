package lifecycle

import (
	"slices"

	"mooring/model"
)

// Standing is how one member of an app counts against its policy.
type Standing string

// Each member is exactly one of these.
const (
	Serving   Standing = "serving"   // healthy for healthy_for, no permit
	Disrupted Standing = "disrupted" // holds a permit
	Down      Standing = "down"      // anything else
)

// Member is how one index of an app stands.
type Member struct {
	Index    int
	Standing Standing
	// State is what the desired cell says of the instance, "" when it says
	// nothing.
	State model.InstanceState
	// Crashed: no process is running and nobody is starting one. It crashed,
	// is blocked, is placed nowhere, was stopped for good, or is on a cell
	// that is not present.
	Crashed bool
	// Permit points into the ledger; nil when the index has none.
	Permit *model.Permit
	// CellID is where the instance is placed, "" when nowhere.
	CellID string
	// HasData: the instance keeps volumes, and the policy does not call their
	// data disposable.
	HasData bool
	// Surplus: the index is no longer desired. It counts only while it holds a
	// permit.
	Surplus bool
}

// Crew is how all members of one app stand at one moment.
type Crew struct {
	App *model.App
	// Members by index: one for each desired index, then the surplus ones.
	Members []Member
}

// Member finds a member by index, nil when the app has none there.
func (c *Crew) Member(index int) *Member {
	at, found := slices.BinarySearchFunc(c.Members, index, func(m Member, index int) int { return m.Index - index })
	if !found {
		return nil
	}
	return &c.Members[at]
}

// Census says how every member of an app stands. instances, actuals and the
// ledger are the app's own, in any order; present says whether a cell's agent
// is known to be alive. A desired index without an instance is down.
func Census(app *model.App, instances []*model.Instance, actuals []*model.ActualInstance, ledger *model.Ledger, present func(cellID string) bool) Crew {
	type place struct {
		index int
		cell  string
	}
	reports := make(map[place]*model.ActualInstance, len(actuals))
	for _, actual := range actuals {
		reports[place{actual.Index, actual.CellID}] = actual
	}
	crew := Crew{App: app, Members: make([]Member, 0, max(app.Instances, len(instances)))}
	placed := make(map[int]bool, len(instances))
	for _, inst := range instances {
		placed[inst.Index] = true
		actual := reports[place{inst.Index, inst.CellID}]
		if actual != nil && !describes(actual, inst) {
			actual = nil
		}
		crew.Members = append(crew.Members, stand(app, inst, actual, ledger.Permit(inst.Index), present))
	}
	for index := range app.Instances {
		if !placed[index] {
			unmade := &model.Instance{AppGUID: app.GUID, Index: index}
			crew.Members = append(crew.Members, stand(app, unmade, nil, ledger.Permit(index), present))
		}
	}
	slices.SortFunc(crew.Members, func(a, b Member) int { return a.Index - b.Index })
	return crew
}

// describes reports whether a cell's report is about the instance as it is
// placed now, not about one that was placed on the same cell earlier.
func describes(actual *model.ActualInstance, inst *model.Instance) bool {
	return actual.CellID == inst.CellID && (actual.GUID == inst.GUID || actual.GUID == "" || inst.GUID == "")
}

func stand(app *model.App, inst *model.Instance, actual *model.ActualInstance, permit *model.Permit, present func(string) bool) Member {
	m := Member{
		Index:   inst.Index,
		CellID:  inst.CellID,
		Permit:  permit,
		HasData: len(inst.Volumes) > 0 && !app.Policy.DataDisposable,
		Surplus: app.Deleting || inst.Index >= app.Instances,
	}
	if actual != nil {
		m.State = actual.State
	}
	reachable := inst.CellID != "" && present(inst.CellID)
	leaving := inst.Removing || app.Deleting
	switch {
	case !reachable, m.State == model.Crashed, m.State == model.Blocked:
		m.Crashed = true
	case m.State == model.Stopped || m.State == "":
		// Stopped, or not yet heard of: somebody is about to start it, unless
		// it is leaving.
		m.Crashed = leaving
	}
	switch {
	case permit != nil:
		m.Standing = Disrupted
	case reachable && m.State == model.Serving && !inst.Removing:
		m.Standing = Serving
	default:
		m.Standing = Down
	}
	return m
}
