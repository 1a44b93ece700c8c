package placement

import "math"

// tree finds the least loaded cell of a bucket that has room, without looking
// at each: every node knows the least load below it and the most that any cell
// below it has free of each resource, which bounds what a search can hope for.
type tree struct {
	cells int // leaves in use
	size  int // leaves, a power of two; leaf i is node size+i
	row   int // numbers to a node: its load, then what is free of each resource
	nodes []int64
}

// full is the load of what takes nothing.
const full = math.MaxInt64

func newTree(cells, width int) tree {
	size := 1
	for size < cells {
		size *= 2
	}
	t := tree{cells: cells, size: size, row: 1 + width, nodes: make([]int64, 2*size*(1+width))}
	for node := range 2 * size {
		t.shut(node)
	}
	return t
}

// node gives the numbers of a node.
func (t *tree) node(i int) []int64 { return t.nodes[i*t.row : (i+1)*t.row] }

// shut makes a node take nothing.
func (t *tree) shut(i int) {
	n := t.node(i)
	n[0] = full
	for r := 1; r < len(n); r++ {
		n[r] = -1
	}
}

// close makes a leaf take nothing.
func (t *tree) close(leaf int) {
	t.shut(t.size + leaf)
	t.raise(t.size + leaf)
}

// set gives a leaf its load and free resources.
func (t *tree) set(leaf int, load int64, free []int64) {
	n := t.node(t.size + leaf)
	n[0] = load
	copy(n[1:], free)
	t.raise(t.size + leaf)
}

// raise brings the nodes above a changed one up to date, as far as they change.
func (t *tree) raise(node int) {
	for node /= 2; node > 0; node /= 2 {
		n := t.node(node)
		left, right := t.node(2 * node)[:len(n)], t.node(2*node + 1)[:len(n)]
		changed := false
		if load := min(left[0], right[0]); load != n[0] {
			n[0], changed = load, true
		}
		for r := 1; r < len(n); r++ {
			if most := max(left[r], right[r]); most != n[r] {
				n[r], changed = most, true
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
	load  int64 // of the best so far
	best  CellNo
}

// in looks for a cell in bucket b that is less loaded than the best so far.
func (s *search) in(b *bucket) { s.visit(b, 1) }

func (s *search) visit(b *bucket, node int) {
	t := &b.tree
	n := t.node(node)
	if n[0] >= s.load || !s.need.fits(n[1:]) {
		return
	}
	if node >= t.size {
		no := b.first + CellNo(node-t.size)
		if no != s.need.avoid && s.x.focus.on(no) <= s.alone {
			s.best, s.load = no, n[0]
		}
		return
	}
	first, second := 2*node, 2*node+1
	if t.nodes[second*t.row] < t.nodes[first*t.row] {
		first, second = second, first
	}
	s.visit(b, first)
	s.visit(b, second)
}
