package cluster_test

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/kits/redis/cluster"
)

// world is a cluster on paper: every node sees all that is so.
type world struct {
	nodes   map[string]*cluster.Node
	current map[int]string // the node that each instance is now
	members map[int]cluster.Member
	down    map[string]bool
	joined  map[string]bool
	born    int
}

func newWorld(n int, zones []string) *world {
	w := &world{nodes: map[string]*cluster.Node{}, current: map[int]string{}, members: map[int]cluster.Member{}, down: map[string]bool{}, joined: map[string]bool{}}
	for index := range n {
		w.members[index] = cluster.Member{Index: index, AZ: zones[index%len(zones)], CellID: fmt.Sprint("c", index), Host: fmt.Sprint("h", index), Port: 1, Bus: 2}
		w.replace(index)
	}
	return w
}

// replace gives an instance an empty volume: it is another node from now on.
func (w *world) replace(index int) {
	if old, found := w.current[index]; found {
		w.down[old] = true
		w.nodes[old].Failed, w.nodes[old].Connected = true, false
	}
	w.born++
	id := fmt.Sprint("n", w.born)
	w.current[index] = id
	w.nodes[id] = &cluster.Node{ID: id, Known: true, Identity: cluster.Identity{Index: index, App: app}, Primary: true, Connected: true}
}

// view is what a node sees: every node, in the order of their birth.
func (w *world) view(id string) *cluster.View {
	view := &cluster.View{}
	for n := 1; n <= w.born; n++ {
		if node := w.nodes[fmt.Sprint("n", n)]; node != nil {
			seen := *node
			seen.Myself = seen.ID == id
			view.Nodes = append(view.Nodes, seen)
		}
	}
	return view
}

func (w *world) situation(index int) cluster.Situation {
	id := w.current[index]
	peers := map[int]*cluster.View{}
	for other, otherID := range w.current {
		if other != index && !w.down[otherID] {
			peers[other] = w.view(otherID)
		}
	}
	return cluster.Situation{Self: cluster.Identity{Index: index, App: app}, View: w.view(id), Members: w.members, Peers: peers, Joined: w.joined[id]}
}

// turn lets one instance decide and act. It reports whether anything is left
// to do for it.
func (w *world) turn(t *rapid.T, index int) bool {
	id := w.current[index]
	if w.down[id] {
		return false
	}
	decision := cluster.Decide(w.situation(index))
	if decision.Waiting == "" {
		w.joined[id] = true
	}
	me := w.nodes[id]
	for _, action := range decision.Actions {
		switch action.Verb {
		case cluster.Forget:
			if w.nodes[action.ID].Count() > 0 && len(w.view(id).Replicas(action.ID)) > 0 {
				t.Fatalf("instance %d forgets %s, which a replica could replace", index, action.ID)
			}
			delete(w.nodes, action.ID)
		case cluster.Claim:
			w.give(t, action.Slots, "", me)
		case cluster.Replicate:
			if me.Count() > 0 || w.nodes[action.ID].Count() == 0 {
				t.Fatalf("instance %d cannot replicate %s", index, action.ID)
			}
			me.Primary, me.PrimaryID = false, action.ID
		case cluster.TakeOver:
			old := w.nodes[action.ID]
			me.Owned, me.Primary, me.PrimaryID = old.Owned, true, ""
			old.Owned = nil
		case cluster.Pull:
			w.give(t, action.Slots, action.ID, me)
		default:
			t.Fatalf("instance %d wants to %s in a cluster where all are connected", index, action.Verb)
		}
	}
	return len(decision.Actions) > 0 || decision.Waiting != ""
}

// give moves slots from a node ("" is nobody) to another.
func (w *world) give(t *rapid.T, slots []int, from string, to *cluster.Node) {
	var owners [cluster.Slots]string
	for _, node := range w.nodes {
		for _, slot := range node.SlotList() {
			owners[slot] = node.ID
		}
		node.Owned = nil
	}
	for _, slot := range slots {
		if owners[slot] != from {
			t.Fatalf("slot %d is %q's and is given to %q", slot, owners[slot], to.ID)
		}
		owners[slot] = to.ID
	}
	for slot, id := range owners {
		node := w.nodes[id]
		if node == nil {
			continue
		}
		if last := len(node.Owned) - 1; last >= 0 && node.Owned[last].To == slot-1 {
			node.Owned[last].To = slot
		} else {
			node.Owned = append(node.Owned, cluster.Range{From: slot, To: slot})
		}
	}
}

// settle gives instances turns in any order until nothing is left to do.
func (w *world) settle(t *rapid.T, what string) {
	for range 60 {
		busy := false
		for _, index := range rapid.Permutation(keys(w.members)).Draw(t, "order") {
			busy = w.turn(t, index) || busy
		}
		if !busy {
			return
		}
	}
	for index := range w.members {
		t.Logf("instance %d: %+v", index, cluster.Decide(w.situation(index)))
	}
	t.Fatalf("%s: the nodes do not come to rest", what)
}

func keys(m map[int]cluster.Member) []int {
	var all []int
	for key := range m {
		all = append(all, key)
	}
	return all
}

