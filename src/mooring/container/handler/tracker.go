package handler

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Verdict is what became of a handler.
type Verdict string

// The verdicts.
const (
	Running   Verdict = "running"   // at work, or waiting for its next attempt
	Done      Verdict = "done"      // the instance is ready to be stopped
	Hung      Verdict = "hung"      // progress has not grown for the progress timeout
	Overdue   Verdict = "overdue"   // the deadline has passed
	Failed    Verdict = "failed"    // it failed, and no retry fits before the deadline
	Cancelled Verdict = "cancelled" // it was told to stop
)

// Limits bound a handler.
type Limits struct {
	// Timeout bounds all attempts together.
	Timeout time.Duration
	// ProgressTimeout is how long progress may stand still; 0 is for ever.
	ProgressTimeout time.Duration
}

const (
	// OutputLines is how many of the last lines are kept as evidence.
	OutputLines = 20

	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// Status is what is known of a handler.
type Status struct {
	Verdict Verdict
	// Attempt counts from 1.
	Attempt int
	// Progress is the most this attempt has reached, 0 to 1; -1 before any.
	Progress float64
	Message  string
	// StartedAt is when the first attempt began; ProgressAt when progress last
	// grew, or the attempt began; FlaggedAt when the verdict became hung,
	// overdue or failed.
	StartedAt, ProgressAt, FlaggedAt time.Time
	// Output holds the last lines that are not progress.
	Output []string
	// Error is how the last attempt failed, or what the verdict rests on.
	Error string
}

// Tracker judges a handler by what it says and by the times passed in, which
// must carry a monotonic clock. It does nothing by itself.
type Tracker struct {
	limits   Limits
	deadline time.Time
	retryAt  time.Time // zero while an attempt is under way
	status   Status
}

// NewTracker begins the first attempt.
func NewTracker(limits Limits, now time.Time) *Tracker {
	t := &Tracker{limits: limits, deadline: now.Add(limits.Timeout)}
	t.status = Status{Verdict: Running, Attempt: 1, Progress: -1, StartedAt: now, ProgressAt: now}
	return t
}

// Status gives a copy of what is known.
func (t *Tracker) Status() Status {
	status := t.status
	status.Output = slices.Clone(status.Output)
	return status
}

// Line takes one line of output. Only growth counts as life: a line that
// repeats the same progress keeps nothing from being hung.
func (t *Tracker) Line(line string, now time.Time) {
	if said, ok := parseProgress(line); ok {
		if said.Message != "" {
			t.status.Message = said.Message
		}
		if *said.Progress > t.status.Progress {
			t.status.Progress, t.status.ProgressAt = *said.Progress, now
		}
		return
	}
	t.status.Output = append(t.status.Output, line)
	if extra := len(t.status.Output) - OutputLines; extra > 0 {
		t.status.Output = slices.Delete(t.status.Output, 0, extra)
	}
}

// End takes the end of an attempt; nil is success. After a failure the next
// attempt is due at Next, unless it would begin past the deadline.
func (t *Tracker) End(err error, now time.Time) {
	if t.status.Verdict != Running {
		return
	}
	if err == nil {
		t.status.Verdict, t.status.Error = Done, ""
		return
	}
	t.status.Error = err.Error()
	t.retryAt = now.Add(retryDelay(t.status.Attempt))
	if !t.retryAt.Before(t.deadline) {
		t.flag(Failed, now)
	}
}

// Retry begins the next attempt; its progress counts anew.
func (t *Tracker) Retry(now time.Time) {
	t.retryAt = time.Time{}
	t.status.Attempt++
	t.status.Progress, t.status.ProgressAt = -1, now
}

// Check judges at a moment, and reports whether the verdict changed.
func (t *Tracker) Check(now time.Time) bool {
	if t.status.Verdict != Running || !t.retryAt.IsZero() {
		return false
	}
	hungAt, can := t.hungAt()
	switch {
	case can && !now.Before(hungAt) && hungAt.Before(t.deadline):
		t.flag(Hung, now)
		t.status.Error = "progress has not grown for " + t.limits.ProgressTimeout.String()
	case !now.Before(t.deadline):
		t.flag(Overdue, now)
		t.status.Error = "not done after " + t.limits.Timeout.String()
	default:
		return false
	}
	return true
}

// Cancel ends a handler that is still at work.
func (t *Tracker) Cancel() {
	if t.status.Verdict == Running {
		t.status.Verdict = Cancelled
	}
}

// Next is when the tracker must be looked at again: for Retry or for Check.
func (t *Tracker) Next() (at time.Time, retry bool) {
	if !t.retryAt.IsZero() {
		return t.retryAt, true
	}
	if hungAt, can := t.hungAt(); can && hungAt.Before(t.deadline) {
		return hungAt, false
	}
	return t.deadline, false
}

func (t *Tracker) hungAt() (time.Time, bool) {
	return t.status.ProgressAt.Add(t.limits.ProgressTimeout), t.limits.ProgressTimeout > 0
}

func (t *Tracker) flag(verdict Verdict, now time.Time) {
	t.status.Verdict, t.status.FlaggedAt = verdict, now
}

// retryDelay is how long to wait after the n-th failed attempt.
func retryDelay(n int) time.Duration {
	delay := firstRetry
	for ; n > 1 && delay < lastRetry; n-- {
		delay *= 2
	}
	return min(delay, lastRetry)
}

// progressLine is what a handler prints to show that it gets on.
type progressLine struct {
	Progress *float64 `json:"progress"`
	Message  string   `json:"message"`
}

// parseProgress reads a progress line. What lies outside 0 to 1 is not
// progress but output, so that its author sees it.
func parseProgress(line string) (progressLine, bool) {
	var said progressLine
	if !strings.HasPrefix(strings.TrimSpace(line), "{") || json.Unmarshal([]byte(line), &said) != nil {
		return said, false
	}
	return said, said.Progress != nil && *said.Progress >= 0 && *said.Progress <= 1
}
