package node_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/redis/go-redis/v9"

	"mooring/kits/redis/cluster"
	"mooring/kits/redis/load"
	"mooring/kits/redis/nodetest"
	"mooring/kits/redis/watch"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// viewOf is how an instance sees the cluster, nil when it does not answer.
func viewOf(t *testing.T, fleet *nodetest.Fleet, index int) *cluster.View {
	conn := redis.NewClient(&redis.Options{Addr: fleet.Address(index)})
	defer conn.Close()
	text, err := conn.ClusterNodes(t.Context()).Result()
	if err != nil {
		return nil
	}
	view, err := cluster.ParseView(text)
	if err != nil {
		t.Errorf("instance %d: %v", index, err)
	}
	return view
}

// shards gives who replicates whom, as an instance sees it: the indexes of the
// replicas of each index that owns slots.
func shards(t *testing.T, fleet *nodetest.Fleet, index int) map[int][]int {
	view := viewOf(t, fleet, index)
	if view == nil || len(view.Unowned()) > 0 {
		return nil
	}
	found := map[int][]int{}
	for _, primary := range view.Primaries() {
		found[primary.Identity.Index] = nil
		for _, replica := range view.Replicas(primary.ID) {
			found[primary.Identity.Index] = append(found[primary.Identity.Index], replica.Identity.Index)
		}
	}
	return found
}

// eventuallyShards waits until instances agree on who replicates whom.
func eventuallyShards(t *testing.T, fleet *nodetest.Fleet, match OmegaMatcher, indexes ...int) {
	t.Helper()
	for _, index := range indexes {
		NewWithT(t).Eventually(func() map[int][]int { return shards(t, fleet, index) }).WithTimeout(30*time.Second).Should(match, "as instance %d sees it", index)
	}
}

// pairs matches three shards of one primary and one replica each.
var pairs = And(HaveLen(3), HaveEach(HaveLen(1)))

// underLoad lets something happen while a load runs, and expects that nothing
// was lost, wrong or failed.
func underLoad(t *testing.T, fleet *nodetest.Fleet, happens func(g *WithT)) watch.Timeline {
	t.Helper()
	g := NewWithT(t)
	var seeds []string
	for _, address := range fleet.Addresses() {
		seeds = append(seeds, address)
	}
	watcher := watch.Start(t.Context(), watch.Config{Addresses: fleet.Addresses})
	running, err := load.Start(t.Context(), load.Config{Addresses: seeds})
	g.Expect(err).NotTo(HaveOccurred())
	defer running.Close()
	written := func() int64 { return running.Report().WritesAcknowledged }
	g.Eventually(written).WithTimeout(20 * time.Second).Should(BeNumerically(">", 300))
	happens(g)
	before := written()
	g.Eventually(written).WithTimeout(20 * time.Second).Should(BeNumerically(">", before+300))
	running.Stop()
	timeline := watcher.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	report, err := running.Verify(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("%d writes, %d reads, longest unavailable %s", report.WritesAcknowledged, report.ReadsDone, report.LongestUnavailable)
	for _, span := range timeline.Spans {
		t.Logf("instance %d did not serve for %s: %v", span.Index, span.To.Sub(span.From), span.Causes)
	}
	g.Expect(report.WritesLost).To(BeZero(), "%v", report.Faults)
	g.Expect(report.ReadsWrong).To(BeZero(), "%v", report.Faults)
	g.Expect(report.RequestsFailed).To(BeZero(), "%v", report.Faults)
	return timeline
}

func TestSixInstancesFormThreeShardsAcrossZones(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	// Instances alternate between two AZs.
	eventuallyShards(t, fleet, Equal(map[int][]int{0: {3}, 1: {4}, 2: {5}}), 0, 1, 2, 3, 4, 5)
}

func TestAnInterruptOfEachInstanceInTurnLosesNothing(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	timeline := underLoad(t, fleet, func(g *WithT) {
		for index := range 6 {
			out, err := fleet.Handler(t.Context(), index, "interrupt")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(out).To(ContainSubstring(`"progress":1`))
			g.Expect(shards(t, fleet, index)).NotTo(HaveKey(index), "it is no primary any more")
			fleet.Stop(index)
			fleet.Start(index)
			fleet.WaitHealthy(index)
		}
	})
	g := NewWithT(t)
	most, _ := timeline.Most()
	g.Expect(most).To(Equal(1))
	eventuallyShards(t, fleet, pairs, 0, 5)
}

func TestAKilledPrimaryComesBackWithEveryWrite(t *testing.T) {
	for _, victim := range []string{"server", "launcher"} {
		t.Run(victim, func(t *testing.T) {
			fleet := nodetest.New(t, 6)
			fleet.StartAll()
			underLoad(t, fleet, func(g *WithT) {
				for range 3 {
					if victim == "server" {
						fleet.KillServer(1)
					} else {
						fleet.KillLauncher(1)
					}
					fleet.WaitHealthy(1, 4)
				}
				g.Expect(shards(t, fleet, 1)).To(HaveKey(1), "no replica was promoted meanwhile")
			})
		})
	}
}

func TestAKilledReplicaInterruptsNobody(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	timeline := underLoad(t, fleet, func(g *WithT) {
		fleet.KillServer(4)
		fleet.WaitHealthy(4)
	})
	for _, span := range timeline.Spans {
		NewWithT(t).Expect(span.Index).To(Equal(4))
	}
}

func TestANodeThatComesBackWithAnotherAddressIsFoundAgain(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	underLoad(t, fleet, func(g *WithT) {
		for _, index := range []int{0, 4} {
			_, err := fleet.Handler(t.Context(), index, "interrupt")
			g.Expect(err).NotTo(HaveOccurred())
			fleet.Stop(index)
			fleet.Move(index)
			fleet.Start(index)
			fleet.WaitHealthy(index)
		}
	})
	eventuallyShards(t, fleet, pairs, 0, 1, 2, 3, 4, 5)
}

func TestAllComeBackWithOtherAddresses(t *testing.T) {
	g := NewWithT(t)
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0)
	conn := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{fleet.Address(0)}})
	g.Expect(conn.Set(t.Context(), "greeting", "hello", 0).Err()).To(Succeed())
	conn.Close()
	for index := range 6 {
		fleet.Stop(index)
		fleet.Move(index)
	}
	fleet.StartAll()
	eventuallyShards(t, fleet, pairs, 0, 5)
	conn = redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{fleet.Address(0)}})
	defer conn.Close()
	g.Expect(conn.Get(t.Context(), "greeting").Val()).To(Equal("hello"))
}

func TestARestartNeedsNobodyToAsk(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	fleet.Mute.Store(true)
	underLoad(t, fleet, func(g *WithT) {
		_, err := fleet.Handler(t.Context(), 2, "interrupt")
		g.Expect(err).NotTo(HaveOccurred())
		fleet.Stop(2)
		fleet.Start(2)
		fleet.WaitHealthy(2)
		fleet.KillServer(1)
		fleet.WaitHealthy(1, 4)
	})
}
