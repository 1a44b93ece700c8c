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
	if node.Myself || !node.Known || node.Identity.App != d.Self.App {
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

// claim forms the cluster: once every instance knows every other, and all
// agree that slots belong to nobody, the lowest indexes take them.
func (d *decider) claim(free []int) {
	if d.Members == nil {
		d.wait("the cluster is not complete and Mooring cannot be asked where the instances are")
		return
	}
	for _, index := range indexes(d.Members) {
		view := d.View
		if index != d.Self.Index {
			if view = d.Peers[index]; view == nil {
				d.wait("instance %d does not answer yet", index)
				return
			}
		}
		for other, id := range d.current {
			if node := view.Node(id); node == nil || !node.Connected || node.Handshake {
				d.wait("instance %d is not connected to instance %d yet", index, other)
				return
			}
		}
		free = without(free, view)
	}
	primaries := d.chosen()
	for rank, index := range primaries {
		if index != d.Self.Index {
			continue
		}
		home := homeRange(rank, len(primaries))
		var mine []int
		for _, slot := range free {
			if home.From <= slot && slot <= home.To {
				mine = append(mine, slot)
			}
		}
		if len(mine) > 0 {
			d.do(Action{Verb: Claim, Slots: mine})
		}
	}
	d.wait("not every slot has an owner yet")
}

// chosen are the indexes that own slots or are to, in order.
func (d *decider) chosen() []int {
	var owners []int
	for _, node := range d.View.Primaries() {
		if node.Known && !d.gone(node) {
			owners = append(owners, node.Identity.Index)
		}
	}
	blanks := d.blanks()
	lacking := WantedPrimaries(len(d.Members)) - len(owners)
	owners = append(owners, blanks[:max(0, min(lacking, len(blanks)))]...)
	sort.Ints(owners)
	return owners
}

// blanks are the indexes of the living nodes that are primaries without
// slots, in order.
func (d *decider) blanks() []int {
	var blanks []int
	for index, id := range d.current {
		if node := d.View.Node(id); node != nil && node.Primary && node.Count() == 0 {
			blanks = append(blanks, index)
		}
	}
	sort.Ints(blanks)
	return blanks
}

// takePlace gives the node its role in a cluster whose slots all have owners.
func (d *decider) takePlace() {
	if len(d.me.Leaving)+len(d.me.Arriving) > 0 {
		if d.unfinished() {
			d.do(Action{Verb: Finish})
		}
		d.wait("slots are being moved")
		return
	}
	switch {
	case !d.me.Primary:
		d.placeReplica()
	case d.me.Count() == 0 || !d.Joined:
		d.placeNew()
	}
}

// unfinished reports whether half-done moves are the node's to end: those away
// from it, and those to it of which the other node knows nothing.
func (d *decider) unfinished() bool {
	if len(d.me.Leaving) > 0 {
		return true
	}
	for slot, id := range d.me.Arriving {
		if d.View.Node(id) == nil {
			return true
		}
		for _, view := range d.Peers {
			if other := view.Myself(); other.ID == id && other.Leaving[slot] != d.me.ID {
				return true
			}
		}
	}
	return false
}

// placeReplica mends what a replica replicates.
func (d *decider) placeReplica() {
	primary := d.View.Node(d.me.PrimaryID)
	switch {
	case primary == nil || primary.Primary && primary.Count() == 0:
		d.replicate(choosePrimary(d.View, d.Self.Index, d.Members))
	case !primary.Primary:
		d.replicate(d.View.Node(primary.PrimaryID))
	default:
		if poor := d.lacking(); poor != nil && d.spare() == d.Self.Index {
			d.replicate(poor)
		}
	}
}

func (d *decider) replicate(primary *Node) {
	if primary == nil || primary.Myself || !primary.Primary {
		d.wait("there is no primary to replicate")
		return
	}
	d.do(Action{Verb: Replicate, ID: primary.ID})
	d.wait("it becomes a replica of instance %d", primary.Identity.Index)
}

// lacking is the primary of lowest index that has no replica, down or not;
// nil when all have one.
func (d *decider) lacking() *Node {
	var poor *Node
	for _, node := range d.View.Primaries() {
		if node.Known && len(d.View.Replicas(node.ID)) == 0 && (poor == nil || node.Identity.Index < poor.Identity.Index) {
			poor = node
		}
	}
	return poor
}

// spare is the highest index among the replicas of primaries that have more
// than one; -1 when there is none.
func (d *decider) spare() int {
	spare := -1
	for _, node := range d.View.Primaries() {
		if replicas := d.View.Replicas(node.ID); len(replicas) > 1 {
			for _, replica := range replicas {
				if replica.Known && replica.Connected && !replica.Failed {
					spare = max(spare, replica.Identity.Index)
				}
			}
		}
	}
	return spare
}

// placeNew makes a node without a place a primary with its share of the slots
// while there are too few of those, and a replica otherwise.
func (d *decider) placeNew() {
	if d.Members == nil {
		d.wait("Mooring cannot be asked where the instances are")
		return
	}
	if missing := d.missing(); missing >= 0 && !d.Patient {
		d.wait("instance %d does not answer yet", missing)
		return
	}
	owners := d.View.Primaries()
	wanted := max(len(owners), WantedPrimaries(len(d.Members)))
	if d.me.Count() == 0 {
		blanks, lacking := d.blanks(), wanted-len(owners)
		place := sort.SearchInts(blanks, d.Self.Index)
		if place >= lacking {
			d.replicate(choosePrimary(d.View, d.Self.Index, d.Members))
			return
		}
	}
	if share := Slots / wanted; d.me.Count() < share {
		d.pull(owners, share)
		return
	}
	if len(d.View.Replicas(d.me.ID)) == 0 && d.spare() >= 0 {
		d.wait("a replica is to come here")
	}
}

// pull takes slots from the primary that has most, at most down to a share.
func (d *decider) pull(owners []*Node, share int) {
	var richest *Node
	for _, node := range owners {
		if !node.Myself && (richest == nil || node.Count() > richest.Count()) {
			richest = node
		}
	}
	d.wait("%d of %d slots are here", d.me.Count(), share)
	if richest == nil || richest.Count() <= share {
		return
	}
	count := min(share-d.me.Count(), richest.Count()-share)
	slots := richest.SlotList()
	d.do(Action{Verb: Pull, ID: richest.ID, Slots: slots[len(slots)-count:]})
}

// missing is the lowest index of a member that did not answer, -1 when all did.
func (d *decider) missing() int {
	for _, index := range indexes(d.Members) {
		if _, answered := d.current[index]; !answered {
			return index
		}
	}
	return -1
}

// without gives the slots of free that a view says nobody owns.
func without(free []int, view *View) []int {
	var left []int
	for _, slot := range free {
		owned := false
		for i := range view.Nodes {
			owned = owned || view.Nodes[i].Owns(slot)
		}
		if !owned {
			left = append(left, slot)
		}
	}
	return left
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
