package cluster

import (
	"fmt"
	"sort"

	"mooring/model"
)

// Situation is all that a node decides on.
type Situation struct {
	Self Identity
	// View is the node's own.
	View *View
	// Members are the instances as Mooring knows them, by index; nil while it
	// cannot be asked. The node itself is among them.
	Members map[int]Member
	// Peers are the views of the other members that answered at their
	// addresses and said that they are who they should be, by index.
	Peers map[int]*View
	// Joined: the node has had its place in the cluster before, with the
	// volume it has now. It takes a share of the slots only before that.
	Joined bool
	// Patient: the node has waited long enough for members that do not answer.
	Patient bool
}

// Verb is what a node does to itself.
type Verb string

// The verbs. Each may be carried out twice.
const (
	Meet      Verb = "meet"      // introduce itself to To
	Forget    Verb = "forget"    // drop the node ID, whose volume is gone
	Claim     Verb = "claim"     // own Slots, which nobody owns
	Replicate Verb = "replicate" // become a replica of the node ID
	TakeOver  Verb = "take-over" // become primary: the primary's volume is gone
	Finish    Verb = "finish"    // end the slot moves that were left half done
	Pull      Verb = "pull"      // move Slots here from the node ID
)

// Action is one thing for a node to do to itself.
type Action struct {
	Verb  Verb
	ID    string
	To    Member
	Slots []int
	// Force, of TakeOver: most primaries are gone, so there is nobody to vote.
	Force bool
}

// Decision is what a node should do now.
type Decision struct {
	Actions []Action
	// Waiting says what keeps the node from having its place; "" when it has.
	Waiting string
}

// Decide says what the node should do now.
func Decide(s Situation) Decision {
	d := decider{Situation: s, me: s.View.Myself()}
	d.current = d.currentIDs()
	d.meet()
	if d.bury() {
		return d.Decision
	}
	if free := s.View.Unowned(); len(free) > 0 {
		d.claim(free)
		return d.Decision
	}
	d.takePlace()
	return d.Decision
}

type decider struct {
	Situation
	Decision
	me *Node
	// current is the ID of the node that each member is now.
	current map[int]string
}

func (d *decider) do(a Action) { d.Actions = append(d.Actions, a) }

func (d *decider) wait(format string, args ...any) {
	if d.Waiting == "" {
		d.Waiting = fmt.Sprintf(format, args...)
	}
}

func (d *decider) currentIDs() map[int]string {
	ids := map[int]string{d.Self.Index: d.me.ID}
	for index, view := range d.Peers {
		ids[index] = view.Myself().ID
	}
	return ids
}

// meet introduces the node to members it is not connected to, or that do not
// know it.
func (d *decider) meet() {
	for _, index := range indexes(d.Peers) {
		theirs := d.Peers[index]
		mine := d.View.Node(theirs.Myself().ID)
		known := theirs.Node(d.me.ID)
		if mine != nil && mine.Connected && !mine.Handshake && known != nil && !known.Handshake {
			continue
		}
		if member, ok := d.Members[index]; ok {
			d.do(Action{Verb: Meet, To: member})
		}
	}
}

// bury removes nodes whose volume is gone: another node has their index now.
// It reports true when there is nothing else to do yet.
func (d *decider) bury() (hold bool) {
	for i := range d.View.Nodes {
		node := &d.View.Nodes[i]
		if !d.gone(node) {
			continue
		}
		heirs := d.heirs(node)
		switch {
		case node.Count() == 0 && d.me.PrimaryID == node.ID:
			// Its replica finds another primary in takePlace.
		case node.Count() == 0 || len(heirs) == 0:
			d.do(Action{Verb: Forget, ID: node.ID})
			// The slots it takes along are nobody's in the next view.
			if node.Count() > 0 {
				d.wait("the slots of instance %d are given up: every copy is gone", node.Identity.Index)
				hold = true
			}
		case heirs[0].Myself:
			d.do(Action{Verb: TakeOver, ID: node.ID, Force: !d.majority()})
			d.wait("it takes over the slots of instance %d, whose volume is gone", node.Identity.Index)
			hold = true
		default:
			d.wait("instance %d is to take over the slots of instance %d, whose volume is gone", heirs[0].Identity.Index, node.Identity.Index)
			hold = true
		}
	}
	return hold
}

// gone reports whether a node will never come back.
func (d *decider) gone(node *Node) bool {
	if node.Myself || node.Handshake {
		return false
	}
	if !node.Known {
		return d.hearsay(node)
	}
	if node.Identity.App != d.Self.App {
		return false
	}
	if node.Quitting && node.Failed {
		return true
	}
	if id, answered := d.current[node.Identity.Index]; answered {
		return id != node.ID
	}
	_, wanted := d.Members[node.Identity.Index]
	return d.Members != nil && !wanted && node.Failed
}

// hearsay reports whether all that is known of a node is what others said: it
// was never connected, owns nothing, and every member is another node. A node
// that was forgotten comes back like that through one that joins.
func (d *decider) hearsay(node *Node) bool {
	if node.Connected || node.Count() > 0 || d.Members == nil || d.missing() >= 0 {
		return false
	}
	for _, id := range d.current {
		if id == node.ID {
			return false
		}
	}
	return true
}

// heirs are the replicas of a node that can take over, the lowest index first.
func (d *decider) heirs(node *Node) []*Node {
	var heirs []*Node
	for _, replica := range d.View.Replicas(node.ID) {
		if replica.Myself || replica.Connected && !replica.Failed && replica.Known && !d.gone(replica) {
			heirs = append(heirs, replica)
		}
	}
	sort.Slice(heirs, func(i, j int) bool { return heirs[i].Identity.Index < heirs[j].Identity.Index })
	return heirs
}

// majority reports whether most primaries can vote.
func (d *decider) majority() bool {
	alive, all := 0, 0
	for _, node := range d.View.Primaries() {
		all++
		if node.Connected && !node.Failed && !d.gone(node) {
			alive++
		}
	}
	return alive > all/2
}

// indexes gives the keys of m in order.
func indexes[T any](m map[int]T) []int {
	keys := make([]int, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Ints(keys)
	return keys
}

// Belongs reports whether a node that answered at a member's address is that
// member, and not something else that has the address now, nor a node that is
// leaving.
func Belongs(view *View, app model.Name, index int) bool {
	me := view.Myself()
	return me.Known && !me.Quitting && me.Identity == Identity{Index: index, App: app}
}
