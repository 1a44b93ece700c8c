package lifecycle

import (
	"fmt"
	"strings"

	"mooring/model"
)

// reservation is what one earlier claim waits for of one app.
type reservation struct {
	holder string
	group  group
}

// judgeInLine says why a claim that fits would take something that an earlier
// claim waits for: nil when it takes nothing.
//
// An instance that is down for itself is not held back for anybody: what is
// free takes nothing from those who wait.
func judgeInLine(claim *model.Claim, earlier []*model.Claim, crew func(string) *Crew) []Blocker {
	if len(earlier) == 0 {
		return nil
	}
	paid := make(map[string]group)
	for _, g := range byApp(claim) {
		if p := crew(g.appGUID).paid(g); len(p.demands) > 0 {
			paid[g.appGUID] = p
		}
	}
	reserved := reserve(claim, earlier, crew, paid)
	var blockers []Blocker
	for _, g := range byApp(claim) {
		if p, ok := paid[g.appGUID]; ok {
			blockers = append(blockers, crew(g.appGUID).ahead(g, p, reserved[g.appGUID])...)
		}
	}
	return blockers
}

// reserve collects what the earlier claims wait for of the apps concerned, by
// app.
func reserve(claim *model.Claim, earlier []*model.Claim, crew func(string) *Crew, concerned map[string]group) map[string][]reservation {
	reserved := make(map[string][]reservation)
	for _, other := range earlier {
		if other.Aside || other.Holder == claim.Holder {
			continue
		}
		var shared []group
		for _, g := range byApp(other) {
			if _, ok := concerned[g.appGUID]; ok {
				shared = append(shared, g)
			}
		}
		if len(shared) == 0 || (Verdict{Blockers: judgeAlone(other, crew)}).Forever() {
			continue
		}
		for _, g := range shared {
			reserved[g.appGUID] = append(reserved[g.appGUID], reservation{other.Holder, g})
		}
	}
	return reserved
}

// ahead gives the limits, and the instances, that the demands would take from
// those who wait. g is all that is asked of the app and paid the part of it
// that spends budget.
func (c *Crew) ahead(g, paid group, reserved []reservation) []Blocker {
	var blockers []Blocker
	wanted := paid.asked("")
	for _, r := range reserved {
		for _, d := range r.group.demands {
			if wanted[d.Index] {
				blockers = append(blockers, Blocker{
					App: c.App.Name, AppGUID: c.App.GUID, Kind: d.Kind, Ahead: []string{r.holder},
					Text: fmt.Sprintf("%s waits for the same instance %s", r.holder, model.InstanceName(c.App.Name, d.Index)),
				})
			}
		}
	}
	if len(blockers) > 0 {
		return blockers
	}
	for _, rule := range c.rules() {
		if len(paid.asked(rule.kind)) == 0 {
			continue
		}
		total := setOf(c.Spent(rule.kind)).union(g.asked(rule.kind))
		var holders []string
		for _, r := range reserved {
			if asked := r.group.asked(rule.kind); len(asked) > 0 {
				total = total.union(asked)
				holders = append(holders, r.holder)
			}
		}
		if len(holders) == 0 || len(total) <= rule.limit {
			continue
		}
		holders = uniq(holders)
		blockers = append(blockers, Blocker{
			App: c.App.Name, AppGUID: c.App.GUID, Kind: paid.demands[0].Kind,
			Limit: rule.limit, LimitName: rule.name, Holders: c.Spent(rule.kind), Ahead: holders,
			Text: fmt.Sprintf("%s allows %s %d of %d, and %s waits for it before", c.App.Name, rule.name, rule.limit, c.App.Instances, strings.Join(holders, ", ")),
		})
	}
	return blockers
}
