package lifecycle

import (
	"mooring/model"
)

// Verdict is the answer to a claim. A refusal always names who blocks.
type Verdict struct {
	Granted  bool
	Blockers []Blocker // none when granted
}

// Forever reports whether the claim will never be granted by itself: somebody
// has to change a policy, move an instance or answer for its data.
func (v Verdict) Forever() bool {
	for _, b := range v.Blockers {
		if b.Forever {
			return true
		}
	}
	return false
}

// Blocker is one reason why a claim is refused.
type Blocker struct {
	App     model.Name
	AppGUID string
	Kind    model.Kind
	// Limit is the effective number of the limit that is used up and LimitName
	// its key in the policy; "" when no limit is to blame.
	Limit     int
	LimitName string
	// Holders are the indexes of the app's instances that are in the way: they
	// use up the limit, or may not be disrupted now.
	Holders []int
	// Ahead names the holders of earlier claims that wait for the same.
	Ahead []string
	// Forever: it will not end by itself.
	Forever bool
	// Text says it in one sentence.
	Text string
}

// Judge says whether a claim may be granted now, all of it or nothing.
//
// earlier are the claims before it in the line; those not Aside reserve what
// they ask for, and the claim may pass them only where it takes nothing of
// that. An earlier claim that can never be granted by itself reserves nothing,
// so that one app's policy of 0 does not hold up the others. crew gives the
// census of an app, nil when there is no such app; all censuses must be of the
// same snapshot as the claims.
//
// A demand with Force is judged like any other, except that an instance that is
// down may then be drained.
func Judge(claim *model.Claim, earlier []*model.Claim, crew func(appGUID string) *Crew) Verdict {
	blockers := judgeAlone(claim, crew)
	if len(blockers) == 0 {
		blockers = judgeInLine(claim, earlier, crew)
	}
	return Verdict{Granted: len(blockers) == 0, Blockers: blockers}
}
