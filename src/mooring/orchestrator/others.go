package orchestrator

import (
	"fmt"

	"mooring/model"
	"mooring/state"
)

// watchOthers flags disruptions that no roll asked for (an update, a
// scale-down, a move) when their handler does not do its work, their instance
// does not get to serve again, or they are not granted because of another that
// is down. Nothing is taken back: whoever holds
// the permit still wants it, and until somebody answers it spends the budget.
func (d *decision) watchOthers() {
	found := map[string]*model.Stuck{}
	for holder, held := range d.held {
		for _, h := range held {
			if _, _, isRoll := model.ParseRollHolder(holder); isRoll {
				continue
			}
			if alert := d.otherProblem(h); alert != nil {
				found[alert.ID] = alert
			}
		}
	}
	d.watchClaims(found)
	d.watchBlocked(found)
	d.watchUnknown(found)
	for _, open := range d.snap.StuckItems() {
		if open.Plan == "" && open.Kind != model.CellGone && open.Answer == nil && found[open.ID] == nil {
			tx := d.snap.Txn()
			d.recover(tx, open, "it moves again")
			d.add(tx)
		}
	}
	for id, alert := range found {
		if open := d.snap.StuckItem(id); open != nil && open.Answer != nil {
			continue
		}
		tx := d.snap.Txn()
		if open := d.snap.StuckItem(id); open != nil {
			if answer := d.agreedForce(open); answer != nil {
				d.recordAgreed(tx, open, *answer)
				d.closeAlert(tx, open, "answered by the "+answer.By)
				d.answerPermit(tx, open, *answer)
				d.add(tx)
				continue
			}
		}
		d.alarm(tx, alert)
		d.add(tx)
	}
}

func (d *decision) otherProblem(h holding) *model.Stuck {
	app := d.snap.App(h.appGUID)
	if app == nil {
		return nil
	}
	actual := d.snap.ActualInstance(h.appGUID, h.permit.Index, h.permit.CellID)
	alert := d.handlerEvidence(app, h.permit, actual)
	unstopped := d.stopEvidence(app, h.permit, actual)
	switch {
	case alert == nil && unstopped != nil:
		alert = unstopped
		alert.Answers, alert.CellID = []model.Verb{model.Wait, model.Retry}, h.permit.CellID
	case alert != nil:
		alert.Answers = []model.Verb{model.Wait, model.Retry, model.Force}
		alert.CellID = h.permit.CellID
		if inst := d.snap.Instance(h.appGUID, h.permit.Index); h.permit.Kind == model.Drain && inst != nil && !app.Policy.DataDisposable {
			alert.Data = d.fixedVolumes(inst)
		}
	case h.permit.Want == model.WantBack && stopped(h.permit):
		since := h.permit.Times[model.StepYielded]
		if !d.lookAt(d.seen(since).Add(returnWithin(app) + h.permit.Extra.D())) {
			return nil
		}
		alert = d.notServing(h, since)
		alert.Answers = []model.Verb{model.Wait}
	default:
		return nil
	}
	alert.Blocks = d.blockedBy("", h.appGUID)
	alert.ID = fmt.Sprintf("%s.%s.%d.%s", h.permit.Reason, dotted(app.Name.String()), h.permit.Index, alert.Kind)
	return alert
}

// answerPermit applies an answer to a permit that no roll holds. A handler
// that is to run again needs a new permit, and a new permit is granted only in
// the line, under the policy: its holder finds the claim there.
func (d *decision) answerPermit(tx *state.Txn, alert *model.Stuck, answer model.Answer) {
	if alert.Kind == model.WaitingForBudget { // for a permit
		d.answerClaim(tx, alert, answer)
		return
	}
	ledger := d.snap.Ledger(alert.AppGUID)
	permit := ledger.Permit(alert.Index)
	if permit == nil {
		return
	}
	if !alert.Kind.OfDisruption() {
		tx.Put(withPermit(ledger, permit.ID, func(p *model.Permit) bool {
			p.Extra += answer.For + model.Duration(d.now.Sub(d.seen(alert.FlaggedAt)))
			return true
		}))
		return
	}
	tx.Put(withPermit(ledger, permit.ID, func(*model.Permit) bool { return false }))
	tx.Event(d.permitEvent(alert.AppGUID, permit, model.EventPermitCancelled))
	tx.Put(&model.Claim{
		Holder: permit.Holder, Reason: permit.Reason, Action: permit.Action, CellID: permit.CellID,
		Demands: []model.Demand{{
			AppGUID: alert.AppGUID, Index: permit.Index, Kind: permit.Kind, Move: permit.Move, Force: permit.Force || answer.Verb == model.Force,
		}},
		Extra:        permit.Extra + answer.For,
		ExpectedBack: permit.ExpectedBack, Since: d.snap.Revision(), At: d.now,
	})
}
