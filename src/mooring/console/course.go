package console

import (
	"time"

	"mooring/model"
)

// courseLimit is the most stretches that the course of a plan is cut into.
const courseLimit = 120

// courseOf gives the course of a plan, nil before anything began. It changes
// only when a roll begins or ends, not with the clock.
func courseOf(plan *model.Plan, rolls map[string]*model.Roll) *Course {
	var begun, ended []time.Duration
	var last time.Duration
	for _, roll := range rolls {
		for _, entry := range roll.Timeline {
			if entry.Phase != model.Queued {
				begun = append(begun, max(0, entry.At.Sub(plan.CreatedAt)))
				break
			}
		}
		if n := len(roll.Timeline); n > 0 {
			at := max(0, roll.Timeline[n-1].At.Sub(plan.CreatedAt))
			if roll.Phase.Final() {
				ended = append(ended, at)
			}
			if roll.Phase != model.Queued {
				last = max(last, at)
			}
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
