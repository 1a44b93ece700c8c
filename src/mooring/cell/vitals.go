package cell

import (
	"time"

	"mooring/model"
)

const (
	// firstProbe is how soon a new process is first checked; the checks then
	// grow apart up to the check's interval.
	firstProbe = 50 * time.Millisecond
	// doubtProbe is how soon a healthy instance is checked again after one
	// failed check. Only the second in a row makes it failing.
	doubtProbe = 250 * time.Millisecond
	// recoveryProbe bounds the time between checks of a failing instance.
	recoveryProbe = time.Second
)

// vitals follow the health of one process: a pure state machine over the
// results of checks and the times passed in.
type vitals struct {
	interval, healthyFor, startTimeout time.Duration

	state model.InstanceState // starting, soaking, serving, failing
	// since is when the process started or, while soaking, became healthy.
	since  time.Time
	misses int
	pause  time.Duration
	// problem is why the last check failed, nil when it did not.
	problem error
}

// newVitals are those of a process that was started, or adopted, now. check
// must have its zero fields filled in.
func newVitals(check model.HealthCheck, healthyFor time.Duration, now time.Time) *vitals {
	return &vitals{
		interval: check.Interval.D(), healthyFor: healthyFor, startTimeout: check.StartTimeout.D(),
		state: model.Starting, since: now, pause: min(firstProbe, check.Interval.D()),
	}
}

// probed takes the result of a check and sets the pause before the next.
func (v *vitals) probed(err error, now time.Time) {
	v.problem = err
	switch {
	case err != nil:
		v.misses++
		if v.misses >= 2 && v.state != model.Starting {
			v.state = model.Failing
		}
	case v.state == model.Starting, v.state == model.Failing:
		v.misses, v.state, v.since = 0, model.Soaking, now
	default:
		v.misses = 0
	}
	v.look(now)
	switch {
	case v.state == model.Starting:
		v.pause = min(2*v.pause, v.interval)
	case v.state == model.Failing:
		v.pause = min(v.interval, recoveryProbe)
	case v.misses > 0:
		v.pause = min(v.interval, doubtProbe)
	case v.state == model.Soaking:
		v.pause = max(min(v.interval, v.healthyFor/2), firstProbe)
	default:
		v.pause = v.interval
	}
}

// look takes account of the time alone: healthy long enough is serving.
func (v *vitals) look(now time.Time) {
	if v.state == model.Soaking && v.misses == 0 && !now.Before(v.since.Add(v.healthyFor)) {
		v.state = model.Serving
	}
}

// overslept reports whether the process took too long to become healthy.
func (v *vitals) overslept(now time.Time) bool {
	return v.state == model.Starting && !now.Before(v.since.Add(v.startTimeout))
}

// due is when time alone changes something; zero for never.
func (v *vitals) due() time.Time {
	switch {
	case v.state == model.Soaking && v.misses == 0:
		return v.since.Add(v.healthyFor)
	case v.state == model.Starting:
		return v.since.Add(v.startTimeout)
	}
	return time.Time{}
}
