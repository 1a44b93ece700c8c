// Package handler runs the handlers of a lifecycle policy: it tells an
// instance of a disruption, follows its progress, retries what failed, and
// says with evidence when the handler has hung or passed its deadline.
package handler

import (
	"context"
	"time"
)

// Attempt runs a handler once. It passes on each line of output and returns
// nil when the instance is ready to be stopped. When ctx ends it makes the
// handler end, and returns only when that is so.
type Attempt func(ctx context.Context, line func(string)) error

// Run runs a handler to its verdict. When ctx ends first, that is Cancelled.
// Each change of the status is told to changed, from Run's goroutine, the
// verdict as soon as it is known; Run returns when nothing of the handler runs
// any more.
func Run(ctx context.Context, limits Limits, attempt Attempt, changed func(Status)) Status {
	r := &run{tracker: NewTracker(limits, time.Now()), attempt: attempt, changed: changed}
	for {
		changed(r.tracker.Status())
		r.once(ctx)
		at, retry := r.tracker.Next()
		if r.tracker.Status().Verdict != Running || !retry {
			return r.tracker.Status()
		}
		changed(r.tracker.Status())
		select {
		case <-time.After(time.Until(at)):
			r.tracker.Retry(time.Now())
		case <-ctx.Done():
			r.tracker.Cancel()
			changed(r.tracker.Status())
			return r.tracker.Status()
		}
	}
}

type run struct {
	tracker *Tracker
	attempt Attempt
	changed func(Status)
}

// once makes one attempt and judges it all along.
func (r *run) once(ctx context.Context) {
	attempt, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, ended := make(chan string), make(chan error, 1)
	over := make(chan struct{}) // nobody listens to lines any more
	go func() {
		ended <- r.attempt(attempt, func(line string) {
			select {
			case lines <- line:
			case <-over:
			}
		})
	}()
	// finish ends an attempt that has its verdict, and waits until it is gone.
	finish := func() {
		r.changed(r.tracker.Status())
		close(over)
		cancel()
		<-ended
	}
	for {
		at, _ := r.tracker.Next()
		timer := time.NewTimer(time.Until(at))
		select {
		case line := <-lines:
			r.tracker.Line(line, time.Now())
			r.changed(r.tracker.Status())
		case err := <-ended:
			timer.Stop()
			if ctx.Err() != nil && err != nil {
				r.tracker.Cancel()
			} else {
				r.tracker.End(err, time.Now())
			}
			r.changed(r.tracker.Status())
			return
		case <-ctx.Done():
			timer.Stop()
			r.tracker.Cancel()
			finish()
			return
		case <-timer.C:
			if r.tracker.Check(time.Now()) {
				finish()
				return
			}
		}
		timer.Stop()
	}
}
