package placement_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"mooring/model"
	"mooring/placement"
)

// fleet gives cells over three AZs with seats taken as they come.
func fleet(n int) []placement.Cell {
	cells := make([]placement.Cell, n)
	taken := map[string]map[placement.Seat]bool{"z1": {}, "z2": {}, "z3": {}}
	for i := range cells {
		az := fmt.Sprintf("z%d", i%3+1)
		seat := placement.NextSeat(taken[az], 0, placement.DefaultDomains)
		taken[az][seat] = true
		cells[i] = placement.Cell{
			ID: fmt.Sprintf("cell-%05d", i), AZ: az, Seat: seat, Memory: 160 * model.Gigabyte,
			Classes: []model.Class{{Name: "persistent", Capacity: 2000 * model.Gigabyte}, {Name: "ephemeral", Capacity: 500 * model.Gigabyte}},
		}
	}
	return cells
}

// app is a volume set of the benchmark fleet.
type app struct {
	n    int
	size model.Size
}

// apps gives heavy-tailed sets, 3 to 50 volumes each, of total instances.
func apps(total int) []app {
	random := rand.New(rand.NewPCG(1, 2))
	sizes := []model.Size{256 * model.Megabyte, 512 * model.Megabyte, model.Gigabyte, 2 * model.Gigabyte, 4 * model.Gigabyte}
	var all []app
	for total > 0 {
		n := min(int(3/(1-random.Float64()*0.94)), 50, total)
		all = append(all, app{n, sizes[random.IntN(len(sizes))]})
		total -= n
	}
	return all
}

// BenchmarkPlace fills 10,000 cells with 700,000 instances on fixed volumes,
// held to AZ, home, domain, anti-affinity, memory and disk.
func BenchmarkPlace(b *testing.B) {
	const instances = 700_000
	cells, sets := fleet(10_000), apps(instances)
	disks := []placement.Disk{{Class: "persistent", Size: 10 * model.Gigabyte}}
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		began := cpuTime()
		x := placement.New(cells)
		for _, set := range sets {
			g := x.Group("set")
			for i := range set.n {
				if _, err := x.Place(placement.Request{Group: g, Index: i, Memory: set.size, Disks: disks, Domains: true, Of: set.n}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.StopTimer()
		cpu += cpuTime() - began
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/instances, "bytes/instance")
		low, high := x.Free(1), x.Free(1)
		for no := placement.CellNo(1); int(no) <= len(cells); no++ {
			low, high = min(low, x.Free(no)), max(high, x.Free(no))
		}
		b.ReportMetric(float64(high-low)/float64(model.Gigabyte), "GB-load-spread")
		b.StartTimer()
	}
	b.ReportMetric(float64(instances)*float64(b.N)/b.Elapsed().Seconds(), "placements/s")
	// The same on a machine that others keep busy: what one core really did.
	b.ReportMetric(float64(instances)*float64(b.N)/cpu.Seconds(), "placements/cpu-s")
}

// cpuTime is what the process has used of all cores.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
