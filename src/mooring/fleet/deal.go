package fleet

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"mooring/placement"
)

// deal gives the cells of a fleet that has no seats yet theirs, knowing what is
// to be placed: as many columns as there can be of no fewer cells than the
// tightest app has instances for each that may be away, all with the same share
// of every AZ. The cells of an AZ that are expected to roll longest are first in
// their columns, and columns are made even in time: an expectation that is
// wrong costs little.
func (f *Fleet) deal() {
	tightest, widest := 1, 1
	for a := range f.Apps {
		app := &f.Apps[a]
		if app.Kind != Fixed {
			continue
		}
		widest = max(widest, app.Instances)
		if limit := app.Limit(); limit > 0 {
			tightest = max(tightest, (app.Instances+limit-1)/limit)
		}
	}
	byAZ := map[string][]int{}
	for c := range f.Cells {
		byAZ[f.Cells[c].AZ] = append(byAZ[f.Cells[c].AZ], c)
	}
	columns := columnsFor(len(f.Cells), tightest, widest)
	d := dealer{f: f, numbers: f.numbering(), sum: make([]float64, columns)}
	azs := slices.Sorted(maps.Keys(byAZ))
	left := make([]int, len(azs))
	for i, az := range azs {
		left[i] = len(byAZ[az]) % columns
	}
	odd := spread(left, columns)
	for i, az := range azs {
		d.dealAZ(byAZ[az], odd[i])
	}
}

// columnsFor gives how many columns to cut cells into: as many as the tightest
// app allows, but for those that would be left over, too few for the widest,
// where columns are taken together for it.
func columnsFor(cells, tightest, widest int) int {
	together := 1
	for tightest*together < widest {
		together *= 2
	}
	columns := max(1, cells/tightest)
	for columns > together && columns%together > 0 && columns%together*cells/columns < widest {
		columns--
	}
	return columns
}

// spread gives each AZ columns for as many of its cells as are left over: all
// of them one after another over the columns, the AZs in turn, so that columns,
// and runs of them, are as even in size and in AZs as can be.
func spread(left []int, columns int) [][]int {
	total := 0
	for _, n := range left {
		total += n
	}
	odd := make([][]int, len(left))
	for i := range total {
		// The turn of the AZ that is furthest behind its share.
		next, behind := 0, math.Inf(-1)
		for az, n := range left {
			if due := float64(n)*float64(i+1)/float64(total) - float64(len(odd[az])); due > behind {
				next, behind = az, due
			}
		}
		odd[next] = append(odd[next], i*columns/total)
	}
	return odd
}

// dealer has what the columns got so far.
type dealer struct {
	f       *Fleet
	numbers *numbering
	sum     []float64 // of the expected rolls of each column, in seconds
}

// expected gives how long a cell may roll, 0 when that is unknown.
func (d *dealer) expected(c int) float64 { return d.f.Estimates[d.f.Cells[c].ID] }

// dealAZ gives the columns the cells of one AZ, domain by domain, the last of
// which has only some of the columns, odd. The longest of a domain go where least
// has gathered.
func (d *dealer) dealAZ(cells, odd []int) {
	slices.SortStableFunc(cells, func(a, b int) int { return cmp.Compare(d.expected(b), d.expected(a)) })
	turn := make([]int, len(d.sum))
	for column := range turn {
		turn[column] = column
	}
	domain := 1
	for next := range slices.Chunk(cells, len(turn)) {
		if len(next) < len(turn) {
			turn = odd
		}
		slices.SortStableFunc(turn, func(a, b int) int { return cmp.Compare(d.sum[a], d.sum[b]) })
		for i, c := range next {
			d.sum[turn[i]] += d.expected(c)
			d.numbers.seat(&d.f.Cells[c], placement.Seat{Domain: domain, Column: turn[i] + 1})
		}
		domain++
	}
}
