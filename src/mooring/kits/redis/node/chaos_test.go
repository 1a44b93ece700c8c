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

func TestKillsAtAnyMomentOfInterruptsLoseNothing(t *testing.T) {
	fleet := nodetest.New(t, 6)
	chance := rand.New(rand.NewPCG(seed(t), 0))
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	underLoad(t, fleet, func(g *WithT) {
		for round := range 6 {
			index := round % 6
			delay := time.Duration(chance.Int64N(int64(600 * time.Millisecond)))
			victim, launcher := chance.IntN(6), chance.IntN(2) == 0
			if chance.IntN(3) == 0 {
				victim = index
			}
			t.Logf("round %d: interrupt %d, after %s kill instance %d", round, index, delay, victim)
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				time.Sleep(delay)
				if launcher {
					fleet.KillLauncher(victim)
				} else {
					fleet.KillServer(victim)
				}
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
