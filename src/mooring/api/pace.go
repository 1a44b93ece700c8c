package api

import (
	"context"
	"time"
)

// workPace is the least time between two looks for one cell while it waits for
// work: on a large fleet most changes are of other cells, and each look makes
// all of the cell's work.
const workPace = 100 * time.Millisecond

// pace keeps looks at least so long apart. After a quiet time the next one is
// due at once.
type pace struct {
	least time.Duration
	last  time.Time
}

// wait returns when the next look is due, or with the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	if left := p.least - time.Since(p.last); !p.last.IsZero() && left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.last = time.Now()
	return nil
}
