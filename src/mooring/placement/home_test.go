package placement_test

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
	"mooring/placement"
)

// seated gives cells that took their seats in turn over the AZs.
func seated(n, azs, domains int) []placement.Cell {
	cells := make([]placement.Cell, n)
	taken := map[string]map[placement.Seat]bool{}
	for i := range cells {
		az := fmt.Sprint("z", i%azs+1)
		if taken[az] == nil {
			taken[az] = map[placement.Seat]bool{}
		}
		seat := placement.NextSeat(taken[az], 0, domains)
		taken[az][seat] = true
		cells[i] = placement.Cell{
			ID: fmt.Sprintf("c%03d", i), AZ: az, Seat: seat, Memory: 100 * model.Gigabyte,
			Classes: []model.Class{{Name: "persistent", Capacity: placement.Unlimited}},
		}
	}
	return cells
}

// fixed asks for one of a set of volumes.
func fixed(set placement.GroupNo, of int, memory model.Size) placement.Request {
	return placement.Request{Group: set, Of: of, Memory: memory, Domains: true, Disks: disk(model.Gigabyte)}
}

// fill places members of a set and gives the columns they are in.
func fill(g Gomega, x *placement.Index, r placement.Request, from, to int) map[int]int {
	columns := map[int]int{}
	for r.Index = from; r.Index < to; r.Index++ {
		result, err := x.Place(r)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(result.Broken).To(BeZero())
		columns[x.At(result.Cell).Column]++
	}
	return columns
}

// Seats are taken column by column; nobody's changes, no two cells of an AZ have
// the same, and a gap is filled first. A given domain is kept.
func TestSeatsAreTakenColumnByColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		domains := rapid.IntRange(1, 6).Draw(t, "domains")
		taken := map[placement.Seat]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "cells") {
			if len(taken) > 0 && rapid.IntRange(0, 4).Draw(t, "one leaves") == 0 {
				for seat := range taken {
					delete(taken, seat)
					break
				}
			}
			given := rapid.SampledFrom([]int{0, 0, 0, 1, domains, domains + 2}).Draw(t, "given")
			seat := placement.NextSeat(taken, given, domains)
			g.Expect(taken).NotTo(HaveKey(seat))
			if given > 0 {
				g.Expect(seat.Domain).To(Equal(given))
			}
			for column := 1; column < seat.Column; column++ {
				for domain := 1; given == 0 && domain <= domains; domain++ {
					g.Expect(taken).To(HaveKey(placement.Seat{Domain: domain, Column: column}), "a seat before %v is free", seat)
				}
			}
			taken[seat] = true
		}
	})
}

// However sets come, each that a column has room for keeps to one, the load of
// no cell stands out, and AZs and cells are as even as they can be.
func TestASetKeepsToAColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		azs, domains := rapid.IntRange(1, 4).Draw(t, "azs"), rapid.IntRange(1, 6).Draw(t, "domains")
		cells := seated(azs*domains*rapid.IntRange(1, 5).Draw(t, "columns"), azs, domains)
		x := placement.New(cells)
		largest := model.Size(0)
		for range rapid.IntRange(1, 40).Draw(t, "sets") {
			n := rapid.IntRange(1, azs*domains).Draw(t, "n")
			memory := model.Size(64<<rapid.IntRange(0, 3).Draw(t, "memory")) * model.Megabyte
			largest = max(largest, memory)
			set := x.Group("set")
			g.Expect(fill(g, x, fixed(set, n, memory), 0, n)).To(HaveLen(1), "columns of a set of %d", n)
			byAZ, byCell := map[string]int{}, map[placement.CellNo]int{}
			for i := range n {
				byCell[x.Where(set, i)]++
				byAZ[x.At(x.Where(set, i)).AZ]++
			}
			g.Expect(byCell).To(HaveLen(n), "a cell is shared")
			for _, members := range byAZ {
				g.Expect(members).To(BeNumerically("~", float64(n)/float64(azs), 1))
			}
		}
		for az := range azs {
			var all, most float64
			for i := az; i < len(cells); i += azs {
				load := float64(cells[i].Memory - x.Free(x.Cell(cells[i].ID)))
				all, most = all+load, max(most, load)
			}
			g.Expect(most-all/float64(len(cells)/azs)).To(BeNumerically("<=", 2*float64(largest)+1), "AZ %d", az+1)
		}
	})
}

