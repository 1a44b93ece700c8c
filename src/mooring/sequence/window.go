package sequence

import "time"

// Window says whether rolls may start at a time since now and, where they may
// not, when they may next. A next that is not later than the time asked about
// means never. Rolls that have started go on while it is closed.
type Window func(at time.Duration) (open bool, next time.Duration)

// closed reports whether nothing may start at a time, and until when.
func (w Window) closed(at time.Duration) (until time.Duration, closed bool) {
	if w == nil {
		return 0, false
	}
	open, next := w(at)
	return next, !open
}
