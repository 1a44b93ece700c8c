package lifecycle

import "mooring/model"

// Limits are the effective numbers of a policy for n desired instances.
type Limits struct {
	Interrupted int `json:"max_interrupted"`
	Draining    int `json:"max_draining"`
	Disrupted   int `json:"max_disrupted"`
}

// LimitsOf gives the effective numbers of a policy for n desired instances.
func LimitsOf(policy *model.Policy, n int) Limits {
	return Limits{
		Interrupted: policy.MaxInterrupted.Of(n),
		Draining:    policy.MaxDraining.Of(n),
		Disrupted:   policy.Disrupted(n),
	}
}

// Limits gives the effective numbers of the app's policy.
func (c *Crew) Limits() Limits { return LimitsOf(&c.App.Policy, c.App.Instances) }

// rule is one limit of a policy: at most limit members may be in the set that
// it counts. kind "" counts every kind of disruption.
type rule struct {
	name  string
	kind  model.Kind
	limit int
}

func (c *Crew) rules() []rule {
	limits := c.Limits()
	return []rule{
		{"max_interrupted", model.Interrupt, limits.Interrupted},
		{"max_draining", model.Drain, limits.Draining},
		{"max_disrupted", "", limits.Disrupted},
	}
}

// Spent gives the indexes that use up the budget for a kind of disruption ("":
// the budget for both together), in order: those that hold a permit of the
// kind, and those that are down. One that crashed after its permit had let it
// run again is a failure like any other and counts against every kind.
func (c *Crew) Spent(kind model.Kind) []int {
	var spent []int
	for i := range c.Members {
		if c.Members[i].spends(kind) {
			spent = append(spent, c.Members[i].Index)
		}
	}
	return spent
}

func (m *Member) spends(kind model.Kind) bool {
	if m.Permit == nil {
		return m.Standing == Down && !m.Surplus
	}
	return kind == "" || m.Permit.Kind == kind || m.comingBack()
}

// Count gives how many desired members serve, are disrupted and are down.
func (c *Crew) Count() (serving, disrupted, down int) {
	for i := range c.Members {
		m := &c.Members[i]
		switch {
		case m.Standing == Disrupted:
			disrupted++
		case m.Surplus:
		case m.Standing == Serving:
			serving++
		default:
			down++
		}
	}
	return serving, disrupted, down
}

func setOf(list []int) indexes {
	set := make(indexes, len(list))
	for _, i := range list {
		set[i] = true
	}
	return set
}
