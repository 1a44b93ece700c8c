package placement_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
	"mooring/placement"
)

// ground is the slow and plain truth the index is checked against: every cell
// with what is on it, looked at one by one.
type ground struct {
	cells   []placement.Cell
	memory  map[string]model.Size
	disk    map[string]model.Size
	things  map[string]int
	members map[placement.GroupNo]map[int]string // cell of each index
}

func newGround(cells []placement.Cell) *ground {
	g := &ground{cells, map[string]model.Size{}, map[string]model.Size{}, map[string]int{}, map[placement.GroupNo]map[int]string{}}
	for _, c := range cells {
		g.memory[c.ID] = c.Memory
		g.disk[c.ID] = -1
		if len(c.Classes) > 0 {
			g.disk[c.ID] = c.Classes[0].Capacity
		}
	}
	return g
}

func (g *ground) fits(c placement.Cell, r placement.Request) bool {
	return c.Closed == placement.Open && c.Pool == r.Pool && (r.AZ == "" || c.AZ == r.AZ) &&
		g.memory[c.ID] >= r.Memory && (len(r.Disks) == 0 || g.disk[c.ID] >= r.Disks[0].Size)
}

func (g *ground) take(r placement.Request, cell string, sign model.Size) {
	g.memory[cell] -= sign * r.Memory
	if len(r.Disks) > 0 {
		g.disk[cell] -= sign * r.Disks[0].Size
	}
	g.things[cell] += int(sign)
}

// score is what the soft constraints and the load make of a cell, the less the
// better, each part deciding before those after it.
func (g *ground) score(c placement.Cell, r placement.Request) []float64 {
	var same, az, domain, number int
	for _, other := range g.cells {
		for _, at := range g.members[r.Group] {
			if at != other.ID {
				continue
			}
			if other.ID == c.ID {
				same++
			}
			if other.AZ == c.AZ {
				az++
				if other.Domain == c.Domain && other.Pool == c.Pool {
					domain++
				}
			}
			if other.Domain == c.Domain {
				number++
			}
		}
	}
	if !r.Domains {
		domain, number = 0, 0
	}
	share := float64(c.Memory-g.memory[c.ID]) / float64(c.Memory)
	return []float64{float64(same), float64(az), float64(domain), float64(number), share, float64(g.things[c.ID])}
}

func drawCells(t *rapid.T) []placement.Cell {
	return rapid.Custom(func(t *rapid.T) []placement.Cell {
		cells := make([]placement.Cell, rapid.IntRange(1, 12).Draw(t, "cells"))
		for i := range cells {
			cells[i] = placement.Cell{
				ID:     fmt.Sprintf("c%02d", i),
				AZ:     rapid.SampledFrom([]string{"z1", "z2", "z3"}).Draw(t, "az"),
				Pool:   rapid.SampledFrom([]string{"default", "default", "big"}).Draw(t, "pool"),
				Seat:   placement.Seat{Domain: rapid.IntRange(1, 3).Draw(t, "domain"), Column: rapid.IntRange(0, 2).Draw(t, "column")},
				Memory: model.Size(rapid.IntRange(4, 10).Draw(t, "memory")) * model.Gigabyte,
				Closed: rapid.SampledFrom([]placement.Closed{"", "", "", "", placement.Cordoned, placement.Lost}).Draw(t, "closed"),
			}
			if rapid.IntRange(0, 5).Draw(t, "class") > 0 {
				cells[i].Classes = []model.Class{{Name: "persistent", Capacity: model.Size(rapid.IntRange(5, 30).Draw(t, "disk")) * model.Gigabyte}}
			}
		}
		return cells
	}).Draw(t, "fleet")
}

func drawRequest(t *rapid.T, g placement.GroupNo) placement.Request {
	r := placement.Request{
		Group:  g,
		Pool:   rapid.SampledFrom([]string{"default", "default", "big"}).Draw(t, "pool"),
		Memory: model.Size(rapid.IntRange(0, 3).Draw(t, "memory")) * model.Gigabyte,
		AZ:     rapid.SampledFrom([]string{"", "", "", "z1"}).Draw(t, "only-az"),
	}
	if rapid.Bool().Draw(t, "fixed") {
		r.Domains, r.Of = true, rapid.SampledFrom([]int{0, 1, 3, 15}).Draw(t, "of")
		r.Disks = []placement.Disk{{Class: "persistent", Size: model.Size(rapid.IntRange(1, 10).Draw(t, "disk")) * model.Gigabyte}}
	}
	return r
}

