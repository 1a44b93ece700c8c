package fleet

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"

	"mooring/model"
	"mooring/placement"
)

// Place reads a fleet, gives every cell a seat and every instance of an app
// without cells a cell, and writes the fleet. Apps and cells that have
// theirs keep them. warn is told what a reader of the result should know.
func Place(r io.Reader, w io.Writer, warn func(text string)) error {
	f, err := Read(r, warn)
	if err != nil {
		return err
	}
	placed, err := f.Place()
	if err != nil {
		return err
	}
	f.warn(placed, warn)
	out := bufio.NewWriterSize(w, 1<<20)
	if err := encode(out, f); err != nil {
		return fmt.Errorf("write the placed fleet: %w", err)
	}
	return out.Flush()
}

// ReadPlaced reads a fleet that is to be rolled. If apps have no cells they are
// placed, as Place does, and warn is told so.
func ReadPlaced(r io.Reader, warn func(text string)) (*Fleet, error) {
	f, err := Read(r, warn)
	if err != nil {
		return nil, err
	}
	f.warnUnrolled(warn)
	if f.Placed() {
		return f, nil
	}
	apps := len(f.unplaced())
	placed, err := f.Place()
	if err != nil {
		return nil, err
	}
	warn(fmt.Sprintf("%d of %d apps have no cells, and are placed first, as moor place does", apps, len(f.Apps)))
	f.warn(placed, warn)
	return f, nil
}

// class is the one class of fixed volumes in a fleet file.
const class = "fixed"

// Placed is what Fleet.Place did.
type Placed struct {
	Instances int
	// Broken counts the instances by the soft constraints that gave way, First
	// names one of each, as in "kv/1 on c3".
	Broken map[placement.Soft]int
	First  map[placement.Soft]string
	// Overfull lists cells on which the file itself places more than fits.
	Overfull []string
	Index    *placement.Index
}

// Place places what is not placed, as Place does: with all of it at hand, cells
// are dealt to columns for just these apps, and large requests come first, since
// small ones even out what they leave.
func (f *Fleet) Place() (*Placed, error) {
	if slices.ContainsFunc(f.Cells, func(c Cell) bool { return c.Domain.Given() }) {
		f.sit(placement.DefaultDomains)
	} else {
		f.deal()
	}
	order := f.unplaced()
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &f.Apps[a], &f.Apps[b]
		return cmp.Or(cmp.Compare(y.MemoryMB, x.MemoryMB), cmp.Compare(y.Instances, x.Instances))
	})
	return f.place(order)
}

// PlaceInTurn places what is not placed as a live fleet is filled: cells take
// their seats and apps their cells one by one, in the order of the file, and
// nothing is known of those to come. domains is how many update domains each AZ
// has.
func (f *Fleet) PlaceInTurn(domains int) (*Placed, error) {
	f.sit(domains)
	return f.place(f.unplaced())
}

// sit gives each cell that has no seat the next one. Where domains have names
// there are no others.
func (f *Fleet) sit(domains int) {
	numbers := f.numbering()
	if numbers.named != nil {
		domains = len(numbers.named)
	}
	taken := map[string]map[placement.Seat]bool{}
	for c := range f.Cells {
		cell := &f.Cells[c]
		if taken[cell.AZ] == nil {
			taken[cell.AZ] = map[placement.Seat]bool{}
		}
		taken[cell.AZ][numbers.at(cell)] = true
	}
	for c := range f.Cells {
		if cell := &f.Cells[c]; cell.Column == 0 {
			seat := placement.NextSeat(taken[cell.AZ], numbers.number(cell.Domain), domains)
			taken[cell.AZ][seat] = true
			numbers.seat(cell, seat)
		}
	}
}

// unplaced lists the apps that have no cells.
func (f *Fleet) unplaced() []int {
	var apps []int
	for a := range f.Apps {
		if app := &f.Apps[a]; len(app.Cells) != app.Instances {
			apps = append(apps, a)
		}
	}
	return apps
}

// place places apps in an order, beside those that are placed.
func (f *Fleet) place(order []int) (*Placed, error) {
	placed := &Placed{Broken: map[placement.Soft]int{}, First: map[placement.Soft]string{}, Index: f.index()}
	for a := range f.Apps {
		if app := &f.Apps[a]; len(app.Cells) == app.Instances {
			keep(placed.Index, app)
		}
	}
	for c := range f.Cells {
		id := f.Cells[c].ID
		if no := placed.Index.Cell(id); placed.Index.Free(no) < 0 || placed.Index.FreeDisk(no, class) < 0 {
			placed.Overfull = append(placed.Overfull, id)
		}
	}
	for _, a := range order {
		if err := placed.place(f, a); err != nil {
			return nil, err
		}
	}
	return placed, nil
}

// place places one app.
func (p *Placed) place(f *Fleet, a int) error {
	app := &f.Apps[a]
	r := request(p.Index, app)
	app.Cells = make([]string, app.Instances)
	for r.Index = range app.Instances {
		result, err := p.Index.Place(r)
		if err != nil {
			return wrong(fmt.Sprintf("apps[%d]", a), "%w", err)
		}
		app.Cells[r.Index] = p.Index.At(result.Cell).ID
		if broken := result.Broken; broken != 0 {
			if p.Broken[broken]++; p.Broken[broken] == 1 {
				p.First[broken] = fmt.Sprintf("%s/%d on %s", app.Name, r.Index, app.Cells[r.Index])
			}
		}
	}
	p.Instances += app.Instances
	return nil
}

// index gives the cells with nothing on them.
func (f *Fleet) index() *placement.Index {
	cells, numbers := make([]placement.Cell, len(f.Cells)), f.numbering()
	for c := range cells {
		cell := &f.Cells[c]
		cells[c] = placement.Cell{
			ID: cell.ID, AZ: cell.AZ, Seat: numbers.at(cell), Memory: megabytes(cell.MemoryMB),
			Classes: []model.Class{{Name: class, Capacity: megabytes(cell.DiskMB)}},
		}
	}
	return placement.New(cells)
}

// megabytes reads an amount of a cell, 0 being without limit.
func megabytes(mb int64) model.Size {
	if mb == 0 {
		return placement.Unlimited
	}
	return model.Size(mb) * model.Megabyte
}

// request asks for places for a new group: the instances of an app. The disk of
// floating volumes is not that of cells.
func request(x *placement.Index, app *App) placement.Request {
	r := placement.Request{Group: x.Group(app.Name), Memory: model.Size(app.MemoryMB) * model.Megabyte}
	if app.Kind == Fixed {
		r.Domains, r.Of = true, app.Instances
	}
	if app.Kind == Fixed || app.Kind == None && app.DiskMB > 0 {
		r.Disks = []placement.Disk{{Class: class, Size: model.Size(app.DiskMB) * model.Megabyte}}
	}
	return r
}

// keep records an app that is placed already.
func keep(x *placement.Index, app *App) {
	r := request(x, app)
	var disk placement.Disk
	if len(r.Disks) > 0 {
		disk = r.Disks[0]
	}
	for index, id := range app.Cells {
		x.Put(r.Group, index, x.Cell(id), r.Memory, disk)
	}
}
