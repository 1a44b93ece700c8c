package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
)

// judgeAlone says why a claim could not be granted even if nobody stood before
// it in the line: nil when it could.
func judgeAlone(claim *model.Claim, crew func(string) *Crew) []Blocker {
	var blockers []Blocker
	for _, g := range byApp(claim) {
		c := crew(g.appGUID)
		if c == nil {
			blockers = append(blockers, Blocker{AppGUID: g.appGUID, Kind: g.demands[0].Kind,
				Text: fmt.Sprintf("application %s is gone; ask anew", g.appGUID)})
			continue
		}
		refusals := c.refusals(g)
		blockers = append(blockers, refusals...)
		for _, b := range c.overdrafts(g) {
			// Beside an instance that cannot be had now, a limit that is used
			// up for now is no news; one that never suffices is.
			if len(refusals) == 0 || b.Forever {
				blockers = append(blockers, b)
			}
		}
	}
	return blockers
}

// refusals gives the demands that no budget could allow now.
func (c *Crew) refusals(g group) []Blocker {
	var blockers []Blocker
	seen := make(indexes, len(g.demands))
	for _, d := range g.demands {
		w := c.weigh(d)
		if w.weight != refused && seen[d.Index] {
			w = weighing{weight: refused, forever: true, text: "it is asked for twice in one claim"}
		}
		seen[d.Index] = true
		if w.weight != refused {
			continue
		}
		blockers = append(blockers, Blocker{
			App: c.App.Name, AppGUID: c.App.GUID, Kind: d.Kind,
			Holders: []int{d.Index}, Forever: w.forever,
			Text: fmt.Sprintf("%s cannot be %s: %s", model.InstanceName(c.App.Name, d.Index), participle(d.Kind), w.text),
		})
	}
	return blockers
}

// overdrafts gives the limits that the demands would exceed together with what
// is disrupted or down now.
func (c *Crew) overdrafts(g group) []Blocker {
	paid := c.paid(g)
	var blockers []Blocker
	for _, r := range c.rules() {
		if len(paid.asked(r.kind)) == 0 {
			continue // what is free is measured by no limit
		}
		asked := g.asked(r.kind)
		spent := setOf(c.Spent(r.kind))
		if len(spent.union(asked)) <= r.limit {
			continue
		}
		b := Blocker{
			App: c.App.Name, AppGUID: c.App.GUID, Kind: paid.demands[0].Kind,
			Limit: r.limit, LimitName: r.name,
			Forever: len(asked) > r.limit,
		}
		for _, index := range c.Spent(r.kind) {
			if !asked[index] {
				b.Holders = append(b.Holders, index)
			}
		}
		if same := slices.ContainsFunc(blockers, func(other Blocker) bool {
			return other.Forever == b.Forever && slices.Equal(other.Holders, b.Holders)
		}); same {
			continue // the limit on both kinds together says nothing new
		}
		b.Text = c.overdraft(b, asked)
		blockers = append(blockers, b)
	}
	return blockers
}

// paid gives the demands of a group that spend budget, or would if they could
// be had now.
func (c *Crew) paid(g group) group {
	paid := group{appGUID: g.appGUID}
	for _, d := range g.demands {
		if c.weigh(d).weight != free {
			paid.demands = append(paid.demands, d)
		}
	}
	return paid
}

func (c *Crew) overdraft(b Blocker, asked indexes) string {
	allowed := fmt.Sprintf("%s allows %s %d of %d", c.App.Name, b.LimitName, b.Limit, c.App.Instances)
	switch {
	case b.Limit == 0:
		return allowed + ": never; " + c.App.Owned() + " would have to change the policy"
	case b.Forever:
		return fmt.Sprintf("%s, and %d of it are asked for at once; raise the limit, or spread the instances over more cells", allowed, len(asked))
	}
	var who []string
	for _, index := range b.Holders {
		who = append(who, c.Member(index).describe())
	}
	return allowed + ", used up by " + strings.Join(who, ", ")
}

// participle is the kind as done to an instance.
func participle(kind model.Kind) string {
	if kind == model.Drain {
		return "drained"
	}
	return "interrupted"
}

// uniq gives the distinct strings of a list in order of appearance.
func uniq(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
