// Package generate makes described fleets of the families that planning is
// measured on. The same Family and seed give the same fleet.
package generate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"mooring/fleet"
	"mooring/model"
)

// Limits is how apps of a family choose their limit.
type Limits string

// The rules for limits.
const (
	Mixed Limits = "mixed" // 1, 2 or n/10, each as often
	One   Limits = "one"   // 1
	Two   Limits = "two"   // 2
	Tenth Limits = "tenth" // n/10, at least 1
)

// Unknown as a Family's Error leaves estimates out.
const Unknown = -1

// Family describes a kind of fleet.
type Family struct {
	Name    string
	Cells   int
	AZs     int
	PerCell int // instances on a cell, on average
	// MinN and MaxN bound the instances of an app; sizes between are drawn
	// with density 1/n^Tail: 0 is uniform, 1.5 heavy-tailed.
	MinN, MaxN int
	Tail       float64
	Limits     Limits
	// Error is the standard deviation of the logarithm of estimate over truth,
	// or Unknown.
	Error float64
	// Kinds makes every fourth app floating and every fourth without volumes,
	// on average; else all are fixed.
	Kinds bool
	// InFlight is the share of cells, in percent, that may be in roll at once,
	// 0 for any; Canaries and Serial are the fleet's canaries and az_serial.
	InFlight, Canaries int
	Serial             bool
}

// Plain tells whether nothing but the limits of fixed apps holds rolls up.
func (f Family) Plain() bool {
	return !f.Kinds && f.InFlight == 0 && f.Canaries == 0 && !f.Serial
}

// Dense is the hard kind of fleet: 70 instances on a cell, of apps of 3 to 50
// whose sizes are heavy-tailed and whose limits are of all kinds.
func Dense(cells int, err float64) Family {
	return Family{Name: "dense", Cells: cells, AZs: 3, PerCell: 70, MinN: 3, MaxN: 50, Tail: 1.5, Limits: Mixed, Error: err}
}

// Families lists the kinds of fleets that planning is measured on, at some
// number of cells and error of the estimates: dense, sparse, those whose limits
// are all 1, 2 or n/10, those whose apps are all of 50 with a limit of 5, sizes
// spread evenly, apps no larger than the number of AZs, and apps of all kinds
// under a ceiling with canaries, all AZs at once and one after another. Limits of
// n/10 come at more than one density, since on random placement it decides what
// any plan could reach.
func Families(cells int, err float64) []Family {
	but := func(name string, change func(f *Family)) Family {
		f := Dense(cells, err)
		f.Name = name
		change(&f)
		return f
	}
	return []Family{
		but("sparse", func(f *Family) { f.PerCell = 2 }),
		Dense(cells, err),
		but("one", func(f *Family) { f.Limits = One }),
		but("two", func(f *Family) { f.Limits = Two }),
		but("tenth", func(f *Family) { f.PerCell, f.Limits = 10, Tenth }),
		but("tenth", func(f *Family) { f.Limits = Tenth }),
		but("fifty", func(f *Family) { f.PerCell, f.MinN, f.Limits = 20, 50, Tenth }),
		but("fifty", func(f *Family) { f.MinN, f.Limits = 50, Tenth }),
		but("uniform", func(f *Family) { f.Tail, f.Limits = 0, One }),
		but("small", func(f *Family) { f.MaxN, f.Limits = 3, One }),
		but("mixed", func(f *Family) { f.PerCell, f.Kinds, f.InFlight, f.Canaries = 20, true, 10, 2 }),
		but("serial", func(f *Family) { f.PerCell, f.Kinds, f.InFlight, f.Canaries, f.Serial = 20, true, 10, 2, true }),
	}
}

