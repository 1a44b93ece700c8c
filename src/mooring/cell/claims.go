package cell

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// claims say which volumes the cell's instances may have attached, and which of
// the others are just being given up. No call to the volume manager is made
// under its lock: one volume that hangs holds up only those who want that one.
type claims struct {
	mu   sync.Mutex
	held map[key][]string
	// releasing are the volumes that are being given up; closed when they were.
	releasing map[string]chan struct{}
}

func newClaims() *claims {
	return &claims{held: map[key][]string{}, releasing: map[string]chan struct{}{}}
}

// claim says which volumes an instance may have attached from now on. Before it
// attaches them it waits until they are free.
func (c *claims) claim(k key, volumes []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(volumes) == 0 {
		delete(c.held, k)
		return
	}
	c.held[k] = volumes
}

// free waits until none of the volumes is being given up. What is claimed then
// is not given up before its claim ends.
func (c *claims) free(ctx context.Context, volumes []string) error {
	for _, guid := range volumes {
		c.mu.Lock()
		released := c.releasing[guid]
		c.mu.Unlock()
		if released == nil {
			continue
		}
		select {
		case <-released:
		case <-ctx.Done():
			return fmt.Errorf("waiting until volume %s is detached, which nobody used: %w", guid, context.Cause(ctx))
		}
	}
	return nil
}

// claimed reports whether an instance may have the volume attached.
func (c *claims) claimed(guid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.has(guid)
}

// has is claimed; c.mu is held.
func (c *claims) has(guid string) bool {
	for _, volumes := range c.held {
		if slices.Contains(volumes, guid) {
			return true
		}
	}
	return false
}

// release has a volume given up, unless it is claimed. It reports whether it
// was. One volume is released by one caller at a time.
func (c *claims) release(guid string, detach func() error) (bool, error) {
	c.mu.Lock()
	if c.has(guid) {
		c.mu.Unlock()
		return false, nil
	}
	released := make(chan struct{})
	c.releasing[guid] = released
	c.mu.Unlock()
	err := detach()
	c.mu.Lock()
	delete(c.releasing, guid)
	close(released)
	c.mu.Unlock()
	return err == nil, err
}
