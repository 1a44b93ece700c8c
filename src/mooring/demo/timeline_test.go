package demo

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/watch"
)

func TestTheTimelineShowsWhoDidNotServeWhen(t *testing.T) {
	g := NewWithT(t)
	timeline := watch.Timeline{From: at(0), To: at(width), Indexes: []int{0, 1}, Spans: []watch.Span{outage(0, 2.5, 4.5), outage(0, 80, width)}}
	g.Expect(lane(timeline, 0, time.Second)).To(Equal("──███" + strings.Repeat("─", 75) + strings.Repeat("█", 10)))
	g.Expect(lane(timeline, 1, time.Second)).To(Equal(strings.Repeat("─", width)))
	g.Expect(axis(20*time.Second, time.Second)).To(Equal("0s        10s       20s"))
	g.Expect(axis(width*4*time.Second, 4*time.Second)).To(HavePrefix("0s        40s       80s       120s"))
}

func TestTheRarerSignIsShown(t *testing.T) {
	line := []rune(signs(at(0), time.Second, []mark{{at(1), 'K', ""}, {at(1.5), '|', ""}, {at(3), '|', ""}, {at(3.5), '!', ""}, {at(1000), '|', ""}}))
	g := NewWithT(t)
	g.Expect(line).To(HaveLen(width))
	g.Expect(strings.TrimRight(string(line), " ")).To(Equal(" K !"))
}

func TestTheSparkIsHighWhereMuchWasWritten(t *testing.T) {
	g := NewWithT(t)
	c := &counter{points: []point{{at(0), 0}, {at(10), 1000}, {at(20), 1000}, {at(30), 1500}}}
	g.Expect(c.at(at(5))).To(Equal(500.0))
	g.Expect(c.at(at(40))).To(Equal(1500.0))
	line := []rune(spark(at(0), time.Second, c.at))
	g.Expect(line[3]).To(Equal('█'))
	g.Expect(line[15]).To(Equal(' '))
	g.Expect(line[25]).To(Equal('▄'))
}
