// Package fleets measures planning and placement on generated fleets. Fleets and
// seeds are fixed: two runs differ in the time taken only.
package fleets

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"mooring/fleet"
	"mooring/fleet/attainable"
	"mooring/fleet/baseline"
	"mooring/fleet/generate"
	"mooring/fleet/replay"
	"mooring/sequence"
)

// result is one fleet, planned, rolled and replayed.
type result struct {
	ratio, bound, ours            float64
	inOrder, threads, waves, fifo float64 // minutes
	failing                       float64 // minutes, ours while cells fail
	inOrderRandom                 float64 // minutes, in order when placed at random
	attainable                    float64 // the least ratio any plan could have; 0 unless placed at random
	planMS, p50, p99              float64
	strategy                      string
	breaches                      int
}

// Config says what to measure.
type Config struct {
	Cells []int
	// Seeds is how many fleets there are of each kind.
	Seeds int
	// Errors of the estimates, on fleets that are placed by us. Fleets placed
	// at random are measured with known durations.
	Errors []float64
	// Wants chooses families by name; nil takes all.
	Wants func(family string) bool
	// Domains is how many update domains an AZ has where apps come one by one.
	Domains int
	// Improve is how long the first plan may be improved.
	Improve time.Duration
}

// Plan writes a table of makespans: ours over its certified bound, about the
// least that any plan could reach where placement is random, and what others
// take, in minutes, where only the limits of fixed apps hold rolls up. Every plan
// is replayed by code of its own, as it is
// and with cells that fail meanwhile; breaches are an error.
func Plan(cfg Config, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "cells\tfamily\ta cell\tplaced\testimates\tratio\tworst\tattainable\tbound min\tours min\tcells failing\tin order\tthreads\twaves\tFIFO\t× in order\tplaced at random\tplan ms\tevent µs p50\tp99\tbreaches\tstrategy of the last\t")
	breaches := 0
	for _, family := range cfg.families() {
		for _, way := range ways {
			if way.random && family.Error != 0 {
				continue
			}
			results, err := cfg.measure(family, way)
			if err != nil {
				return err
			}
			breaches += line(out, family, way, results)
			out.Flush()
		}
	}
	if breaches > 0 {
		return fmt.Errorf("the replay found %d breaches", breaches)
	}
	return nil
}

// families lists the kinds of fleets to measure.
func (cfg *Config) families() []generate.Family {
	var wanted []generate.Family
	for _, cells := range cfg.Cells {
		for _, e := range cfg.Errors {
			for _, family := range generate.Families(cells, e) {
				if cfg.Wants == nil || cfg.Wants(family.Name) {
					wanted = append(wanted, family)
				}
			}
		}
	}
	return wanted
}

// way is a way to place a fleet.
type way struct {
	name  string
	place func(f *fleet.Fleet, seed uint64, domains int) (*fleet.Placed, error)
	// random says that instances lie anywhere. It is measured with known
	// durations only.
	random bool
}

// ways are ours, with all apps at hand as moor place has them and one by one as
// a live fleet gets them, and placement at random. Cells do not join in the
// order of their names, which is that of the rolls of others.
var ways = []way{
	{name: "ours", place: func(f *fleet.Fleet, _ uint64, _ int) (*fleet.Placed, error) { return f.Place() }},
	{name: "one by one", place: func(f *fleet.Fleet, seed uint64, domains int) (*fleet.Placed, error) {
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(f.Cells), func(a, b int) { f.Cells[a], f.Cells[b] = f.Cells[b], f.Cells[a] })
		placed, err := f.PlaceInTurn(domains)
		slices.SortFunc(f.Cells, func(a, b fleet.Cell) int { return cmp.Compare(a.ID, b.ID) })
		return placed, err
	}},
	{name: "random", random: true, place: func(f *fleet.Fleet, seed uint64, _ int) (*fleet.Placed, error) {
		generate.Scatter(f, seed)
		return nil, nil
	}},
}

// measure makes, places, plans and rolls the fleets of a family.
func (cfg *Config) measure(family generate.Family, way way) ([]result, error) {
	var results []result
	for seed := range cfg.Seeds {
		f := family.Fleet(uint64(seed + 1))
		if _, err := way.place(f, uint64(seed+1), cfg.Domains); err != nil {
			return nil, err
		}
		run, err := f.Simulate(fleet.Options{Clock: time.Now, Improve: cfg.Improve})
		if err != nil {
			return nil, err
		}
		report, err := audit(f, run)
		if err != nil {
			return nil, err
		}
		p, truth := f.Problem()
		broken, err := failing(f, run.Summary.Makespan, uint64(seed+1))
		if err != nil {
			return nil, err
		}
		s := run.Summary
		r := result{
			ratio: s.Makespan / s.LowerBound, ours: s.Makespan / 60, bound: s.LowerBound / 60,
			planMS: s.PlanMS, p50: s.EventP50, p99: s.EventP99,
			strategy: s.Strategy, breaches: report.Count + s.Violations + broken.Count,
			failing: broken.Makespan / 60,
		}
		if family.Plain() {
			q, _ := scattered(f, uint64(seed+1)).Problem()
			r.compare(p, q, truth, uint64(seed))
			if way.random {
				r.attainable = attainable.Ratio(p)
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// compare adds what others take on the fleet as it is placed, and as it would be
// at random. They know nothing of moves, ceilings and canaries.
func (r *result) compare(p, random *sequence.Problem, truth []time.Duration, seed uint64) {
	r.inOrder, r.threads = baseline.InOrder(p, truth).Minutes(), baseline.Threads(p, truth).Minutes()
	r.waves, r.fifo = baseline.Waves(p, truth, seed).Minutes(), baseline.FIFO(p, truth, max(1, len(p.Cells)/10)).Minutes()
	r.inOrderRandom = baseline.InOrder(random, truth).Minutes()
}

func audit(f *fleet.Fleet, run *fleet.Run) (*replay.Report, error) {
	file, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	if err := run.Write(&lines); err != nil {
		return nil, err
	}
	return replay.Check(bytes.NewReader(file), &lines)
}

// scattered is the same fleet placed at random.
func scattered(f *fleet.Fleet, seed uint64) *fleet.Fleet {
	other := *f
	other.Apps = slices.Clone(f.Apps)
	generate.Scatter(&other, seed)
	return &other
}

// failing rolls a fleet once more, while cells fail, and replays that.
func failing(f *fleet.Fleet, makespan float64, seed uint64) (*replay.Report, error) {
	again := *f
	generate.Break(&again, makespan, seed)
	run, err := again.Simulate(fleet.Options{})
	if err != nil {
		return nil, err
	}
	return audit(&again, run)
}
