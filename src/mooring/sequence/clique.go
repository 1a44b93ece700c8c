package sequence

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// The search for cells that exclude each other looks at the longest cells only,
// and for so many steps at most: whatever it finds is a bound.
const (
	cliqueCells = 256
	cliqueSteps = 100_000
)

// among is a set of the cells that are searched, by rank.
type among [cliqueCells / 64]uint64

func (s *among) add(rank int) { s[rank/64] |= 1 << (rank % 64) }

func (s *among) and(t *among) (both among) {
	for w := range s {
		both[w] = s[w] & t[w]
	}
	return both
}

// cliques searches for the cells that take longest one after another because
// any two of them exceed the limit of some app together, of the same one or of
// different ones: the heaviest clique of the graph of conflicts, by branch and
// bound (as in Carraghan and Pardalos, 1990, with weights).
type cliques struct {
	weight []time.Duration // by rank, the longest first
	next   []among         // of each cell, those it excludes
	steps  int
	chosen []int
	best   []int
	most   time.Duration
}

// exclusive gives cells of which no two can ever be in roll together, and how
// long they take one after another. left is how long each cell takes still.
func exclusive(p *Problem, left []time.Duration, chosen func(cell int) bool) (time.Duration, []int) {
	var cells []int
	for c := range p.Cells {
		if chosen(c) && p.Cells[c].State != Running && p.Cells[c].State != StuckHolding { // those may have been forced
			cells = append(cells, c)
		}
	}
	slices.SortStableFunc(cells, func(a, b int) int { return cmp.Compare(left[b], left[a]) })
	cells = cells[:min(len(cells), cliqueCells)]
	s := &cliques{weight: make([]time.Duration, len(cells)), next: make([]among, len(cells))}
	var all among
	for rank, c := range cells {
		s.weight[rank] = left[c]
		all.add(rank)
	}
	s.connect(p, cells)
	s.extend(all, 0)
	found := make([]int, len(s.best))
	for i, rank := range s.best {
		found[i] = cells[rank]
	}
	return s.most, found
}

// connect notes which cells exclude each other. What holds a budget for less
// than the whole roll excludes nobody.
func (s *cliques) connect(p *Problem, cells []int) {
	type user struct {
		rank int
		n    int32
	}
	users := map[int32][]user{}
	for rank, c := range cells {
		for _, use := range p.Cells[c].Uses {
			if use.Hold > 0 {
				continue
			}
			for _, other := range users[use.App] {
				if int(use.N+other.n) > p.Apps[use.App].Limit {
					s.next[rank].add(other.rank)
					s.next[other.rank].add(rank)
				}
			}
			users[use.App] = append(users[use.App], user{rank, use.N})
		}
	}
}

// excluders gives the apps whose limits keep any two of the cells from being in
// roll together, the one that keeps most pairs apart first.
func excluders(p *Problem, cells []int) []int {
	users := map[int][]int32{} // how many instances of an app each cell has
	for _, c := range cells {
		for _, use := range p.Cells[c].Uses {
			if a := int(use.App); use.Hold == 0 {
				users[a] = append(users[a], use.N)
			}
		}
	}
	pairs := map[int]int{}
	for a, on := range users {
		for i := range on {
			for _, n := range on[:i] {
				pairs[a] += b2i(int(on[i]+n) > p.Apps[a].Limit)
			}
		}
	}
	maps.DeleteFunc(pairs, func(_, n int) bool { return n == 0 })
	return slices.SortedFunc(maps.Keys(pairs), func(a, b int) int { return cmp.Or(pairs[b]-pairs[a], a-b) })
}

// extend tries every clique that goes on from the chosen one with candidates,
// of which each excludes all that are chosen.
func (s *cliques) extend(candidates among, weight time.Duration) {
	if weight > s.most {
		s.most, s.best = weight, slices.Clone(s.chosen)
	}
	var rest time.Duration
	for w, word := range candidates {
		for ; word != 0; word &= word - 1 {
			rest += s.weight[64*w+bits.TrailingZeros64(word)]
		}
	}
	for w := range candidates {
		for candidates[w] != 0 {
			if weight+rest <= s.most || s.steps >= cliqueSteps {
				return
			}
			s.steps++
			rank := 64*w + bits.TrailingZeros64(candidates[w])
			candidates[w] &= candidates[w] - 1
			rest -= s.weight[rank]
			s.chosen = append(s.chosen, rank)
			s.extend(candidates.and(&s.next[rank]), weight+s.weight[rank])
			s.chosen = s.chosen[:len(s.chosen)-1]
		}
	}
}
