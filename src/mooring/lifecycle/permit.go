package lifecycle

import (
	"slices"
	"time"

	"mooring/model"
)

// Enter gives the ledgers as they are to be once a claim is granted: one for
// each app concerned, in the order of its demands, copied from what ledger
// gives (nil counts as empty). It does not judge. newID gives a fresh permit
// ID at each call.
//
// A demand on an index that still has a permit takes it over: Judge grants
// that only for an instance that was to come back and crashed.
func Enter(claim *model.Claim, crew func(appGUID string) *Crew, ledger func(appGUID string) *model.Ledger, newID func() string, now time.Time) []*model.Ledger {
	var entered []*model.Ledger
	for _, group := range byApp(claim) {
		next := &model.Ledger{AppGUID: group.appGUID}
		asked := group.asked("")
		if old := ledger(group.appGUID); old != nil {
			for _, permit := range old.Permits {
				if !asked[permit.Index] {
					next.Permits = append(next.Permits, permit)
				}
			}
		}
		for _, demand := range group.demands {
			permit := issue(claim, demand, newID(), now)
			if c := crew(group.appGUID); c != nil {
				if m := c.Member(demand.Index); m != nil {
					permit.CellID = m.CellID
				}
			}
			next.Permits = append(next.Permits, permit)
		}
		slices.SortFunc(next.Permits, func(a, b model.Permit) int { return a.Index - b.Index })
		entered = append(entered, next)
	}
	return entered
}

func issue(claim *model.Claim, demand model.Demand, id string, now time.Time) model.Permit {
	return model.Permit{
		ID:           id,
		Index:        demand.Index,
		Kind:         demand.Kind,
		Move:         demand.Move,
		Reason:       claim.Reason,
		Action:       claim.Action,
		Holder:       claim.Holder,
		Step:         model.StepGranted,
		Want:         model.WantOut,
		Force:        demand.Force,
		Extra:        claim.Extra,
		ExpectedBack: claim.ExpectedBack,
		Times:        map[model.Step]time.Time{model.StepGranted: now},
	}
}
