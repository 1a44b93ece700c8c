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

// pair gives one instance that owns slots and its replica.
func pair(t *testing.T, fleet *nodetest.Fleet) (primary, replica int) {
	t.Helper()
	eventuallyShards(t, fleet, pairs, 0, 1, 2, 3, 4, 5)
	for primary, replicas := range shards(t, fleet, 0) {
		return primary, replicas[0]
	}
	panic("three shards have no first")
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
	running, err := load.Start(t.Context(), load.Config{Addresses: seeds, Prefix: t.Name()})
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

// TestACluster tells the life of one cluster: each part begins with a whole
// cluster of three shards and must leave one.
func TestACluster(t *testing.T) {
	fleet := nodetest.New(t, 6)
	fleet.StartAll()
	for _, part := range []struct {
		name string
		run  func(*testing.T, *nodetest.Fleet)
	}{
		{"six instances form three shards across zones", formsAcrossZones},
		{"an interrupt of each instance in turn loses nothing", interruptsInTurn},
		{"a killed primary comes back with every write", killedPrimary},
		{"a killed replica interrupts nobody", killedReplica},
		{"a restart needs nobody to ask", nobodyToAsk},
		{"kills at any moment of interrupts lose nothing", killsDuringInterrupts},
		{"a node that comes back with another address is found again", anotherAddress},
		{"all come back with other addresses", allMove},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, fleet) }) {
			return
		}
	}
}

func formsAcrossZones(t *testing.T, fleet *nodetest.Fleet) {
	// Instances alternate between two AZs.
	eventuallyShards(t, fleet, Equal(map[int][]int{0: {3}, 1: {4}, 2: {5}}), 0, 1, 2, 3, 4, 5)
}

func interruptsInTurn(t *testing.T, fleet *nodetest.Fleet) {
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
	most, _ := timeline.Most()
	NewWithT(t).Expect(most).To(Equal(1))
}

func killedPrimary(t *testing.T, fleet *nodetest.Fleet) {
	primary, replica := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		for _, kill := range []func(int){fleet.KillServer, fleet.KillLauncher, fleet.KillServer} {
			kill(primary)
			fleet.WaitHealthy(primary, replica)
		}
		g.Expect(shards(t, fleet, primary)).To(HaveKey(primary), "no replica was promoted meanwhile")
	})
}

func killedReplica(t *testing.T, fleet *nodetest.Fleet) {
	_, replica := pair(t, fleet)
	timeline := underLoad(t, fleet, func(*WithT) {
		fleet.KillServer(replica)
		fleet.WaitHealthy(replica)
	})
	NewWithT(t).Expect(timeline.Spans).To(HaveEach(HaveField("Index", replica)))
}

func nobodyToAsk(t *testing.T, fleet *nodetest.Fleet) {
	fleet.Mute.Store(true)
	defer fleet.Mute.Store(false)
	primary, replica := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		_, err := fleet.Handler(t.Context(), primary, "interrupt")
		g.Expect(err).NotTo(HaveOccurred())
		fleet.Stop(primary)
		fleet.Start(primary)
		fleet.WaitHealthy(primary)
		fleet.KillServer(replica) // it is primary now
		fleet.WaitHealthy(primary, replica)
	})
}

func anotherAddress(t *testing.T, fleet *nodetest.Fleet) {
	primary, _ := pair(t, fleet)
	underLoad(t, fleet, func(g *WithT) {
		for _, index := range []int{primary, (primary + 1) % 6} {
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

func allMove(t *testing.T, fleet *nodetest.Fleet) {
	g := NewWithT(t)
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
