package cluster

import "sort"

// WantedPrimaries is how many of an app's instances are to own slots: half of
// them, so that each has a replica to hand over to.
func WantedPrimaries(instances int) int { return max(1, instances/2) }

// homeRange is the slots of the primary at place rank of n.
func homeRange(rank, n int) Range {
	return Range{From: rank * Slots / n, To: (rank+1)*Slots/n - 1}
}

// Member is where an instance of the app is, as Mooring says.
type Member struct {
	Index     int
	Host      string
	Port, Bus int
	CellID    string
	AZ        string
}

// distance says how unlikely two instances are to be lost together, from 0
// (same cell) to 2 (different AZs). Where they are may be unknown.
func distance(a, b Member) int {
	switch {
	case a.AZ != b.AZ:
		return 2
	case a.CellID != b.CellID:
		return 1
	}
	return 0
}

// choosePrimary gives the primary that a node at index should replicate: one
// with the fewest replicas, of those the most distant, of those the one that
// follows the index in turn. Nodes that choose in any order, each seeing what
// others have chosen, end with a spread as good as in index order. nil when no
// primary has an identity.
func choosePrimary(view *View, index int, members map[int]Member) *Node {
	var primaries []*Node
	for _, node := range view.Primaries() {
		if node.Known && !node.Myself {
			primaries = append(primaries, node)
		}
	}
	sort.Slice(primaries, func(i, j int) bool { return primaries[i].Identity.Index < primaries[j].Identity.Index })
	var best *Node
	for turn := range primaries {
		node := primaries[(index+turn)%len(primaries)]
		if best == nil || better(view, node, best, index, members) {
			best = node
		}
	}
	return best
}

func better(view *View, node, than *Node, index int, members map[int]Member) bool {
	a, b := len(view.Replicas(node.ID)), len(view.Replicas(than.ID))
	if a != b {
		return a < b
	}
	me := members[index]
	return distance(me, members[node.Identity.Index]) > distance(me, members[than.Identity.Index])
}
