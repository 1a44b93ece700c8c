package column_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/fleet/column"
)

func TestColumnsAreEvenInSizeAZsAndExpectedTime(t *testing.T) {
	g := NewWithT(t)
	cells := make([]column.Cell, 300)
	for c := range cells {
		cells[c] = column.Cell{AZ: c % 3, Expected: float64(100 + c)}
	}
	cut := column.Fleet(cells, []column.App{{Instances: 10, Limit: 1}, {Instances: 50, Limit: 5}})
	g.Expect(cut.Cells).To(HaveLen(30))
	for _, members := range cut.Cells {
		g.Expect(members).To(HaveLen(10))
		azs, sum := [3]int{}, 0.0
		for _, c := range members {
			azs[cells[c].AZ]++
			sum += cells[c].Expected
		}
		for _, n := range azs {
			g.Expect(n).To(BeNumerically("~", 3.5, 0.5))
		}
		g.Expect(sum).To(BeNumerically("~", 2495, 150))
	}
}

func TestDomainsOfAnAZAreOfOneSizeWithTheLongestFirst(t *testing.T) {
	g := NewWithT(t)
	cells := make([]column.Cell, 100)
	for c := range cells {
		cells[c] = column.Cell{Expected: float64(c)}
	}
	cut := column.Fleet(cells, []column.App{{Instances: 20, Limit: 1}})
	sizes := map[int]int{}
	for c, domain := range cut.Domain {
		sizes[domain]++
		g.Expect(domain).To(Equal(20 - c/5))
	}
	g.Expect(sizes).To(HaveLen(20))
}

func TestEveryCellIsInOneColumnAndHomesAreWideEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		cells := make([]column.Cell, rapid.IntRange(1, 60).Draw(t, "cells"))
		for c := range cells {
			cells[c] = column.Cell{
				AZ: rapid.IntRange(0, 3).Draw(t, "az"), Domain: rapid.SampledFrom([]int{0, 0, 0, 2}).Draw(t, "domain"),
				Expected: float64(rapid.IntRange(0, 9).Draw(t, "expected")),
			}
		}
		var apps []column.App
		for range rapid.IntRange(0, 4).Draw(t, "apps") {
			apps = append(apps, column.App{Instances: rapid.IntRange(0, len(cells)).Draw(t, "n"), Limit: rapid.IntRange(0, 4).Draw(t, "limit")})
		}
		cut := column.Fleet(cells, apps)
		seen := map[int]bool{}
		for k, members := range cut.Cells {
			for _, c := range members {
				g.Expect(seen[c]).To(BeFalse())
				seen[c] = true
				g.Expect(cut.Column[c]).To(Equal(k))
			}
		}
		g.Expect(seen).To(HaveLen(len(cells)))
		for c, cell := range cells {
			if cell.Domain != 0 {
				g.Expect(cut.Domain[c]).To(Equal(cell.Domain))
			}
		}
		for n := 1; n <= len(cells); n++ {
			covered := map[int]bool{}
			for _, home := range cut.Homes(n) {
				room := 0
				for k := home.From; k < home.To; k++ {
					room += len(cut.Cells[k])
					covered[k] = true
				}
				g.Expect(room).To(BeNumerically(">=", n), "home %v of %d", home, n)
			}
			g.Expect(covered).To(HaveLen(len(cut.Cells)))
		}
	})
}
