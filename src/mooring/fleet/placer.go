package fleet

import (
	"fmt"

	"mooring/fleet/column"
	"mooring/model"
	"mooring/placement"
)

// slack is how far above the level a column may fill a cell, in largest
// requests: what is above must be made up for below, and all of it is to be no
// more than one.
const slack = 0.25

// place places an app: instances on fixed volumes in the column with least on
// it. One that the column has no room for, or is full enough without, and those
// without fixed volumes go wherever the index puts them.
func (p *placer) place(a int, placed *Placed) error {
	app := &p.f.Apps[a]
	r := p.request(app)
	var near []int
	if app.Kind == Fixed && app.Instances > 0 {
		near = p.near(app.Instances)
	}
	clear(p.byAZ)
	clear(p.byRank)
	app.Cells = make([]string, app.Instances)
	for index := range app.Instances {
		r.Index = index
		r.Only = 0
		if c := p.choose(&r, near, a+1); c >= 0 {
			r.Only = p.no[c]
		}
		result, err := p.index.Place(r)
		if err != nil {
			return wrong(fmt.Sprintf("apps[%d]", a), "%w", err)
		}
		if result.Broken != 0 {
			placed.Broken[result.Broken]++
		}
		c := p.cell[result.Cell]
		app.Cells[index] = p.f.Cells[c].ID
		p.has[c] = a + 1
		p.byAZ[p.az[c]]++
		p.byRank[p.cut.Rank[c]]++
		p.note(app, c)
	}
	return nil
}

// note counts what an instance takes of its cell and, spread over it, of its
// column. Instances of no memory count as one unit.
func (p *placer) note(app *App, c int) {
	share := float64(max(1, app.MemoryMB)) / p.scale[c]
	p.load[c] += share
	p.taken[p.cut.Column[c]] += float64(max(1, app.MemoryMB))
}

// near lists the cells of the home with least on it.
func (p *placer) near(n int) []int {
	homes, known := p.homes[n]
	if !known {
		homes = p.cut.Homes(n)
		p.homes[n] = homes
	}
	best, least := column.Home{}, -1.0
	for _, home := range homes {
		taken, size := 0.0, 0.0
		for k := home.From; k < home.To; k++ {
			taken += p.taken[k]
			size += p.size[k]
		}
		if taken /= size; least < 0 || taken < least {
			best, least = home, taken
		}
	}
	var cells []int
	for _, column := range p.cut.Cells[best.From:best.To] {
		cells = append(cells, column...)
	}
	return cells
}

// choose picks among the cells near those that have no member of the group,
// are in an AZ with fewest of them, have room and would not stand out: the one
// whose rank has fewest, then with least on it. -1 when there is none.
func (p *placer) choose(r *placement.Request, near []int, mark int) int {
	fewest := p.byAZ[0]
	for _, n := range p.byAZ {
		fewest = min(fewest, n)
	}
	best := -1
	unit := max(1, float64(r.Memory/model.Megabyte))
	for _, c := range near {
		if az := p.az[c]; p.has[c] == mark || p.byAZ[az] > fewest || p.load[c]+(unit-slack*p.largest)/p.scale[c] > p.level[az] {
			continue
		}
		if best >= 0 {
			x, y := p.byRank[p.cut.Rank[c]], p.byRank[p.cut.Rank[best]]
			if x > y || x == y && p.load[c] >= p.load[best] {
				continue
			}
		}
		if p.index.Free(p.no[c]) >= r.Memory && p.index.FreeDisk(p.no[c], class) >= r.Disks[0].Size {
			best = c
		}
	}
	return best
}