// whole checks that the cluster is as it should be.
func (w *world) whole(t *rapid.T) {
	view := w.view(w.current[0])
	if free := view.Unowned(); len(free) > 0 {
		t.Fatalf("%d slots belong to nobody", len(free))
	}
	if owners := len(view.Primaries()); owners != cluster.WantedPrimaries(len(w.members)) {
		t.Fatalf("%d primaries for %d instances", owners, len(w.members))
	}
	if len(view.Nodes) != len(w.members) {
		t.Fatalf("%d nodes are known for %d instances", len(view.Nodes), len(w.members))
	}
	for _, owner := range view.Primaries() {
		if len(w.members) > 1 && len(view.Replicas(owner.ID)) == 0 {
			t.Fatalf("instance %d has no replica", owner.Identity.Index)
		}
	}
}

func TestInstancesInAnyOrderBecomeAWholeClusterAndStayOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "instances")
		w := newWorld(n, []string{"z1", "z2"})
		w.settle(t, "forming")
		w.whole(t)
		// Volumes end, one after the other: with a drained node its slots have
		// gone to others, with a lost one they have not.
		for range rapid.IntRange(0, 3).Draw(t, "replacements") {
			index := rapid.IntRange(0, n-1).Draw(t, "index")
			w.replace(index)
			w.settle(t, fmt.Sprintf("replacing %d", index))
			w.whole(t)
		}
	})
}

func TestReplicasAreInTheOtherZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zones := rapid.Permutation([]string{"z1", "z1", "z1", "z2", "z2", "z2"}).Draw(t, "zones")
		w := newWorld(6, zones)
		w.settle(t, "forming")
		view := w.view(w.current[0])
		for _, node := range view.Nodes {
			if node.Primary {
				continue
			}
			primary := view.Node(node.PrimaryID)
			if w.members[node.Identity.Index].AZ == w.members[primary.Identity.Index].AZ {
				t.Fatalf("instances %d and %d are in one AZ: %v", node.Identity.Index, primary.Identity.Index, zones)
			}
		}
	})
}

func TestNothingIsFormedWithoutEveryInstance(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(6, []string{"z1", "z2"})
	for _, cut := range []func(*cluster.Situation){
		func(s *cluster.Situation) { delete(s.Peers, 4) },
		func(s *cluster.Situation) { s.Members = nil },
		func(s *cluster.Situation) { s.Peers[3].Nodes = s.Peers[3].Nodes[3:] }, // 3 does not know 0 yet
		func(s *cluster.Situation) { s.Patient = true; delete(s.Peers, 4) },
	} {
		situation := w.situation(0)
		cut(&situation)
		for _, action := range cluster.Decide(situation).Actions {
			g.Expect(action.Verb).To(Equal(cluster.Meet))
		}
		g.Expect(cluster.Decide(situation).Waiting).NotTo(BeEmpty())
	}
}

func TestABlankNodeDoesNotClaimWhatOthersKnowAnOwnerOf(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(6, []string{"z1", "z2"})
	situation := w.situation(0)
	// Instance 2 has heard of an owner; this node has not.
	theirs := situation.Peers[2].Node(w.current[1])
	theirs.Owned = []cluster.Range{{From: 0, To: cluster.Slots - 1}}
	decision := cluster.Decide(situation)
	g.Expect(decision.Actions).To(BeEmpty())
	g.Expect(decision.Waiting).NotTo(BeEmpty())
}

func TestANodeKnownFromHearsayIsForgotten(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(2, []string{"z1"})
	forgets := func(change func(*cluster.Situation, *cluster.Node)) bool {
		situation := w.situation(0)
		situation.View.Nodes = append(situation.View.Nodes, cluster.Node{ID: "ghost", Host: "h9", Port: 1, Bus: 2, Primary: true})
		change(&situation, situation.View.Node("ghost"))
		for _, action := range cluster.Decide(situation).Actions {
			if action.Verb == cluster.Forget {
				return action.ID == "ghost"
			}
		}
		return false
	}
	g.Expect(forgets(func(*cluster.Situation, *cluster.Node) {})).To(BeTrue())
	g.Expect(forgets(func(_ *cluster.Situation, n *cluster.Node) { n.Connected = true })).To(BeFalse())
	g.Expect(forgets(func(_ *cluster.Situation, n *cluster.Node) { n.Handshake = true })).To(BeFalse())
	g.Expect(forgets(func(_ *cluster.Situation, n *cluster.Node) { n.Owned = []cluster.Range{{From: 1, To: 1}} })).To(BeFalse())
	g.Expect(forgets(func(s *cluster.Situation, _ *cluster.Node) { delete(s.Peers, 1) })).To(BeFalse(), "it may be the one that does not answer")
	g.Expect(forgets(func(s *cluster.Situation, _ *cluster.Node) { s.Members = nil })).To(BeFalse())
}

func TestAnAddressThatBelongsToSomethingElseIsNotMet(t *testing.T) {
	g := NewWithT(t)
	view, err := cluster.ParseView("aaa 127.0.0.1:7000@17000,1.other.prod.acme myself,master - 0 0 1 connected\n")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cluster.Belongs(view, app, 1)).To(BeFalse())
	view.Nodes[0].Identity.App = app
	g.Expect(cluster.Belongs(view, app, 1)).To(BeTrue())
	g.Expect(cluster.Belongs(view, app, 2)).To(BeFalse())
	view.Nodes[0].Quitting = true
	g.Expect(cluster.Belongs(view, app, 1)).To(BeFalse())
}
