package placement

import (
	"cmp"
	"math"
	"slices"

	"mooring/model"
)

// Unlimited memory or disk, for cells of which nobody knows how much they have.
const Unlimited = model.Size(math.MaxInt64)

// Closed is why a cell takes no new work.
type Closed string

// The reasons, as they read after "is".
const (
	Open     Closed = ""
	Cordoned Closed = "cordoned"
	Absent   Closed = "absent"
	Lost     Closed = "lost"
	Leaving  Closed = "leaving" // for good; what has data there may still run there
)

// opensTo reports whether a cell takes something new, or what is bound to it by
// its data.
func (c Closed) opensTo(bound bool) bool { return c == Open || bound && c == Leaving }

// Cell is a cell as placement sees it.
type Cell struct {
	ID, AZ, Pool string
	Seat
	Memory  model.Size
	Classes []model.Class
	Closed  Closed
}

// CellNo numbers the cells of one Index from 1; 0 is none.
type CellNo int32

// GroupNo numbers the groups of one Index from 1; 0 is none.
type GroupNo int32

// Index holds the cells of a fleet, what is free on each, and where the
// members of each group are, in arrays by number: a placement touches a few
// cache lines, not a row of a table. It is not safe for concurrent use.
type Index struct {
	cells   []Cell // by CellNo; [0] is no cell
	byID    map[string]CellNo
	classes []model.Class // one of each name; its place is the resource number less 1
	azs     []string
	azOf    []int16 // by CellNo
	// free is what a cell has left of each resource, width to a cell: memory
	// first, then each class. -1 is a class the cell does not offer.
	free  []int64
	width int
	count []int32 // things on each cell, by CellNo
	// azFree is what an AZ has left of each floating class, laid out as free.
	azFree  []int64
	buckets []bucket
	coords  []coord // of the buckets, close together
	atOf    []int32 // bucket of each cell, by CellNo
	pools   map[string]span
	groups  []group // by GroupNo; [0] is no group
	focus   focus
	scratch []claim
	open    []int32  // cells that take new work, by pool and AZ
	levels  []int64  // of each cell, by CellNo; noLevel while it is not open
	seats   []CellNo // of each pool, column by column and domain by domain
	homes   []home
	homeOf  []int32           // the smallest home of each cell, by CellNo
	estates map[string]estate // by pool
	parts   []part            // of a home, by AZ
	ranks   []uint64          // of the buckets of a pool, by place in it
}

// bucket is the cells of one pool, AZ and update domain: those between which
// only load decides. Their numbers run on from first.
type bucket struct {
	coord
	ground int32 // the pool and AZ it is in, numbered
	first  CellNo
	tree   tree
}

// coord is where a bucket stands: its AZ, and the number of its domain, which
// the domains so numbered in all AZs share.
type coord struct{ az, number int16 }

// span is a run of buckets, or of cells.
type span struct{ from, to int32 }

// New builds the index of cells on which nothing runs. Cells with equal IDs
// are a mistake of the caller; the last is found by its ID.
func New(cells []Cell) *Index {
	x := &Index{
		cells: make([]Cell, 1, len(cells)+1), byID: make(map[string]CellNo, len(cells)),
		pools: map[string]span{}, groups: make([]group, 1),
	}
	x.cells = append(x.cells, cells...)
	for i := range x.cells {
		x.cells[i].Pool = model.Pooled(x.cells[i].Pool)
	}
	slices.SortStableFunc(x.cells[1:], func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.AZ, b.AZ), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.ID, b.ID))
	})
	x.nameThings()
	x.measure()
	x.cutHomes()
	x.parts = make([]part, len(x.azs))
	x.fillBuckets()
	x.ranks = make([]uint64, len(x.buckets))
	x.focus = newFocus(x)
	return x
}

// nameThings numbers cells, AZs and classes.
func (x *Index) nameThings() {
	for no, cell := range x.cells[1:] {
		x.byID[cell.ID] = CellNo(no + 1)
		if !slices.Contains(x.azs, cell.AZ) {
			x.azs = append(x.azs, cell.AZ)
		}
		for _, class := range cell.Classes {
			if x.resource(class.Name) < 0 {
				x.classes = append(x.classes, class)
			}
		}
	}
	slices.Sort(x.azs)
	x.width = 1 + len(x.classes)
}

// resource gives the place of a class among a cell's resources, -1 when no
// cell offers it.
func (x *Index) resource(class string) int {
	for i := range x.classes {
		if x.classes[i].Name == class {
			return i + 1
		}
	}
	return -1
}