// The index agrees with the plain truth at every step: a place is refused only
// when no cell meets the hard constraints, and the cell chosen is never worse
// than another in the order of the soft ones. What gave way is said, and
// nothing else.
func TestPlaceAgreesWithLookingAtEveryCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		cells := drawCells(t)
		truth, x := newGround(cells), placement.New(cells)
		requests := map[placement.GroupNo]placement.Request{}
		for range rapid.IntRange(1, 4).Draw(t, "groups") {
			group := x.Group("set")
			requests[group] = drawRequest(t, group)
			truth.members[group] = map[int]string{}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			group := placement.GroupNo(rapid.IntRange(1, len(requests)).Draw(t, "group"))
			r := requests[group]
			r.Index = rapid.IntRange(0, 14).Draw(t, "index")
			if at, placed := truth.members[group][r.Index]; placed {
				truth.take(r, at, -1)
				delete(truth.members[group], r.Index)
				if rapid.Bool().Draw(t, "remove") {
					x.Remove(group, r.Index)
					continue
				}
			}
			var best []float64
			var open []placement.Cell
			for _, c := range cells {
				if truth.fits(c, r) {
					open = append(open, c)
					if s := truth.score(c, r); best == nil || slices.Compare(s, best) < 0 {
						best = s
					}
				}
			}
			result, err := x.Place(r)
			if len(open) == 0 {
				var refusal *placement.Refusal
				g.Expect(errors.As(err, &refusal)).To(BeTrue(), "placed on %v where nothing fits", result)
				continue
			}
			g.Expect(err).NotTo(HaveOccurred())
			cell := *x.At(result.Cell)
			g.Expect(truth.fits(cell, r)).To(BeTrue(), "%s breaks a hard constraint", cell.ID)
			chosen := truth.score(cell, r)
			g.Expect(chosen[:2]).To(Equal(best[:2]), "soft constraints of %s", cell.ID)
			gone := gaveWay(truth, r, cell)
			if r.Of == 0 { // a set that may have a home may leave a domain or a cell for it
				g.Expect(chosen[:4]).To(Equal(best[:4]), "soft constraints of %s", cell.ID)
				g.Expect(chosen[4]).To(BeNumerically("~", best[4], 1e-6), "load of %s", cell.ID)
				g.Expect(result.Broken).To(Equal(gone), "what gave way")
			}
			g.Expect(result.Broken&^placement.UnevenDomain).To(Equal(gone&^placement.UnevenDomain), "what gave way")
			truth.take(r, cell.ID, 1)
			truth.members[group][r.Index] = cell.ID
		}
		for _, c := range cells {
			g.Expect(x.Free(x.Cell(c.ID))).To(Equal(truth.memory[c.ID]), "free memory of %s", c.ID)
			g.Expect(x.FreeDisk(x.Cell(c.ID), "persistent")).To(Equal(truth.disk[c.ID]), "free disk of %s", c.ID)
			g.Expect(x.Count(x.Cell(c.ID))).To(Equal(truth.things[c.ID]), "things on %s", c.ID)
		}
	})
}

// gaveWay tells which soft constraints the choice of a cell leaves unkept.
func gaveWay(truth *ground, r placement.Request, chosen placement.Cell) placement.Soft {
	score := truth.score(chosen, r)
	var soft placement.Soft
	if score[0] > 0 {
		soft |= placement.SharedCell
	}
	for _, c := range truth.cells {
		if c.Pool != r.Pool {
			continue
		}
		s := truth.score(c, r)
		if r.AZ == "" && s[1] < score[1] {
			soft |= placement.UnevenAZ
		}
		if c.AZ == chosen.AZ && s[2] < score[2] {
			soft |= placement.UnevenDomain
		}
	}
	return soft
}

// Where every cell has room, a set is spread evenly over the AZs, and inside
// each over its domains, as far as no two share a cell.
func TestSpreadIsEvenWhereThereIsRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		azs, domains := rapid.IntRange(1, 4).Draw(t, "azs"), rapid.IntRange(1, 4).Draw(t, "domains")
		each := rapid.IntRange(1, 3).Draw(t, "cells in a domain")
		var cells []placement.Cell
		for i := range azs * domains * each {
			cells = append(cells, placement.Cell{
				ID: fmt.Sprint("c", i), AZ: fmt.Sprint("z", i%azs), Seat: placement.Seat{Domain: i/azs%domains + 1},
				Memory: placement.Unlimited, Classes: []model.Class{{Name: "persistent", Capacity: placement.Unlimited}},
			})
		}
		x := placement.New(cells)
		for range rapid.IntRange(1, 5).Draw(t, "sets") {
			set := x.Group("set")
			byAZ, byDomain, byCell := make([]int, azs), make([]int, azs*domains), make([]int, len(cells))
			for i := range rapid.IntRange(1, 2*len(cells)).Draw(t, "n") {
				result, err := x.Place(placement.Request{
					Group: set, Index: i, Memory: model.Gigabyte, Domains: true,
					Disks: []placement.Disk{{Class: "persistent", Size: model.Gigabyte}},
				})
				g.Expect(err).NotTo(HaveOccurred())
				var no int
				fmt.Sscanf(x.At(result.Cell).ID, "c%d", &no)
				byAZ[no%azs]++
				byDomain[no%azs*domains+no/azs%domains]++
				byCell[no]++
				for _, counts := range [][]int{byAZ, byCell} {
					g.Expect(slices.Max(counts)-slices.Min(counts)).To(BeNumerically("<=", 1), "counts %v", counts)
				}
				for az := range azs {
					in := byDomain[az*domains : (az+1)*domains]
					g.Expect(slices.Max(in)-slices.Min(in)).To(BeNumerically("<=", 1), "domains of AZ %d: %v", az, in)
				}
			}
		}
	})
}

// The same fleet gives the same places, in whatever order its cells are named.
func TestPlacesDoNotDependOnTheOrderOfCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		cells := drawCells(t)
		x, y := placement.New(cells), placement.New(rapid.Permutation(cells).Draw(t, "shuffled"))
		r := drawRequest(t, x.Group("set"))
		y.Group("set")
		for r.Index = range 8 {
			a, errA := x.Place(r)
			b, errB := y.Place(r)
			g.Expect(errA == nil).To(Equal(errB == nil))
			if errA == nil {
				g.Expect(x.At(a.Cell).ID).To(Equal(y.At(b.Cell).ID))
			}
		}
	})
}
