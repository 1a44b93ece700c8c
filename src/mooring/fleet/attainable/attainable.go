// Package attainable estimates how near to its bound any plan at all can come
// on a fleet whose instances lie at random. A bound that looks at one app at a
// time knows nothing of how thousands of them overlap; this does.
package attainable

import (
	"math"

	"mooring/sequence"
)

// Ratio estimates the least makespan, over that of the bound of single apps,
// that a plan can have when all rolls take equally long and the cells of each
// app were drawn at random in each AZ. It is at least 1; for limits that nobody
// can keep it is infinite.
//
// It is the first-moment method (Alon and Spencer, The Probabilistic Method):
// a plan deals the cells to rounds. Each of the ways to do that is feasible
// with the probability that no app has more cells in a round than its limit;
// with fewer rounds than the estimate, the expected number of feasible plans is
// below one. Rounds are taken to be of equal size, and to be of one AZ each or
// of all AZs alike, whichever needs fewer.
func Ratio(p *sequence.Problem) float64 {
	fleet := gather(p)
	bound := 1
	for of := range fleet.apps {
		if of.limit == 0 {
			return math.Inf(1)
		}
		bound = max(bound, (of.cells+of.limit-1)/of.limit)
	}
	smallest := len(p.Cells)
	for _, cells := range fleet.azs {
		smallest = min(smallest, cells)
	}
	mixed := least(bound, len(p.Cells), fleet.together)
	apart := len(fleet.azs) * least(1, smallest, fleet.apart)
	return float64(max(bound, min(mixed, apart))) / float64(bound)
}

// least gives the least number of rounds, up to most (a cell in each), of which
// the logarithm of the expected number of plans is not negative. Up to there it
// grows with the rounds: bisected.
func least(from, most int, plans func(rounds int) float64) int {
	for from < most {
		if middle := (from + most) / 2; plans(middle) < 0 {
			from = middle + 1
		} else {
			most = middle
		}
	}
	return from
}

// crowd counts apps that are alike: so many cells in all, in each of up to
// four AZs (those beyond are counted with the fourth), and a limit.
type crowd struct {
	cells, limit int
	inAZ         [4]int
}

// overview is what the estimate needs of a problem.
type overview struct {
	azs  map[int]int // cells of each
	apps map[crowd]int
}

func gather(p *sequence.Problem) overview {
	of := make([]crowd, len(p.Apps))
	moves := make([]bool, len(p.Apps))
	azs := map[int]int{}
	for c := range p.Cells {
		azs[p.Cells[c].AZ]++
		for _, use := range p.Cells[c].Uses {
			if use.Hold > 0 {
				continue // moves that end early do not bind
			}
			of[use.App].cells++
			moves[use.App] = moves[use.App] || use.Hold > 0
			of[use.App].inAZ[min(p.Cells[c].AZ, len(of[use.App].inAZ)-1)]++
		}
	}
	apps := map[crowd]int{}
	for a, app := range p.Apps {
		if of[a].cells > 0 { // nor do apps that nothing is on
			of[a].limit = app.Limit
			apps[of[a]]++
		}
	}
	return overview{azs: azs, apps: apps}
}

// together gives the logarithm of the expected number of plans of so many
// rounds, each of cells of all AZs.
func (o overview) together(rounds int) float64 {
	cells := 0
	for _, n := range o.azs {
		cells += n
	}
	log := float64(cells)*math.Log(float64(rounds)) - logFactorial(rounds)
	for app, n := range o.apps {
		log += float64(n) * logKept(app.cells, app.limit, rounds, cells)
	}
	return log
}

// apart gives the same for so many rounds in every AZ.
func (o overview) apart(rounds int) float64 {
	log := 0.0
	for az, cells := range o.azs {
		log += float64(cells)*math.Log(float64(rounds)) - logFactorial(rounds)
		for app, n := range o.apps {
			if az < len(app.inAZ) {
				log += float64(n) * logKept(app.inAZ[az], app.limit, rounds, cells)
			}
		}
	}
	return log
}

// logKept gives the logarithm of the probability that n cells drawn from all,
// without putting back, are at most limit in each of so many rounds of equal
// size: the coefficient of x^n in (sum over i up to limit of C(size, i) x^i)^rounds,
// over C(all, n). Powers of size are taken out so that floats suffice.
func logKept(n, limit, rounds, all int) float64 {
	if n <= limit {
		return 0
	}
	size := float64(all) / float64(rounds)
	one := []float64{1}
	for i := 1; i <= limit; i++ {
		one = append(one, one[i-1]*max(0, 1-float64(i-1)/size)/float64(i))
	}
	ways := power(one, rounds, n)
	if len(ways) <= n || ways[n] <= 0 {
		return math.Inf(-1)
	}
	log := math.Log(ways[n]) + logFactorial(n)
	for i := range n { // size^n over all (all-1) ... (all-n+1)
		log += math.Log(size / float64(all-i))
	}
	return min(0, log)
}

// power gives the coefficients of a polynomial to the power e, up to x^top.
func power(base []float64, e, top int) []float64 {
	out := []float64{1}
	for ; e > 0; e /= 2 {
		if e%2 == 1 {
			out = times(out, base, top)
		}
		base = times(base, base, top)
	}
	return out
}

func times(a, b []float64, top int) []float64 {
	out := make([]float64, min(top+1, len(a)+len(b)-1))
	for i, x := range a {
		for j, y := range b[:min(len(b), max(0, len(out)-i))] {
			out[i+j] += x * y
		}
	}
	return out
}

func logFactorial(n int) float64 {
	log, _ := math.Lgamma(float64(n) + 1)
	return log
}
