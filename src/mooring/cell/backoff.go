package cell

import "time"

const (
	// A process that crashes is started again at once, then after pauses that
	// double from firstRestart to lastRestart, until it has run for quietTime.
	firstRestart = time.Second
	lastRestart  = time.Minute
	quietTime    = 2 * time.Minute

	// What blocks a start or a detach is tried again after pauses that double
	// from firstRetry to lastRetry.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// restartPause is how long to wait after the n-th crash in a row.
func restartPause(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return doubling(firstRestart, lastRestart, n-1)
}

// retryPause is how long to wait after the n-th failed try in a row.
func retryPause(n int) time.Duration { return doubling(firstRetry, lastRetry, n) }

// doubling gives the n-th pause, counted from 1.
func doubling(first, last time.Duration, n int) time.Duration {
	pause := first
	for ; n > 1 && pause < last; n-- {
		pause *= 2
	}
	return min(pause, last)
}

// sooner gives the earlier of two times, of which zero ones mean never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
