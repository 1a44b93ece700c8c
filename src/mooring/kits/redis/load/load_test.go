package load

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/redis/go-redis/v9"

	"mooring/kits/redis/nodetest"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

func TestSlotsAreRedisOwn(t *testing.T) {
	g := NewWithT(t)
	g.Expect(slotOf("123456789")).To(Equal(0x31C3)) // from the Redis Cluster specification
	g.Expect(slotOf("foo")).To(Equal(12182))
}

func TestEveryKeyHasOneWriter(t *testing.T) {
	g := NewWithT(t)
	keys := make([]*key, 7)
	for i := range keys {
		keys[i] = &key{}
	}
	seen := map[*key]int{}
	for _, hand := range deal(keys, 3) {
		g.Expect(hand).NotTo(BeEmpty())
		for _, k := range hand {
			seen[k]++
		}
	}
	g.Expect(seen).To(HaveLen(7))
	g.Expect(deal(keys, 20)).To(HaveLen(7))
}

func TestAnAnswerIsJudgedByWhatWasAcknowledgedAndIssued(t *testing.T) {
	k := &key{name: "k"}
	answer := func(v int64) []redis.XMessage {
		return []redis.XMessage{{ID: entryID(v), Values: map[string]any{"v": k.value(v)}}}
	}
	for _, c := range []struct {
		name        string
		answer      []redis.XMessage
		least, most int64
		fault       string
	}{
		{"nothing was written", nil, 0, 0, ""},
		{"the last acknowledged", answer(3), 3, 3, ""},
		{"one that was issued meanwhile", answer(4), 3, 4, ""},
		{"one that is too old", answer(2), 3, 4, "2"},
		{"nothing at all", nil, 1, 1, "0"},
		{"one that was never issued", answer(5), 3, 4, "5"},
		{"another content", []redis.XMessage{{ID: "3-0", Values: map[string]any{"v": "k=2"}}}, 3, 3, "k=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault := judge(k, c.answer, c.least, c.most)
			if c.fault == "" {
				NewWithT(t).Expect(fault).To(BeEmpty())
			} else {
				NewWithT(t).Expect(fault).To(ContainSubstring(c.fault))
			}
		})
	}
}

func TestTheLongestTimeWithoutSuccessIsKept(t *testing.T) {
	g := NewWithT(t)
	var m meter
	start := time.Now()
	m.start(start)
	for _, ms := range []int{10, 20, 90, 100, 140} {
		m.succeeded(start.Add(time.Duration(ms) * time.Millisecond))
	}
	longest, from := m.worst()
	g.Expect(longest).To(Equal(70 * time.Millisecond))
	g.Expect(from).To(Equal(start.Add(20 * time.Millisecond)))
}

func TestLostAndWrongWritesAreFound(t *testing.T) {
	g := NewWithT(t)
	fleet := nodetest.New(t, 1)
	fleet.StartAll()
	l, err := Start(t.Context(), Config{Addresses: []string{fleet.Address(0)}, KeysPerShard: 4})
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	g.Eventually(func() int64 { return l.Report().WritesAcknowledged }).WithTimeout(20 * time.Second).Should(BeNumerically(">", 100))
	l.Stop()
	report, err := l.Verify(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.WritesLost).To(BeZero(), "%v", report.Faults)
	g.Expect(report.ReadsWrong).To(BeZero(), "%v", report.Faults)

	// A cluster that forgets one write in the middle and makes one up.
	conn := redis.NewClient(&redis.Options{Addr: fleet.Address(0)})
	defer conn.Close()
	victim := l.shards[0].keys[2]
	g.Expect(conn.XDel(t.Context(), victim.name, "3-0").Err()).To(Succeed())
	g.Expect(conn.XAdd(t.Context(), &redis.XAddArgs{Stream: victim.name, ID: "999999-0", Values: []string{"v", "x"}}).Err()).To(Succeed())
	report, err = l.Verify(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.WritesLost).To(Equal(int64(1)))
	g.Expect(report.ReadsWrong).To(Equal(int64(1)))
}

func TestARequestThatNeverSucceedsHasFailed(t *testing.T) {
	g := NewWithT(t)
	fleet := nodetest.New(t, 1)
	fleet.StartAll()
	l, err := Start(t.Context(), Config{Addresses: []string{fleet.Address(0)}, GiveUp: 200 * time.Millisecond})
	g.Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	fleet.Stop(0)
	g.Eventually(func() int64 { return l.Report().RequestsFailed }).WithTimeout(20 * time.Second).Should(BeNumerically(">", 0))
	fleet.Start(0)
	before := l.Report().WritesAcknowledged
	g.Eventually(func() int64 { return l.Report().WritesAcknowledged }).WithTimeout(20 * time.Second).Should(BeNumerically(">", before))
	l.Stop()
	report, err := l.Verify(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.WritesLost).To(BeZero(), "a write that failed may be there or not: %v", report.Faults)
	g.Expect(report.LongestUnavailable).To(BeNumerically(">=", 200*time.Millisecond))
}

func TestACompleteClusterIsNeeded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := Start(ctx, Config{Addresses: []string{"127.0.0.1:1"}})
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("127.0.0.1:1")))
}
