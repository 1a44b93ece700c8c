package fakedirector

import (
	"context"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
)

// A client that does not know that its Director ends goes on asking for tasks.
func TestADirectorMayBeClosedWhileItIsAskedForTasks(t *testing.T) {
	g := NewWithT(t)
	d := New(Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, Instances: []*Instance{{ID: "a", AZ: "z1", VM: VM{
		PreStop: func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() },
	}}}})
	asked := make(chan struct{}, 1)
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				d.ActOn("a", Restart, "", "")
				select {
				case asked <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 100 {
		<-asked
	}
	d.Close()
	closed := d.Tasks()
	g.Eventually(d.Tasks).Should(BeNumerically(">", closed), "it is still asked")
	stop()
	clients.Wait()
	state, _ := d.State(d.Tasks())
	g.Expect(state).To(Equal("queued"), "what is asked for afterwards does not run")
}

// Tests make several Directors of one Config, one after the other.
func TestDirectorsOfOneConfigShareNothing(t *testing.T) {
	g := NewWithT(t)
	cfg := Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, Instances: []*Instance{{ID: "a", AZ: "z1"}}}
	one, other := New(cfg), New(cfg)
	defer one.Close()
	defer other.Close()
	one.Ignore("a", true)
	g.Expect(one.ignoresAny()).To(BeTrue())
	g.Expect(other.ignoresAny()).To(BeFalse())
}
