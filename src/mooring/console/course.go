package console

import (
	"slices"
	"time"

	"mooring/model"
)

// courseLimit is the most stretches that the course of a plan is cut into.
const courseLimit = 120

// courseOf gives the course of a plan, nil before anything began. It changes
// only when a roll begins or ends, not with the clock.
func courseOf(plan *model.Plan, rolls map[string]*model.Roll) *Course {
	var begun, ended []time.Duration
	var last time.Duration // nothing is later, whatever the clocks of those who wrote it said
	since := func(at time.Time) time.Duration {
		gone := max(0, at.Sub(plan.CreatedAt))
		last = max(last, gone)
		return gone
	}
	for _, roll := range rolls {
		if i := slices.IndexFunc(roll.Timeline, func(e model.Entry) bool { return e.Phase != model.Queued }); i >= 0 {
			begun = append(begun, since(roll.Timeline[i].At))
		}
		if n := len(roll.Timeline); n > 0 && roll.Phase.Final() {
			ended = append(ended, since(roll.Timeline[n-1].At))
		}
	}
	if len(begun) == 0 {
		return nil
	}
	every := 1
	for last >= time.Duration(every*courseLimit)*time.Second {
		every *= 2
	}
	stretch := time.Duration(every) * time.Second
	course := &Course{Every: every, Begun: make([]int, last/stretch+1), Ended: make([]int, last/stretch+1)}
	for _, at := range begun {
		course.Begun[at/stretch]++
	}
	for _, at := range ended {
		course.Ended[at/stretch]++
	}
	return course
}