func TestASmallSetKeepsToAPartOfAColumnAndALargeOneToARun(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(seated(3*8*4, 3, 8)) // four columns of 24
	small := x.Group("small")
	fill(g, x, fixed(small, 6, model.Gigabyte), 0, 6)
	domains := map[int]int{}
	for i := range 6 {
		domains[x.At(x.Where(small, i)).Domain]++
	}
	g.Expect(domains).To(Equal(map[int]int{1: 3, 2: 3}))
	g.Expect(fill(g, x, fixed(x.Group("large"), 30, model.Gigabyte), 0, 30)).To(And(HaveLen(2), HaveKey(3), HaveKey(4)))
}

func TestASetThatGrowsOrLosesACellStaysInItsHome(t *testing.T) {
	g := NewWithT(t)
	cells := seated(3*4*3, 3, 4) // three columns of 12
	x := placement.New(cells)
	set := x.Group("data")
	g.Expect(fill(g, x, fixed(set, 6, model.Gigabyte), 0, 6)).To(Equal(map[int]int{1: 6}))
	// Others come between, and the index is built anew.
	again := placement.New(cells)
	data, other := again.Group("data"), again.Group("other")
	for i := range 6 {
		again.Put(data, i, x.Where(set, i), model.Gigabyte, placement.Disk{Class: "persistent", Size: model.Gigabyte})
	}
	g.Expect(fill(g, again, fixed(other, 12, model.Gigabyte), 0, 12)).NotTo(HaveKey(1))
	again.SetClosed(x.Where(set, 2), placement.Lost)
	again.Remove(data, 2)
	g.Expect(fill(g, again, fixed(data, 6, model.Gigabyte), 2, 3)).To(HaveKey(1), "its replacement")
	g.Expect(fill(g, again, fixed(again.Group("third"), 3, model.Gigabyte), 0, 3)).To(HaveLen(1))
	g.Expect(fill(g, again, fixed(data, 10, model.Gigabyte), 6, 10)).To(Equal(map[int]int{1: 4}), "what it grows by")
}

func TestAHomeGivesWayToAZsAndToRoom(t *testing.T) {
	g := NewWithT(t)
	cells := seated(3*2*2, 3, 2) // two columns of six
	x := placement.New(cells)
	set := x.Group("data")
	for i := range cells {
		if cells[i].Column == 1 && cells[i].AZ == "z1" {
			x.Reserve(x.Cell(cells[i].ID), 100*model.Gigabyte, placement.Disk{})
		}
	}
	first := fixed(set, 3, model.Gigabyte)
	x.Put(set, 0, x.Cell("c001"), model.Gigabyte, placement.Disk{}) // z2 of column 1
	g.Expect(fill(g, x, first, 1, 3)).To(Equal(map[int]int{1: 1, 2: 1}), "z1 has room in the other column only")
}

// A column that is not full yet is left to small sets, which come to it first;
// but when it falls far behind larger ones share it with the column beside it.
func TestAColumnThatIsNotFullIsNotLeftBehindForEver(t *testing.T) {
	g := NewWithT(t)
	cells := seated(3*4+3, 3, 4) // a column of 12, and three cells
	x := placement.New(cells)
	large := func() map[int]int { return fill(g, x, fixed(x.Group("large"), 10, model.Gigabyte), 0, 10) }
	g.Expect(large()).To(Equal(map[int]int{1: 10}))
	g.Expect(fill(g, x, fixed(x.Group("small"), 3, model.Gigabyte), 0, 3)).To(Equal(map[int]int{2: 3}))
	g.Expect(large()).To(Equal(map[int]int{1: 10}))
	for range 80 {
		large()
	}
	low, high := 100*model.Gigabyte, model.Size(0)
	for i := range cells {
		load := cells[i].Memory - x.Free(x.Cell(cells[i].ID))
		low, high = min(low, load), max(high, load)
	}
	g.Expect(high).To(BeNumerically(">", 50*model.Gigabyte))
	g.Expect(high-low).To(BeNumerically("<=", 30*model.Gigabyte), "a quarter of a cell, and a few requests")
}
