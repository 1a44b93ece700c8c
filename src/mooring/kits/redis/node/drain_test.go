package node_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/nodetest"
)

// progressOf reads the protocol lines of a handler.
func progressOf(g *WithT, out string) (done []float64, messages []string) {
	for line := range strings.Lines(out) {
		var step struct {
			Progress float64 `json:"progress"`
			Message  string  `json:"message"`
		}
		g.Expect(json.Unmarshal([]byte(line), &step)).To(Succeed(), line)
		done, messages = append(done, step.Progress), append(messages, step.Message)
	}
	return done, messages
}

func TestADrainedPrimaryLeavesAllItsDataToTheOthers(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	underLoad(t, fleet, func(g *WithT) {
		// The handler dies in the middle and is begun again.
		short, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		_, err := fleet.Handler(short, 1, "drain")
		cancel()
		g.Expect(err).To(HaveOccurred())

		out, err := fleet.Handler(t.Context(), 1, "drain")
		g.Expect(err).NotTo(HaveOccurred())
		done, messages := progressOf(g, out)
		for i := 1; i < len(done); i++ {
			g.Expect(done[i]).To(BeNumerically(">=", done[i-1]), "progress grows: %s", out)
		}
		g.Expect(done[len(done)-1]).To(Equal(1.0))
		g.Expect(messages).To(ContainElement(MatchRegexp(`^\d+ of \d+ slots moved$`)))
		for _, index := range []int{0, 2, 3, 4, 5} {
			view := viewOf(t, fleet, index)
			g.Expect(view.Unowned()).To(BeEmpty())
			g.Expect(view.Nodes).To(HaveLen(5), "instance %d has forgotten the node", index)
		}
		fleet.Stop(1)

		// Its replacement begins with an empty volume somewhere else.
		fleet.Replace(1)
		fleet.Start(1)
		fleet.WaitHealthy(1)
	})
	eventuallyShards(t, fleet, And(pairs, HaveKey(1)), 0, 1, 2, 3, 4, 5)
}

func TestADrainedReplicaIsForgotten(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	underLoad(t, fleet, func(g *WithT) {
		out, err := fleet.Handler(t.Context(), 5, "drain")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(out).To(ContainSubstring(`"progress":1`))
		fleet.Stop(5)
		g.Expect(viewOf(t, fleet, 0).Nodes).To(HaveLen(5))
		fleet.Replace(5)
		fleet.Start(5)
		fleet.WaitHealthy(5)
	})
	eventuallyShards(t, fleet, Equal(map[int][]int{0: {3}, 1: {4}, 2: {5}}), 0, 5)
}

func TestADrainThatIsTakenBackLeavesTheNodeInTheCluster(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	underLoad(t, fleet, func(g *WithT) {
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := fleet.Handler(short, 1, "drain")
		g.Expect(err).To(HaveOccurred())
		fleet.WaitHealthy()
	})
	eventuallyShards(t, fleet, HaveEach(Not(BeEmpty())), 0, 1)
}

func TestAReplicaTakesOverFromAPrimaryWhoseVolumeIsGone(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, Equal(map[int][]int{0: {3}, 1: {4}, 2: {5}}), 0)
	fleet.Stop(1)
	fleet.Replace(1)
	fleet.Start(1)
	fleet.WaitHealthy()
	eventuallyShards(t, fleet, Equal(map[int][]int{0: {3}, 4: {1}, 2: {5}}), 0, 1, 4)
}
