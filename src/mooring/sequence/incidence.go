package sequence

// incidence is who uses what, as compact arrays in both directions: uses of a
// cell (by useFrom) and uses of an app in plan order (by appFrom). A use is its
// position in the by-cell arrays.
type incidence struct {
	useFrom []int32 // per cell and one more: its uses are useFrom[c]..useFrom[c+1]
	useApp  []int32
	useN    []int32
	usePos  []int32 // place of the use in its app's list
	appFrom []int32 // per app and one more: its list is appFrom[a]..appFrom[a+1]
	appUse  []int32
	appCell []int32
}

// newIncidence lists each app's cells in the given order of all cells.
func newIncidence(p *Problem, order []int) *incidence {
	uses := 0
	for c := range p.Cells {
		uses += len(p.Cells[c].Uses)
	}
	in := &incidence{
		useFrom: make([]int32, len(p.Cells)+1),
		useApp:  make([]int32, uses),
		useN:    make([]int32, uses),
		usePos:  make([]int32, uses),
		appFrom: make([]int32, len(p.Apps)+1),
		appUse:  make([]int32, uses),
		appCell: make([]int32, uses),
	}
	u := int32(0)
	for c := range p.Cells {
		in.useFrom[c] = u
		for _, use := range p.Cells[c].Uses {
			in.useApp[u], in.useN[u] = use.App, use.N
			in.appFrom[use.App+1]++
			u++
		}
	}
	in.useFrom[len(p.Cells)] = u
	for a := range p.Apps {
		in.appFrom[a+1] += in.appFrom[a]
	}
	in.reorder(order)
	return in
}

// reorder lists each app's cells in another order of all cells.
func (in *incidence) reorder(order []int) {
	next := append([]int32(nil), in.appFrom[:len(in.appFrom)-1]...)
	for _, c := range order {
		for u := in.useFrom[c]; u < in.useFrom[c+1]; u++ {
			at := next[in.useApp[u]]
			next[in.useApp[u]]++
			in.appUse[at], in.appCell[at], in.usePos[u] = u, int32(c), at
		}
	}
}
