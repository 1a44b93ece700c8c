package lifecycle

import (
	"slices"

	"mooring/model"
)

// Of gives how many instances may be disrupted at once in one way.
func (l Limits) Of(kind model.Kind) int {
	if kind == model.Drain {
		return min(l.Draining, l.Disrupted)
	}
	return min(l.Interrupted, l.Disrupted)
}

// Steps parts members that leave one cell, to be drained or to move, into those
// that leave it one after another, as many at once as the policy allows. They
// need not leave together, as what stays with its cell has to. Those that are
// down for themselves go first and together: they spend nothing, and a broken
// one never blocks the repair of its host. Of an app that allows nothing all
// are one step, which Judge refuses for ever.
func (c *Crew) Steps(kind model.Kind, indexes []int) [][]int {
	var crashed, others []int
	for _, index := range indexes {
		if m := c.Member(index); m != nil && m.Crashed {
			crashed = append(crashed, index)
		} else {
			others = append(others, index)
		}
	}
	var steps [][]int
	if len(crashed) > 0 {
		steps = append(steps, crashed)
	}
	if len(others) == 0 {
		return steps
	}
	size := c.Limits().Of(kind)
	if size == 0 {
		return append(steps, others)
	}
	return slices.AppendSeq(steps, slices.Chunk(others, size))
}
