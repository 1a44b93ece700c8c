package watch_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/watch"
)

// node answers as a Redis node would, as the test says.
type node struct {
	listener net.Listener
	lock     sync.Mutex
	answers  string
	mute     bool
}

const (
	primary = "+PONG\r\n$16\r\ncluster_state:ok\r\n*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n"
	replica = "+PONG\r\n$16\r\ncluster_state:ok\r\n*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:7\r\n"
	behind  = "+PONG\r\n$16\r\ncluster_state:ok\r\n*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$4\r\nsync\r\n:-1\r\n"
	apart   = "+PONG\r\n$18\r\ncluster_state:fail\r\n*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n"
	loading = "-LOADING wait\r\n-LOADING wait\r\n*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n"
)

func serve(t *testing.T, address string) *node {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{listener: listener, answers: primary}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go n.talk(conn)
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return n
}

func (n *node) talk(conn net.Conn) {
	defer conn.Close()
	asked := bufio.NewReader(conn)
	for {
		line, err := asked.ReadString('\n')
		if err != nil {
			return
		}
		n.lock.Lock()
		answers, mute := n.answers, n.mute
		n.lock.Unlock()
		if strings.TrimSpace(line) == "ROLE" && !mute {
			if _, err := conn.Write([]byte(answers)); err != nil {
				return
			}
		}
	}
}

func (n *node) say(answers string) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.answers = answers
}

func (n *node) silence(mute bool) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.mute = mute
}

func TestEveryWayNotToServeIsSeen(t *testing.T) {
	g := NewWithT(t)
	a, b := serve(t, "127.0.0.1:0"), serve(t, "127.0.0.1:0")
	var lock sync.Mutex
	addresses := map[int]string{0: a.listener.Addr().String(), 1: b.listener.Addr().String()}
	watcher := watch.Start(t.Context(), watch.Config{Interval: time.Millisecond, Silence: 100 * time.Millisecond, Addresses: func() map[int]string {
		lock.Lock()
		defer lock.Unlock()
		return map[int]string{0: addresses[0], 1: addresses[1]}
	}})
	// A span that has not ended ends with the timeline, so look just before.
	down := func() []int {
		timeline := watcher.Timeline()
		return timeline.Down(timeline.To.Add(-time.Nanosecond))
	}
	last := func() []string {
		spans := watcher.Timeline().Of(0)
		return spans[len(spans)-1].Causes
	}
	move := func(address string) {
		lock.Lock()
		defer lock.Unlock()
		addresses[0] = address
	}
	home := addresses[0]

	g.Consistently(down).WithTimeout(50 * time.Millisecond).Should(BeEmpty())
	for cause, do := range map[string][2]func(){
		watch.Loading: {func() { a.say(loading) }, func() { a.say(primary) }},
		watch.Apart:   {func() { a.say(apart) }, func() { a.say(replica) }},
		watch.Behind:  {func() { a.say(behind) }, func() { a.say(replica) }},
		watch.Silent:  {func() { a.silence(true) }, func() { a.silence(false) }},
		watch.Refused: {func() { move("127.0.0.1:1") }, func() { move(home) }},
		watch.Nowhere: {func() { move("") }, func() { move(home) }},
	} {
		do[0]()
		g.Eventually(down).Should(Equal([]int{0}), cause)
		g.Eventually(func() []watch.Span { return watcher.Timeline().Of(0) }).Should(ContainElement(HaveField("Causes", ContainElement(cause))), cause)
		do[1]()
		g.Eventually(down).Should(BeEmpty(), cause)
		g.Expect(last()).To(Equal([]string{cause}))
	}
	timeline := watcher.Stop()
	g.Expect(timeline.Indexes).To(Equal([]int{0, 1}))
	g.Expect(timeline.Of(1)).To(BeEmpty())
	most, _ := timeline.Most()
	g.Expect(most).To(Equal(1))
}

func TestTheMostAtOnceIsFoundWhereSpansOverlap(t *testing.T) {
	g := NewWithT(t)
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	timeline := watch.Timeline{Spans: []watch.Span{
		{Index: 0, From: at(0), To: at(10)},
		{Index: 1, From: at(10), To: at(20)}, // begins where the last one ends
		{Index: 2, From: at(15), To: at(30)},
		{Index: 3, From: at(18), To: at(19)},
	}}
	most, when := timeline.Most()
	g.Expect(most).To(Equal(3))
	g.Expect(when).To(Equal(at(18)))
	g.Expect(timeline.Down(at(10))).To(Equal([]int{1}))
	g.Expect(timeline.Down(at(31))).To(BeEmpty())
	most, _ = watch.Timeline{}.Most()
	g.Expect(most).To(BeZero())
}
