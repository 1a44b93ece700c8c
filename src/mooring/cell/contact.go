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

// make begins a contact, unless there is one.
func (c *contact) make() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(context.Background())
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

// wait gives a context that ends with the next contact's loss, and with ctx.
func (c *contact) wait(ctx context.Context) (context.Context, context.CancelFunc, error) {
	for {
		c.mu.Lock()
		within, made := c.ctx, c.made
		c.mu.Unlock()
		if within != nil {
			both, cancel := context.WithCancel(ctx)
			stop := context.AfterFunc(within, cancel)
			return both, func() { stop(); cancel() }, nil
		}
		select {
		case <-made:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}
