// Package column cuts a fleet so that its maintenance is short whatever the
// rolls turn out to take.
//
// Update domains keep the instances of one app apart in the order of a plan.
// But a fleet whose apps are mixed freely over the cells of each domain moves
// from domain to domain in step: every cell waits for the slowest of its many
// neighbours. So the cells are cut the other way too, into columns of a cell or
// so from each domain, and an app keeps to one column (or to as few, side by
// side, as it has instances for). Columns do not wait for each other: where
// one is slow it alone is late, and it is no later than the app that spans it
// would be in any case. As a gift, fewer different sets of cells hold all of
// some app.
//
// Columns next to each other make a block, which no app leaves unless it is
// larger than the block.
package column

import (
	"cmp"
	"slices"
)

// Cell is a cell to be cut. The caller knows it by its place.
type Cell struct {
	AZ int
	// Domain is the update domain inside the AZ where it is given, else 0.
	Domain int
	// Expected is how long its roll may take, in any unit; 0 when unknown.
	Expected float64
}

// App is what the cut depends on: instances, and how many may be away at once.
type App struct{ Instances, Limit int }

// Cut is a fleet cut into columns.
type Cut struct {
	// Cells lists the cells of each column, in order of their domains.
	Cells [][]int
	// Domain is the update domain of each cell, from 1, kept where it was
	// given.
	Domain []int
	// Rank is the place of each cell in its AZ's part of its column, from 0.
	// Cells of one rank have much the same place in a plan.
	Rank []int
	// Column is the column of each cell.
	Column []int
	// Blocks has the column each block begins with and, last, the number of
	// columns.
	Blocks []int
}

// Fleet cuts cells for these apps. A column has at least as many cells as the
// tightest app has instances for each that may be away, so that such an app
// fits one column and rolls along it one by one; a block, as many as the widest
// app has instances. Every column has the same share of every AZ. The cells of
// an AZ with the longest expected rolls make its first domain, and so on, and
// columns are made even: an expectation that is wrong costs little, and none at
// all costs not much more.
func Fleet(cells []Cell, apps []App) *Cut {
	tightest, widest := 1, 1
	for _, app := range apps {
		if app.Limit > 0 {
			tightest = max(tightest, (app.Instances+app.Limit-1)/app.Limit)
		}
		widest = max(widest, app.Instances)
	}
	byAZ := map[int][]int{}
	var azs []int
	for c, cell := range cells {
		if byAZ[cell.AZ] == nil {
			azs = append(azs, cell.AZ)
		}
		byAZ[cell.AZ] = append(byAZ[cell.AZ], c)
	}
	columns := max(1, len(cells)/tightest)
	cut := &Cut{
		Cells: make([][]int, columns), Column: make([]int, len(cells)),
		Domain: make([]int, len(cells)), Rank: make([]int, len(cells)),
	}
	blocks := max(1, len(cells)/max(widest, tightest))
	for b := range blocks + 1 {
		cut.Blocks = append(cut.Blocks, b*columns/blocks)
	}
	sum := make([]float64, len(cut.Cells))
	for i, az := range azs {
		cut.deal(cells, byAZ[az], sum, i, len(azs))
		cut.number(cells, byAZ[az], (tightest+len(azs)-1)/len(azs))
	}
	for _, column := range cut.Cells {
		slices.SortFunc(column, func(a, b int) int { return cmp.Or(cmp.Compare(cut.Domain[a], cut.Domain[b]), cmp.Compare(a, b)) })
	}
	return cut
}

// deal gives the columns the cells of one AZ, domain by domain; the longest of
// a domain go where least (sum) has gathered. Where an AZ has no cell left for
// every column, the columns with fewest get one: so all have the same number,
// and of each AZ the same but for one.
func (cut *Cut) deal(cells []Cell, members []int, sum []float64, az, azs int) {
	slices.SortStableFunc(members, func(a, b int) int {
		return cmp.Or(cmp.Compare(cells[a].Domain, cells[b].Domain), cmp.Compare(cells[b].Expected, cells[a].Expected))
	})
	// Columns side by side get their odd cell from different AZs, so that a run
	// of them is even too.
	late := func(column int) int { return (column - az + azs) % azs }
	turn := make([]int, len(cut.Cells))
	for k := range turn {
		turn[k] = k
	}
	for left, rank := members, 0; len(left) > 0; rank++ {
		next := slices.Clone(left[:min(len(turn), len(left))])
		left = left[len(next):]
		slices.SortStableFunc(next, func(a, b int) int { return cmp.Compare(cells[b].Expected, cells[a].Expected) })
		slices.SortStableFunc(turn, func(a, b int) int {
			if len(next) < len(turn) {
				return cmp.Or(cmp.Compare(len(cut.Cells[a]), len(cut.Cells[b])), cmp.Compare(late(a), late(b)), cmp.Compare(sum[a], sum[b]))
			}
			return cmp.Compare(sum[a], sum[b])
		})
		for i, c := range next {
			k := turn[i]
			cut.Cells[k] = append(cut.Cells[k], c)
			sum[k] += cells[c].Expected
			cut.Column[c], cut.Rank[c] = k, rank
		}
	}
}

// number cuts the cells of an AZ, as deal has ordered them, into so many domains
// of one size.
func (cut *Cut) number(cells []Cell, members []int, domains int) {
	for i, c := range members {
		if cut.Domain[c] = cells[c].Domain; cut.Domain[c] == 0 {
			cut.Domain[c] = i*domains/len(members) + 1
		}
	}
}

// span gives how many columns, from one on, have room for n instances apart;
// all that are left when they have not.
func (cut *Cut) span(n, from int) int {
	columns := 0
	for n > 0 && from+columns < len(cut.Cells) {
		n -= len(cut.Cells[from+columns])
		columns++
	}
	return max(1, columns)
}
