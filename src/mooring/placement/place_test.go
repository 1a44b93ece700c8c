package placement_test

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/placement"
)

// cells gives n cells over two AZs, each with 2G of memory, 10G of persistent
// disk and reach of 20G of shared disk.
func cells(n int) []placement.Cell {
	all := make([]placement.Cell, n)
	for i := range all {
		all[i] = placement.Cell{
			ID: fmt.Sprintf("z%d-%d", i%2+1, i/2+1), AZ: fmt.Sprintf("z%d", i%2+1), Seat: placement.Seat{Domain: i/2 + 1}, Memory: 2 * model.Gigabyte,
			Classes: []model.Class{
				{Name: "persistent", Survives: model.Recreate, Capacity: 10 * model.Gigabyte},
				{Name: "shared", Floating: true, Survives: model.Retire, Capacity: 20 * model.Gigabyte},
			},
		}
	}
	return all
}

func disk(size model.Size) []placement.Disk {
	return []placement.Disk{{Class: "persistent", Size: size}}
}

func shared(size model.Size) []placement.Disk {
	return []placement.Disk{{Class: "shared", Size: size}}
}

func TestARefusalCountsTheCellsByWhatFailed(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  placement.Request
		says string
	}{
		{"memory", placement.Request{Memory: 4 * model.Gigabyte}, "redis-data/0 fits nowhere: 4 cells in pool default: 2 lack 4G of memory, 1 is cordoned, 1 is absent"},
		{"disk", placement.Request{Disks: disk(11 * model.Gigabyte)}, "redis-data/0 fits nowhere: 4 cells in pool default: 2 lack 11G of class persistent, 1 is cordoned, 1 is absent"},
		{"class", placement.Request{Disks: []placement.Disk{{Class: "tape"}}}, "redis-data/0 fits nowhere: 4 cells in pool default: 2 lack class tape, 1 is cordoned, 1 is absent"},
		{"pool", placement.Request{Pool: "gpu"}, "redis-data/0 fits nowhere: no cell is in pool gpu"},
		{"AZ", placement.Request{AZ: "z1", Memory: 4 * model.Gigabyte}, "redis-data/0 fits nowhere: 2 cells in pool default and AZ z1: 1 is cordoned, 1 lacks 4G of memory"},
		{"one cell", placement.Request{Only: 2, Memory: 4 * model.Gigabyte}, "redis-data/0 fits nowhere: cell z1-2 lacks 4G of memory"},
		{"cell of another AZ", placement.Request{Only: 2, AZ: "z2"}, "redis-data/0 fits nowhere: cell z1-2 is in AZ z1, not z2"},
		{"cell of another pool", placement.Request{Only: 2, Pool: "gpu"}, "redis-data/0 fits nowhere: cell z1-2 is in pool default, not gpu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			fleet := cells(4)
			fleet[0].Closed, fleet[1].Closed = placement.Cordoned, placement.Absent
			x := placement.New(fleet)
			c.ask.Group = x.Group("redis-data")
			_, err := x.Place(c.ask)
			g.Expect(err).To(MatchError(c.says))
		})
	}
}

func TestLeavingCell_TakesOnlyWhatIsBoundToIt(t *testing.T) {
	g := NewWithT(t)
	fleet := cells(2)
	fleet[0].Closed = placement.Leaving
	x := placement.New(fleet)
	group := x.Group("redis-data")
	leaving := x.Cell(fleet[0].ID)
	g.Expect(x.Fits(placement.Request{Group: group}, leaving)).To(MatchError("redis-data/0 fits nowhere: cell z1-1 is leaving"))
	g.Expect(x.Fits(placement.Request{Group: group, Bound: true}, leaving)).To(Succeed())
	g.Expect(x.Fits(placement.Request{Group: group, Bound: true, Memory: 3 * model.Gigabyte}, leaving)).To(MatchError(ContainSubstring("lacks 3G of memory")))
	for index := range 3 {
		result, err := x.Place(placement.Request{Group: group, Index: index})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(x.At(result.Cell).ID).To(Equal("z2-1"))
	}
}

func TestTheCellBeingLeftIsNotTakenAgain(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(cells(1))
	_, err := x.Place(placement.Request{Group: x.Group("web"), Avoid: x.Cell("z1-1")})
	g.Expect(err).To(MatchError("web/0 fits nowhere: 1 cell in pool default: 1 is being left"))
}

