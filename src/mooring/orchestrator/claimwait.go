package orchestrator

import (
	"fmt"
	"time"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// watchClaims looks for updates, scale-downs and moves that wait for permits
// because another instance of their app is down and stays down, and adds what
// is wrong to found. Since when it is so is kept with the claim: what crashes
// again and again is starting now and then.
func (d *decision) watchClaims(found map[string]*model.Stuck) {
	for _, claim := range d.snap.Claims() {
		if _, _, isRoll := model.ParseRollHolder(claim.Holder); isRoll || len(claim.Demands) == 0 {
			continue // rolls say so themselves
		}
		appGUID, index := d.downFor(claim)
		waits := index >= 0
		if noted := !claim.DownSince.IsZero(); waits != noted || waits && claim.Down != (model.InstanceRef{AppGUID: appGUID, Index: index}) {
			next := *claim
			next.Down, next.DownSince = model.InstanceRef{}, time.Time{}
			if waits {
				next.Down, next.DownSince = model.InstanceRef{AppGUID: appGUID, Index: index}, d.now
			}
			tx := d.snap.Txn()
			tx.Put(&next)
			d.add(tx)
			continue
		}
		app := d.snap.App(appGUID)
		if waits && d.lookAt(d.seen(claim.DownSince).Add(returnWithin(app)+claim.Extra.D())) {
			alert := d.claimWaits(claim, app, index)
			found[alert.ID] = alert
		}
	}
}

// downFor gives the instance that is down, though nobody planned it, and uses up
// what a claim asks for; index is -1 when there is none.
func (d *decision) downFor(claim *model.Claim) (appGUID string, index int) {
	for _, blocker := range lifecycle.Judge(claim, nil, d.crew).Blockers {
		if index := d.unplanned(blocker.AppGUID, blocker.Holders); index >= 0 {
			return blocker.AppGUID, index
		}
	}
	return "", -1
}

func (d *decision) claimWaits(claim *model.Claim, app *model.App, index int) *model.Stuck {
	alert := d.about(model.WaitingForBudget, app.GUID, index, claim.DownSince)
	alert.ID = d.claimAlert(claim)
	what := map[model.Reason]string{model.ReasonUpdate: "update", model.ReasonScale: "scale-down", model.ReasonMove: "move"}[claim.Reason]
	demand := claim.Demands[0]
	alert.What = fmt.Sprintf("the %s of %s waits for %s, which %s and uses up the budget of its app",
		orElse(what, string(claim.Reason)), d.nameOf(demand.AppGUID, demand.Index), model.InstanceName(app.Name, index), d.howDown(app, index))
	alert.Advice = fmt.Sprintf("Nobody planned this outage. Ask %s to get the instance to serve again; it goes on by itself then.", app.Owned())
	alert.Answers = []model.Verb{model.Wait}
	if inst := d.snap.Instance(app.GUID, index); inst != nil {
		alert.CellID = inst.CellID
		if actual := d.snap.ActualInstance(app.GUID, index, inst.CellID); actual != nil {
			alert.Error, alert.Output = orElse(actual.Error, actual.LastExit), actual.Output
		}
	}
	alert.Blocks = d.blockedBy("", app.GUID)
	return alert
}

// claimAlert is the ID of the alert about a claim that waits for what is down.
func (d *decision) claimAlert(claim *model.Claim) string {
	demand := claim.Demands[0]
	return fmt.Sprintf("%s.%s.%s", claim.Reason, dotted(d.nameOf(demand.AppGUID, demand.Index)), model.WaitingForBudget)
}

// answerClaim has a claim wait for longer before anybody is told again.
func (d *decision) answerClaim(tx *state.Txn, alert *model.Stuck, answer model.Answer) {
	for _, claim := range d.snap.Claims() {
		if _, _, isRoll := model.ParseRollHolder(claim.Holder); !isRoll && len(claim.Demands) > 0 && d.claimAlert(claim) == alert.ID {
			next := *claim
			next.Extra += answer.For + model.Duration(d.now.Sub(d.seen(alert.FlaggedAt)))
			tx.Put(&next)
		}
	}
}
