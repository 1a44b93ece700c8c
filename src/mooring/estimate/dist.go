package estimate

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"mooring/model"
)

// points is how many equally likely durations stand for a distribution.
const points = Draws

// Dist is how long a step takes: a distribution learned from samples.
type Dist struct {
	// at holds the middles of as many equally likely parts, in seconds and
	// ascending.
	at [points]float64
	// doubt is how far all of it may be off, as the standard deviation of a
	// logarithm; shift is by how much it is in each of the draws, as a factor.
	doubt float64
	shift [Draws]float64
	// next holds the points for one roll alone, doubt included.
	next [points]float64
	// count is how many samples it was learned from, n as how many they count.
	count int
	n     float64
}

// priorWeight is how many samples a prior counts as. What it counts as is
// moved to where the samples are, and given their spread: there the prior
// counts as much as priorMiddle and priorSpread samples.
const (
	priorWeight = 3
	priorMiddle = 0.5
	priorSpread = 8
)

// leastDoubt is kept however many samples there are: the next plan is never
// quite like those before.
const leastDoubt = 0.05

// newDist learns a distribution. name tells its doubt from that of others.
func newDist(name string, p prior, samples []model.Sample, now, since time.Time) *Dist {
	found, n := weigh(samples, now, since)
	found = sorted(found)
	d := &Dist{count: len(samples), n: n}
	middle, spread := math.Log(p.middle.Seconds()), p.spread
	if n > 0 {
		middle = (priorMiddle*middle + n*math.Log(quantileOf(found, 0.5))) / (priorMiddle + n)
		own := math.Log(quantileOf(found, 0.84)/quantileOf(found, 0.16)) / 2
		spread = (priorSpread*spread + n*own) / (priorSpread + n)
	}
	for _, z := range [...]float64{-1.282, -0.524, 0, 0.524, 1.282} { // fifths of a normal distribution
		took := math.Exp(middle + z*spread)
		if p.most > 0 {
			took = min(took, p.most.Seconds())
		}
		found = append(found, weighted{took, priorWeight / 5.0})
	}
	found = sorted(found)
	for i := range d.at {
		d.at[i] = quantileOf(found, (float64(i)+0.5)/points)
	}
	spread = math.Log(d.quantile(0.9)/d.quantile(0.5)) / 1.282
	d.doubt = max(leastDoubt, spread/math.Sqrt(n*0.8+0.5))
	d.setShifts(name)
	half := d.quantile(0.5)
	wider := math.Sqrt(1 + d.doubt*d.doubt/max(1e-6, spread*spread))
	for i, at := range d.at {
		d.next[i] = half * math.Pow(at/half, wider)
	}
	return d
}

// setShifts spreads the doubt over the draws evenly, in an order of its own.
func (d *Dist) setShifts(name string) {
	hash := fnv.New32a()
	hash.Write([]byte(name)) // never fails
	pick := hash.Sum32()
	for i := range d.shift {
		d.shift[i] = math.Exp(d.doubt * normal[shuffled(pick, i)])
	}
}

// sorted puts samples in the order of their durations.
func sorted(found []weighted) []weighted {
	slices.SortFunc(found, func(a, b weighted) int { return cmp.Compare(a.took, b.took) })
	return found
}

// quantileOf gives the duration below which a share of the weight of sorted
// samples lies, between the middles of neighbours in proportion.
func quantileOf(found []weighted, share float64) float64 {
	var total float64
	for _, f := range found {
		total += f.weight
	}
	var below, lastAt, last float64
	for i, f := range found {
		at := (below + f.weight/2) / total
		if at >= share {
			if i == 0 {
				return f.took
			}
			return last + (f.took-last)*(share-lastAt)/(at-lastAt)
		}
		below, lastAt, last = below+f.weight, at, f.took
	}
	return last
}

// quantile gives the duration below which a share lies, in seconds, without
// doubt.
func (d *Dist) quantile(share float64) float64 {
	at := share*points - 0.5
	i := min(points-2, max(0, int(at)))
	return d.at[i] + (d.at[i+1]-d.at[i])*min(1, max(0, at-float64(i)))
}

// Half is how long the step takes one time in two, at most.
func (d *Dist) Half() time.Duration { return seconds(d.quantile(0.5)) }

// patience is how long the step takes ninety-nine times in a hundred, at most:
// the tail of a lognormal distribution through the p50 and the p90, which
// outliers do not move, wider while there are few samples, much as Student's t.
func (d *Dist) patience() time.Duration {
	spread := math.Log(d.quantile(0.9)/d.quantile(0.5)) / 1.282
	spread = math.Sqrt(spread*spread + d.doubt*d.doubt)
	return seconds(d.quantile(0.5) * math.Exp(2.326*spread*(1+3/(d.n+1))))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
