package cell_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"mooring/cell"
	"mooring/model"
)

// guard runs a guard beside the bench's agent.
func (b *bench) guard() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cell.Guard(ctx, b.run(), slog.New(slog.DiscardHandler)) }()
	b.Cleanup(func() {
		cancel()
		b.Eventually(ended, patience).Should(Receive(BeNil()))
	})
}

func TestGuardKillsWhatFloatsWhenTheAgentIsDeadOrStuck(t *testing.T) {
	for name, signal := range map[string]unix.Signal{"dead": unix.SIGKILL, "stuck": unix.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it mostly waits
			b := newBench(t)
			b.control.ttl = realTTL
			agent := b.spawn(b.serve())
			fixed, floating, bare := b.trio()
			b.guard()
			b.Consistently(func() bool { return running(fixed) && running(floating) && running(bare) }, realTTL+time.Second).Should(BeTrue(), "while the agent renews its lease")
			b.Expect(agent.Process.Signal(signal)).To(Succeed())
			silent := time.Now()
			b.stopWithinTTL(silent, floating, bare)
			b.gone(floating)
			b.gone(bare)
			b.Expect(running(fixed)).To(BeTrue())

			kill(b, agent)
			b.control.set(func(c *control) { c.reports = nil })
			b.start()
			b.Expect(b.serving(0)).To(Equal(fixed))
			b.serving(1)
			b.Expect(b.control.last(1).StartedAfter).To(Equal(model.AfterCrash))
		})
	}
}