func TestTwoOfASetShareACellOnlyWhenNoOtherTakesThem(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(cells(3)) // z1 has two cells, z2 one
	set := x.Group("redis-data")
	var broken []placement.Soft
	for i := range 4 {
		result, err := x.Place(placement.Request{Group: set, Index: i, Domains: true, Disks: disk(model.Gigabyte)})
		g.Expect(err).NotTo(HaveOccurred())
		broken = append(broken, result.Broken)
	}
	g.Expect(broken).To(Equal([]placement.Soft{0, 0, 0, placement.SharedCell}))
	g.Expect(broken[3].String()).To(Equal("it shares its cell with another of its set: no other cell can take it"))
	g.Expect(x.At(x.Where(set, 3)).AZ).To(Equal("z2"), "sharing, it still evens out the AZs")
}

func TestALoadedAZGivesWayAndSaysSo(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(cells(4))
	x.Reserve(x.Cell("z2-1"), 2*model.Gigabyte, placement.Disk{})
	x.Reserve(x.Cell("z2-2"), 2*model.Gigabyte, placement.Disk{})
	set := x.Group("redis-data")
	for i, want := range []placement.Soft{0, placement.UnevenAZ} {
		result, err := x.Place(placement.Request{Group: set, Index: i, Memory: model.Gigabyte})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(result.AZ).To(Equal("z1"))
		g.Expect(result.Broken).To(Equal(want))
	}
}

func TestFloatingVolumesGetAnAZEachWhileItHasRoom(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(cells(4))
	set := x.Group("cache")
	ask := placement.Request{Group: set, Memory: model.Gigabyte, Disks: shared(9 * model.Gigabyte)}
	var azs []string
	for ask.Index = range 4 {
		result, err := x.PlaceAZ(ask)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(result.Broken).To(BeZero())
		azs = append(azs, result.AZ)
	}
	g.Expect(azs).To(Equal([]string{"z1", "z2", "z1", "z2"}))

	ask.Index = 4
	_, err := x.PlaceAZ(ask)
	g.Expect(err).To(MatchError("cache/4 fits nowhere: 2 AZs in pool default: 2 lack 9G of class shared"))

	x.Remove(set, 0)
	result, err := x.PlaceAZ(ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(result.AZ).To(Equal("z1"))
}

func TestAFloatingVolumeGoesWhereItsInstanceCanRun(t *testing.T) {
	g := NewWithT(t)
	fleet := cells(4)
	fleet[0].Closed, fleet[2].Closed = placement.Cordoned, placement.Lost // all of z1
	x := placement.New(fleet)
	ask := placement.Request{Group: x.Group("cache"), Memory: model.Gigabyte, Disks: shared(model.Gigabyte)}
	for _, want := range []placement.Soft{0, placement.UnevenAZ} {
		result, err := x.PlaceAZ(ask)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(result.AZ).To(Equal("z2"))
		g.Expect(result.Broken).To(Equal(want))
		ask.Index++
	}
	ask.Memory = 3 * model.Gigabyte
	_, err := x.PlaceAZ(ask)
	g.Expect(err).To(MatchError("cache/2 fits nowhere: 2 AZs in pool default: 2 have no cell for what will run beside it"))
}

func TestInstancesPreferCellsThatRunNothing(t *testing.T) {
	g := NewWithT(t)
	x := placement.New(cells(6))
	set, app := x.Group("redis-data"), x.Group("web")
	x.Put(set, 0, x.Cell("z1-1"), 0, placement.Disk{})
	x.Put(set, 1, x.Cell("z1-2"), model.Gigabyte, placement.Disk{})
	x.Put(set, 2, x.Cell("z2-1"), model.Gigabyte, placement.Disk{})
	for i, want := range []string{"z1-3", "z2-2"} {
		result, err := x.Place(placement.Request{Group: app, Index: i, Memory: model.Gigabyte})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(x.At(result.Cell).ID).To(Equal(want))
	}
}

func TestPortsAreNeverGivenTwice(t *testing.T) {
	g := NewWithT(t)
	p := placement.NewPorts(100, 231)
	p.Use(150)
	p.Use(9)
	seen := map[int]bool{150: true}
	for i := range uint32(131) {
		port := p.Take(i * 7919)
		g.Expect(port).To(And(BeNumerically(">=", 100), BeNumerically("<=", 231)))
		g.Expect(seen).NotTo(HaveKey(port))
		seen[port] = true
	}
	g.Expect(p.Take(5)).To(BeZero(), "all are taken")
	g.Expect(placement.NewPorts(0, -1).Take(3)).To(BeZero(), "there are none")
}
