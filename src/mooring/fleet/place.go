package fleet

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"

	"mooring/fleet/column"
	"mooring/model"
	"mooring/placement"
)

// Place reads a fleet, gives every cell an update domain and every instance of
// an app without cells a cell, and writes the fleet. Apps and cells that have
// theirs keep them.
func Place(r io.Reader, w io.Writer) error {
	f, err := Read(r)
	if err != nil {
		return err
	}
	if _, err := f.Place(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	if err := encode(out, f); err != nil {
		return fmt.Errorf("write the placed fleet: %w", err)
	}
	return out.Flush()
}

// class is the one class of fixed volumes in a fleet file.
const class = "fixed"

// Placed is what Fleet.Place did.
type Placed struct {
	Instances int
	// Broken counts the instances by the soft constraints that gave way.
	Broken map[placement.Soft]int
	Index  *placement.Index
}

// Place places what is not placed, as Place does.
func (f *Fleet) Place() (*Placed, error) {
	p := newPlacer(f)
	placed := &Placed{Broken: map[placement.Soft]int{}, Index: p.index}
	var todo []int
	for a := range f.Apps {
		if app := &f.Apps[a]; len(app.Cells) == app.Instances {
			p.keep(app)
		} else {
			todo = append(todo, a)
		}
	}
	// Large requests first: small ones even out what they leave.
	slices.SortStableFunc(todo, func(a, b int) int {
		x, y := &f.Apps[a], &f.Apps[b]
		return cmp.Or(cmp.Compare(y.MemoryMB, x.MemoryMB), cmp.Compare(y.Instances, x.Instances))
	})
	for _, a := range todo {
		if err := p.place(a, placed); err != nil {
			return nil, err
		}
		placed.Instances += f.Apps[a].Instances
	}
	return placed, nil
}

// placer is the state of a placement. Cells are numbered as in the fleet.
type placer struct {
	f       *Fleet
	index   *placement.Index
	no      []placement.CellNo // of each cell
	cell    []int              // of each number
	az      []int
	cut     *column.Cut
	homes   map[int][]column.Home // by number of instances
	load    []float64             // of each cell
	level   []float64             // of each AZ: the load of its cells when all is placed and even
	largest float64               // request
	scale   []float64             // of each cell: what it can take, to compare loads by
	taken   []float64             // of each column
	size    []float64             // of each column: what its cells can take, relative
	// Of the app at hand: who has a member, and how many each AZ and rank has.
	has    []int
	byAZ   []int
	byRank []int
}

func newPlacer(f *Fleet) *placer {
	p := &placer{f: f, homes: map[int][]column.Home{}, has: make([]int, len(f.Cells))}
	azs := map[string]int{}
	cells := make([]column.Cell, len(f.Cells))
	for c := range f.Cells {
		az, known := azs[f.Cells[c].AZ]
		if !known {
			az = len(azs)
			azs[f.Cells[c].AZ] = az
		}
		p.az = append(p.az, az)
		p.scale = append(p.scale, float64(max(1, f.Cells[c].MemoryMB)))
		cells[c] = column.Cell{AZ: az, Domain: f.Cells[c].Domain, Expected: f.Estimates[f.Cells[c].ID]}
	}
	var apps []column.App
	p.largest = 1
	for a := range f.Apps {
		p.largest = max(p.largest, float64(f.Apps[a].MemoryMB))
		if app := &f.Apps[a]; app.Kind == Fixed {
			apps = append(apps, column.App{Instances: app.Instances, Limit: app.Limit()})
		}
	}
	p.cut = column.Fleet(cells, apps)
	for c := range f.Cells {
		f.Cells[c].Domain = p.cut.Domain[c]
	}
	p.level = make([]float64, len(azs))
	for c, az := range p.az {
		p.level[az] += p.scale[c]
	}
	total := 0.0
	for a := range f.Apps {
		total += float64(f.Apps[a].Instances) * float64(max(1, f.Apps[a].MemoryMB))
	}
	for az := range p.level {
		p.level[az] = total / float64(len(azs)) / p.level[az]
	}
	p.byAZ, p.load = make([]int, len(azs)), make([]float64, len(cells))
	p.taken, p.size = make([]float64, len(p.cut.Cells)), make([]float64, len(p.cut.Cells))
	for k, column := range p.cut.Cells {
		for _, c := range column {
			p.size[k] += p.scale[c]
		}
	}
	p.byRank = make([]int, slices.Max(p.cut.Rank)+1)
	p.fillIndex()
	return p
}

func (p *placer) fillIndex() {
	cells := make([]placement.Cell, len(p.f.Cells))
	for c := range cells {
		cell := &p.f.Cells[c]
		cells[c] = placement.Cell{
			ID: cell.ID, AZ: cell.AZ, Domain: cell.Domain, Memory: megabytes(cell.MemoryMB),
			Classes: []model.Class{{Name: class, Capacity: megabytes(cell.DiskMB)}},
		}
	}
	p.index = placement.New(cells)
	p.no, p.cell = make([]placement.CellNo, len(cells)), make([]int, len(cells)+1)
	for c := range cells {
		p.no[c] = p.index.Cell(cells[c].ID)
		p.cell[p.no[c]] = c
	}
}

// megabytes reads an amount of a cell, 0 being without limit.
func megabytes(mb int64) model.Size {
	if mb == 0 {
		return placement.Unlimited
	}
	return model.Size(mb) * model.Megabyte
}

func (p *placer) request(app *App) placement.Request {
	r := placement.Request{Group: p.index.Group(app.Name), Memory: model.Size(app.MemoryMB) * model.Megabyte}
	if app.Kind == Fixed {
		r.Domains = true
		r.Disks = []placement.Disk{{Class: class, Size: model.Size(app.DiskMB) * model.Megabyte}}
	}
	return r
}

// keep records an app that is placed already.
func (p *placer) keep(app *App) {
	r := p.request(app)
	var disk placement.Disk
	if len(r.Disks) > 0 {
		disk = r.Disks[0]
	}
	for index, id := range app.Cells {
		no := p.index.Cell(id)
		p.index.Put(r.Group, index, no, r.Memory, disk)
		p.note(app, p.cell[no])
	}
}
