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

// TestLeavingTheCluster tells how nodes of one cluster go for good: each part
// begins with a whole cluster of three shards and must leave one.
func TestLeavingTheCluster(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	for _, part := range []struct {
		name string
		run  func(*testing.T, *nodetest.Fleet)
	}{
		{"a drained replica is forgotten", drainedReplica},
		{"a replica takes over from a primary whose volume is gone", lostVolume},
		{"a drained primary leaves all its data to the others", drainedPrimary},
		{"a drain that is taken back leaves the node in the cluster", drainTakenBack},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, fleet) }) {
			return
		}
	}
}

// known are the indexes of the nodes that an instance knows.
func known(t *testing.T, fleet *nodetest.Fleet, index int) []int {
	var indexes []int
	for _, node := range viewOf(t, fleet, index).Nodes {
		indexes = append(indexes, node.Identity.Index)
	}
	return indexes
}

// rest are the indexes besides one.
func rest(index int) []int {
	var others []int
	for other := range 6 {
		if other != index {
			others = append(others, other)
		}
	}
	return others
}

func drainedReplica(t *testing.T, fleet *nodetest.Fleet) {
	primary, replica := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		out, err := fleet.Handler(t.Context(), replica, "drain")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(out).To(ContainSubstring(`"progress":1`))
		fleet.Stop(replica)
		for _, other := range rest(replica) {
			g.Expect(known(t, fleet, other)).To(ConsistOf(rest(replica)), "instance %d has forgotten the node", other)
		}
		fleet.Replace(replica)
		fleet.Start(replica)
		fleet.WaitHealthy(replica)
	})
	eventuallyShards(t, fleet, And(pairs, HaveKeyWithValue(primary, []int{replica})), 0, 1, 2, 3, 4, 5)
}

func lostVolume(t *testing.T, fleet *nodetest.Fleet) {
	primary, replica := pair(t, fleet)
	fleet.Stop(primary)
	fleet.Replace(primary)
	fleet.Start(primary)
	fleet.WaitHealthy()
	eventuallyShards(t, fleet, And(pairs, HaveKeyWithValue(replica, []int{primary})), 0, 1, 2, 3, 4, 5)
	for index := range 6 {
		NewWithT(t).Eventually(func() []int { return known(t, fleet, index) }).WithTimeout(20*time.Second).Should(ConsistOf(0, 1, 2, 3, 4, 5), "instance %d has forgotten the old node", index)
	}
}

func drainedPrimary(t *testing.T, fleet *nodetest.Fleet) {
	primary, _ := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		// The handler dies in the middle and is begun again.
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := fleet.Handler(short, primary, "drain")
		cancel()
		g.Expect(err).To(HaveOccurred())

		out, err := fleet.Handler(t.Context(), primary, "drain")
		g.Expect(err).NotTo(HaveOccurred())
		done, messages := progressOf(g, out)
		for i := 1; i < len(done); i++ {
			g.Expect(done[i]).To(BeNumerically(">=", done[i-1]), "progress grows: %s", out)
		}
		g.Expect(done[len(done)-1]).To(Equal(1.0))
		g.Expect(messages).To(ContainElement(MatchRegexp(`^\d+ of \d+ slots moved$`)))
		for _, other := range rest(primary) {
			g.Expect(viewOf(t, fleet, other).Unowned()).To(BeEmpty())
			g.Expect(known(t, fleet, other)).To(ConsistOf(rest(primary)), "instance %d has forgotten the node", other)
		}
		fleet.Stop(primary)

		// Its replacement begins with an empty volume somewhere else.
		fleet.Replace(primary)
		fleet.Start(primary)
		fleet.WaitHealthy(primary)
	})
	eventuallyShards(t, fleet, And(pairs, HaveKey(primary)), 0, 1, 2, 3, 4, 5)
}

func drainTakenBack(t *testing.T, fleet *nodetest.Fleet) {
	primary, _ := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := fleet.Handler(short, primary, "drain")
		g.Expect(err).To(HaveOccurred())
		fleet.WaitHealthy()
	})
	eventuallyShards(t, fleet, HaveEach(Not(BeEmpty())), 0, 1, 2, 3, 4, 5)
}
