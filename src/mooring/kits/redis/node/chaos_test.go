package node_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/nodetest"
)

// seed is MOORING_SEED, or a new one.
func seed(t *testing.T) uint64 {
	s := uint64(time.Now().UnixNano())
	if text := os.Getenv("MOORING_SEED"); text != "" {
		var err error
		if s, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("MOORING_SEED is %q, a number is needed", text)
		}
	}
	t.Logf("MOORING_SEED=%d", s)
	return s
}

func killsDuringInterrupts(t *testing.T, fleet *nodetest.Fleet) {
	chance := rand.New(rand.NewPCG(seed(t), 0))
	underLoad(t, fleet, func(g *WithT) {
		for range 4 {
			index, victim := chance.IntN(6), chance.IntN(6)
			delay := time.Duration(chance.Int64N(int64(600 * time.Millisecond)))
			kill := fleet.KillServer
			if chance.IntN(2) == 0 {
				kill = fleet.KillLauncher
			}
			if chance.IntN(3) == 0 {
				victim = index
			}
			t.Logf("interrupt %d, after %s kill instance %d", index, delay, victim)
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				time.Sleep(delay)
				kill(victim)
			}()
			g.Expect(interrupt(t.Context(), fleet, index)).To(Succeed())
			fleet.Stop(index)
			<-killed
			fleet.Start(index)
			fleet.WaitHealthy()
		}
	})
}

// interrupt runs the handler as a cell does: again when it fails.
func interrupt(ctx context.Context, fleet *nodetest.Fleet, index int) (err error) {
	for range 5 {
		limited, cancel := context.WithTimeout(ctx, 30*time.Second)
		_, err = fleet.Handler(limited, index, "interrupt")
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("every retry failed: %w", err)
}