// measure fills in what is free on each cell and in each AZ.
func (x *Index) measure() {
	x.free = make([]int64, len(x.cells)*x.width)
	x.count = make([]int32, len(x.cells))
	x.azOf = make([]int16, len(x.cells))
	x.azFree = make([]int64, len(x.azs)*x.width)
	for i := range x.azFree {
		x.azFree[i] = -1
	}
	for i := 1; i < len(x.cells); i++ {
		cell := &x.cells[i]
		az, _ := slices.BinarySearch(x.azs, cell.AZ)
		x.azOf[i] = int16(az)
		row := x.free[i*x.width : (i+1)*x.width]
		for r := range row {
			row[r] = -1
		}
		row[0] = int64(cell.Memory)
		for _, class := range cell.Classes {
			r := x.resource(class.Name)
			row[r] = int64(class.Capacity)
			if class.Floating {
				// The room is the AZ's; the cell only says whether it reaches it.
				row[r] = 0
				at := az*x.width + r
				x.azFree[at] = max(x.azFree[at], int64(class.Capacity))
			}
		}
	}
}

// fillBuckets cuts the sorted cells into buckets and pools.
func (x *Index) fillBuckets() {
	x.atOf, x.levels = make([]int32, len(x.cells)), slices.Repeat([]int64{noLevel}, len(x.cells))
	numbers := map[int]int16{}
	for from := 1; from < len(x.cells); {
		head := &x.cells[from]
		to := from + 1
		for to < len(x.cells) && x.cells[to].Pool == head.Pool && x.cells[to].AZ == head.AZ && x.cells[to].Domain == head.Domain {
			to++
		}
		number, known := numbers[head.Domain]
		if !known {
			number = int16(len(numbers))
			numbers[head.Domain] = number
		}
		at := int32(len(x.buckets))
		if at == 0 || x.cells[from-1].Pool != head.Pool || x.cells[from-1].AZ != head.AZ {
			x.open = append(x.open, 0)
		}
		x.buckets = append(x.buckets, bucket{coord: coord{az: x.azOf[from], number: number}, ground: int32(len(x.open) - 1), first: CellNo(from), tree: newTree(to-from, x.width)})
		x.coords = append(x.coords, x.buckets[at].coord)
		for no := from; no < to; no++ {
			x.atOf[no] = at
			x.settle(CellNo(no))
		}
		pool, known := x.pools[head.Pool]
		if !known {
			pool.from = at
		}
		pool.to = at + 1
		x.pools[head.Pool] = pool
		from = to
	}
}

// settle brings the tree of a cell's bucket up to date with the cell.
func (x *Index) settle(no CellNo) {
	b := &x.buckets[x.atOf[no]]
	leaf := int(no - b.first)
	if x.cells[no].Closed != Open {
		b.tree.close(leaf)
		x.sumUp(no, noLevel)
		return
	}
	load := x.load(no)
	x.sumUp(no, levelOf(load))
	b.tree.set(leaf, load, x.free[int(no)*x.width:(int(no)+1)*x.width])
}

// unlimitedScale stands in for the memory of cells without a limit when the
// share of it that is taken is reckoned.
const unlimitedScale = 1 << 40

// load orders cells by the share of memory taken, then by what is on them.
func (x *Index) load(no CellNo) int64 {
	memory := x.cells[no].Memory
	taken := int64(memory) - x.free[int(no)*x.width]
	share := min(float64(taken)/scale(memory), 7)
	return int64(max(share, 0)*unit)<<32 | int64(uint32(x.count[no]))
}

// scale gives the memory of a cell to reckon shares of.
func scale(memory model.Size) float64 {
	if memory == Unlimited {
		return unlimitedScale
	}
	return float64(max(memory, 1))
}

// Cell gives the number of a cell, 0 when the index has none of that ID.
func (x *Index) Cell(id string) CellNo { return x.byID[id] }

// At gives a cell by its number. The caller must not change it.
func (x *Index) At(no CellNo) *Cell { return &x.cells[no] }

// Free gives the memory that is left on a cell; it is negative when more was
// put there than fits.
func (x *Index) Free(no CellNo) model.Size { return model.Size(x.free[int(no)*x.width]) }

// FreeDisk gives what is left of a fixed class on a cell, -1 where the cell
// does not offer it.
func (x *Index) FreeDisk(no CellNo, class string) model.Size {
	r := x.resource(class)
	if r < 0 {
		return -1
	}
	return model.Size(x.free[int(no)*x.width+r])
}

// Count gives how many things are on a cell.
func (x *Index) Count(no CellNo) int { return int(x.count[no]) }