// Fleet makes a fleet of the family with nothing placed.
func (f Family) Fleet(seed uint64) *fleet.Fleet {
	r := rand.New(rand.NewPCG(seed, 0x6d6f6f72))
	out := &fleet.Fleet{Rolls: map[string]float64{}, Canaries: f.Canaries, AZSerial: f.Serial}
	out.MaxInFlight.Percent = f.InFlight
	if f.Error != Unknown {
		out.Estimates = map[string]float64{}
	}
	for c := range f.Cells {
		id := fmt.Sprintf("cell-%05d", c)
		out.Cells = append(out.Cells, fleet.Cell{ID: id, AZ: fmt.Sprintf("z%d", c%f.AZs+1)})
		truth := duration(r)
		out.Rolls[id] = truth
		if f.Error != Unknown {
			out.Estimates[id] = round(truth * math.Exp(r.NormFloat64()*f.Error))
		}
	}
	var total int64
	for instances := 0; instances < f.Cells*f.PerCell; {
		n := min(f.size(r), f.Cells*f.PerCell-instances+f.MinN, f.Cells)
		app := fleet.App{
			Name: fmt.Sprintf("app-%06d", len(out.Apps)), Instances: n, Kind: fleet.Fixed,
			MaxInterrupted: fleet.Limit{Limit: model.Limit{Count: f.limit(r, n)}},
			MemoryMB:       64 << r.IntN(4), DiskMB: 512 << r.IntN(4),
		}
		if f.Kinds {
			app.Kind = []fleet.Kind{fleet.Fixed, fleet.Fixed, fleet.Floating, fleet.None}[r.IntN(4)]
		}
		if app.Kind == fleet.Floating {
			app.DiskMB = 0 // theirs are not the cells'
		}
		out.Apps = append(out.Apps, app)
		instances += n
		total += int64(n) * app.MemoryMB
	}
	for c := range out.Cells { // a fifth of the memory is spare, disk plenty
		out.Cells[c].MemoryMB = total*5/4/int64(f.Cells) + 1024
		out.Cells[c].DiskMB = int64(f.PerCell) * 8192
	}
	return out
}

// duration draws 3 to 15 minutes, lognormal, in seconds.
func duration(r *rand.Rand) float64 {
	for {
		if d := 6.7 * 60 * math.Exp(r.NormFloat64()*0.41); d >= 180 && d <= 900 {
			return round(d)
		}
	}
}

func round(s float64) float64 { return math.Round(s*1000) / 1000 }

func (f Family) size(r *rand.Rand) int {
	if f.Tail == 0 {
		return f.MinN + r.IntN(f.MaxN-f.MinN+1)
	}
	// The inverse of the distribution of n^-Tail between the ends.
	k := 1 - f.Tail
	lo, hi := math.Pow(float64(f.MinN), k), math.Pow(float64(f.MaxN)+1, k)
	return min(f.MaxN, int(math.Pow(lo+r.Float64()*(hi-lo), 1/k)))
}

func (f Family) limit(r *rand.Rand, n int) int {
	tenth := max(1, n/10)
	switch f.Limits {
	case One:
		return 1
	case Two:
		return min(2, n)
	case Tenth:
		return tenth
	}
	return []int{1, min(2, n), tenth}[r.IntN(3)]
}

// Scatter places every instance at random: AZs in turn, a random cell of the
// AZ that has none of the app yet. It is what placement without a plan in mind
// does.
func Scatter(f *fleet.Fleet, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x73636174))
	byAZ := map[string][]string{}
	var azs []string
	for _, cell := range f.Cells {
		if byAZ[cell.AZ] == nil {
			azs = append(azs, cell.AZ)
		}
		byAZ[cell.AZ] = append(byAZ[cell.AZ], cell.ID)
	}
	for a := range f.Apps {
		app := &f.Apps[a]
		app.Cells = make([]string, 0, app.Instances)
		taken := map[string]bool{}
		for az := r.IntN(len(azs)); len(app.Cells) < app.Instances; az++ {
			cells := byAZ[azs[az%len(azs)]]
			from := r.IntN(len(cells))
			for i := range cells {
				if id := cells[(from+i)%len(cells)]; !taken[id] {
					taken[id] = true
					app.Cells = append(app.Cells, id)
					break
				}
			}
		}
	}
}
