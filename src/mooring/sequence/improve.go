package sequence

// Improve betters a plan, by the expected durations, for as long as more says
// that time remains. It asks between steps of some milliseconds to some tenths
// of a second, by the size of the problem, and ends by itself when the plan
// reaches the bound.
func Improve(p *Problem, plan *Plan, more func() bool) *Plan {
	bound := Bound(p, nil).Makespan
	best := *plan
	for _, mode := range []Mode{Tickets, Greedy} {
		if best.Makespan <= bound || !more() {
			break
		}
		other := *plan
		other.Mode = mode
		if other.Makespan = Simulate(p, &other, nil).Makespan; other.Makespan < best.Makespan {
			best = other
		}
	}
	return &best
}
