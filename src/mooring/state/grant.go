package state

import (
	"fmt"
	"strings"
	"time"

	"mooring/lifecycle"
	"mooring/model"
)

// Grant judges the claim of a holder and is the only place where permits enter
// ledgers. When the claim is granted, the transaction puts a ledger with the
// new permits for every app concerned, deletes the claim, appends an event
// "permit.granted" for each permit, and requires all that was judged: each
// app's record, instances, reports and ledger, and the cells they are on. The
// caller may add writes of its own and commits it; everything is granted then,
// or nothing. When the claim is refused, or there is none, the transaction is
// nil and the verdict names who blocks.
//
// It judges each claim by itself: to grant two at once, commit the first and
// judge the second on what the mirror shows then.
func (s *Snapshot) Grant(holder string, now time.Time) (*Txn, lifecycle.Verdict) {
	claim := s.Claim(holder)
	if claim == nil {
		return nil, lifecycle.Verdict{Blockers: []lifecycle.Blocker{{Text: holder + " has no claim in the line; ask anew"}}}
	}
	crew := s.crews()
	verdict := lifecycle.Judge(claim, s.before(claim), crew)
	if !verdict.Granted {
		return nil, verdict
	}
	tx := s.Txn()
	tx.Delete(claim)
	for _, ledger := range lifecycle.Enter(claim, crew, s.Ledger, permitIDs(claim, s.revision), now) {
		tx.Put(ledger)
		tx.rely(ledger.AppGUID)
		app := s.App(ledger.AppGUID)
		for i := range ledger.Permits {
			if permit := &ledger.Permits[i]; s.new(permit, ledger.AppGUID) {
				tx.Event(granted(app, permit, now))
			}
		}
	}
	return tx, verdict
}

// before gives the claims that stand before one in the line.
func (s *Snapshot) before(claim *model.Claim) []*model.Claim {
	var earlier []*model.Claim
	for _, other := range s.Claims() {
		if other.Holder == claim.Holder {
			break
		}
		earlier = append(earlier, other)
	}
	return earlier
}

// crews takes the census of each app once, when it is first asked for.
func (s *Snapshot) crews() func(appGUID string) *lifecycle.Crew {
	taken := map[string]*lifecycle.Crew{}
	return func(guid string) *lifecycle.Crew {
		if crew, done := taken[guid]; done {
			return crew
		}
		taken[guid] = s.Crew(guid)
		return taken[guid]
	}
}

// Crew says how every member of an app stands, nil when there is no such app.
func (s *Snapshot) Crew(appGUID string) *lifecycle.Crew {
	app := s.App(appGUID)
	if app == nil {
		return nil
	}
	crew := lifecycle.Census(app, s.InstancesOf(appGUID), s.ActualInstancesOf(appGUID), s.Ledger(appGUID), s.Present)
	return &crew
}

// rely requires everything that the census of an app is made from; its ledger
// is put, which requires it too.
func (t *Txn) rely(appGUID string) {
	t.Require(model.TableApps + "/" + appGUID)
	t.RequireUnder(model.TableInstances + "/" + appGUID)
	t.RequireUnder(model.TableActualInstances + "/" + appGUID)
	for _, inst := range t.base.InstancesOf(appGUID) {
		if inst.CellID != "" {
			t.Require(model.TablePresence+"/"+inst.CellID, model.TableCells+"/"+inst.CellID)
		}
	}
}

// permitIDs numbers the permits of one grant. The revision makes them unlike
// those of an earlier claim of the same holder, and the holder unlike those of
// another claim that is granted on the same revision.
func permitIDs(claim *model.Claim, revision int64) func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("%s@%d.%d", strings.ReplaceAll(claim.Holder, "/", ":"), revision, n)
	}
}

// new reports whether a permit is not in the snapshot's ledger.
func (s *Snapshot) new(permit *model.Permit, appGUID string) bool {
	before := s.Ledger(appGUID).Permit(permit.Index)
	return before == nil || before.ID != permit.ID
}

// granted is the event of a new permit.
func granted(app *model.App, permit *model.Permit, now time.Time) model.Event {
	index := permit.Index
	event := model.Event{
		At: now, Kind: model.StepGranted.Event(), Actor: "scheduler",
		App: app.Name.String(), AppGUID: app.GUID, Index: &index, CellID: permit.CellID,
		Text: fmt.Sprintf("%s may %s %s", model.DescribeHolder(permit.Holder, app.Name.String()), permit.Kind, model.InstanceName(app.Name, index)),
	}
	if plan, _, roll := model.ParseRollHolder(permit.Holder); roll {
		event.Actor, event.Plan = "orchestrator", plan
	}
	return event
}
