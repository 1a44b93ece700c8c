package cluster

import "sort"

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
