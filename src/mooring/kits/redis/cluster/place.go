package cluster

import "sort"

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
