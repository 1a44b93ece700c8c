package cell

import (
	"context"
	"sync"
)

// contact says whether the control plane knows this agent and answers it.
// Work is only asked for, and believed, within one contact: after a loss
// everything may have changed.
type contact struct {
	mu     sync.Mutex
	ctx    context.Context // of the contact; nil while there is none
	cancel context.CancelFunc
	made   chan struct{} // closed while there is contact
}

func newContact() *contact { return &contact{made: make(chan struct{})} }

// make begins a contact within ctx, unless there is one.
func (c *contact) make(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(ctx)
		close(c.made)
	}
}

// lose ends the contact.
func (c *contact) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		c.cancel()
		c.ctx, c.made = nil, make(chan struct{})
	}
}

// wait waits for a contact and gives its context, which has ended as soon as
// the contact is lost.
func (c *contact) wait(ctx context.Context) (context.Context, error) {
	for {
		c.mu.Lock()
		within, made := c.ctx, c.made
		c.mu.Unlock()
		if within != nil {
			return within, nil
		}
		select {
		case <-made:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
