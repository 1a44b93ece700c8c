package host

import "context"

// Wait is the driver for hosts that somebody else acts on: an operator, or a
// deploy tool that asks at the gate. It does nothing and never claims success;
// whether the host was acted on is for the orchestrator to observe.
type Wait struct{}

// Act returns when ctx ends, with its error.
func (Wait) Act(ctx context.Context, _ Request) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
