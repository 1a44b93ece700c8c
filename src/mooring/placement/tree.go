package placement

import "math"

// tree finds the least loaded cell of a bucket that has room, without looking
// at each: every node knows the least load below it and the most that any cell
// below it has free of each resource, which bounds what a search can hope for.
type tree struct {
	cells int // leaves in use
	size  int // leaves, a power of two; leaf i is node size+i
	width int
	load  []uint64
	free  []int64 // width to a node
}

func newTree(cells, width int) tree {
	size := 1
	for size < cells {
		size *= 2
	}
	t := tree{cells: cells, size: size, width: width, load: make([]uint64, 2*size), free: make([]int64, 2*size*width)}
	for i := range t.load {
		t.load[i] = math.MaxUint64
	}
	for i := range t.free {
		t.free[i] = -1
	}
	return t
}

// close makes a leaf take nothing.
func (t *tree) close(leaf int) {
	node := t.size + leaf
	t.load[node] = math.MaxUint64
	for r := range t.width {
		t.free[node*t.width+r] = -1
	}
	t.raise(node)
}

// set gives a leaf its load and free resources.
func (t *tree) set(leaf int, load uint64, free []int64) {
	node := t.size + leaf
	t.load[node] = load
	copy(t.free[node*t.width:], free)
	t.raise(node)
}

// raise brings the nodes above a changed one up to date, as far as they change.
func (t *tree) raise(node int) {
	for node /= 2; node > 0; node /= 2 {
		left, right := 2*node, 2*node+1
		changed := false
		if load := min(t.load[left], t.load[right]); load != t.load[node] {
			t.load[node], changed = load, true
		}
		for r := range t.width {
			most := max(t.free[left*t.width+r], t.free[right*t.width+r])
			if at := node*t.width + r; most != t.free[at] {
				t.free[at], changed = most, true
			}
		}
		if !changed {
			return
		}
	}
}

// search is one question to the trees: the least loaded cell with room that
// holds at most alone members of the group in focus.
type search struct {
	x     *Index
	need  need
	alone int32
	load  uint64 // of the best so far
	best  CellNo
}

// in looks for a cell in bucket b that is less loaded than the best so far.
func (s *search) in(b *bucket) { s.visit(b, 1) }

func (s *search) visit(b *bucket, node int) {
	t := &b.tree
	if t.load[node] >= s.load || !s.need.fits(t.free[node*t.width:(node+1)*t.width]) {
		return
	}
	if node >= t.size {
		no := b.first + CellNo(node-t.size)
		if no != s.need.avoid && s.x.focus.on(no) <= s.alone {
			s.best, s.load = no, t.load[node]
		}
		return
	}
	first, second := 2*node, 2*node+1
	if t.load[second] < t.load[first] {
		first, second = second, first
	}
	s.visit(b, first)
	s.visit(b, second)
}
