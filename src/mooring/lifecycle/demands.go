package lifecycle

import "mooring/model"

// indexes is a set of instance indexes of one app.
type indexes map[int]bool

// union adds all of others to a copy of s.
func (s indexes) union(others ...indexes) indexes {
	all := make(indexes, len(s))
	for i := range s {
		all[i] = true
	}
	for _, other := range others {
		for i := range other {
			all[i] = true
		}
	}
	return all
}

// group is what one claim demands of one app.
type group struct {
	appGUID string
	demands []model.Demand
}

// byApp sorts the demands of a claim by app, in the order the apps appear.
func byApp(claim *model.Claim) []group {
	var groups []group
	at := make(map[string]int)
	for _, demand := range claim.Demands {
		i, seen := at[demand.AppGUID]
		if !seen {
			i = len(groups)
			at[demand.AppGUID] = i
			groups = append(groups, group{appGUID: demand.AppGUID})
		}
		groups[i].demands = append(groups[i].demands, demand)
	}
	return groups
}

// asked gives the indexes demanded with a kind, "" for either.
func (g group) asked(kind model.Kind) indexes {
	set := make(indexes, len(g.demands))
	for _, demand := range g.demands {
		if kind == "" || demand.Kind == kind {
			set[demand.Index] = true
		}
	}
	return set
}
