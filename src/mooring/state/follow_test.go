package state

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestWaitReturnsOnChangeAndWithItsContext(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	revision := put(t, s, app("a", 1))
	g.Expect(s.Wait(t.Context(), revision-1)).To(Succeed(), "it is past that already")

	woken := make(chan error, 1)
	seen := make(chan int64, 1)
	go func() {
		err := s.Wait(t.Context(), revision)
		seen <- s.Snapshot().Revision()
		woken <- err
	}()
	g.Consistently(woken, "50ms").ShouldNot(Receive())
	changed := put(t, s, app("a", 2))
	g.Eventually(woken).Should(Receive(Succeed()))
	g.Expect(seen).To(Receive(BeNumerically(">=", changed)), "not before the change is there")

	ctx, cancel := context.WithCancel(t.Context())
	go func() { woken <- s.Wait(ctx, s.Snapshot().Revision()) }()
	cancel()
	g.Eventually(woken).Should(Receive(MatchError(context.Canceled)))

	go func() { woken <- s.Wait(t.Context(), s.Snapshot().Revision()) }()
	g.Expect(s.Close()).To(Succeed())
	g.Eventually(woken).Should(Receive(MatchError(ErrClosed)))
	g.Expect(s.Snapshot().App("a").Instances).To(Equal(2), "what was seen stays readable")
	_, err := s.Commit(t.Context(), s.Snapshot().Txn())
	g.Expect(err).To(MatchError(ErrClosed))
}

func TestMirrorCatchesUpAfterADisconnection(t *testing.T) {
	for name, compact := range map[string]bool{"history kept": false, "history compacted": true} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			near := open(t, prefix)
			wire := newWire(t, etcd.Endpoints()[0])
			far := openAt(t, prefix, wire.endpoint())
			tx := near.Snapshot().Txn()
			tx.Put(app("changed", 1))
			tx.Put(app("deleted", 1))
			tx.Event(said("before"))
			revision, err := near.Commit(t.Context(), tx)
			g.Expect(err).NotTo(HaveOccurred())
			catchUp(t, far, revision)
			held := far.Snapshot()

			wire.cut()
			tx = near.Snapshot().Txn()
			tx.Put(app("changed", 2))
			tx.Put(app("added", 1))
			tx.Delete(app("deleted", 1))
			tx.Event(said("after"))
			_, err = near.Commit(t.Context(), tx)
			g.Expect(err).NotTo(HaveOccurred())
			revision = put(t, near, app("later", 1)) // etcd keeps what it is compacted at
			if compact {
				_, err := raw(t).Compact(t.Context(), revision)
				g.Expect(err).NotTo(HaveOccurred())
			}
			g.Expect(far.Snapshot().Revision()).To(Equal(held.Revision()), "it cannot know yet")
			g.Expect(far.Err()).NotTo(HaveOccurred(), "out of reach is no failure")
			wire.mend(etcd.Endpoints()[0])

			catchUp(t, far, revision)
			g.Expect(keys(far.Snapshot().Apps())).To(Equal([]string{"apps/added", "apps/changed", "apps/later"}))
			g.Expect(far.Snapshot().App("changed").Instances).To(Equal(2))
			g.Expect(far.Snapshot().Events("", 0)).To(Equal(near.Snapshot().Events("", 0)))
			g.Expect(keys(held.Apps())).To(Equal([]string{"apps/changed", "apps/deleted"}))
			catchUp(t, near, put(t, far, app("changed", 3)))
		})
	}
}

func TestMirror_StopsAtARecordThatCannotBeReadUntilItIsMended(t *testing.T) {
	for name, test := range map[string]struct{ key, value, says string }{
		"not JSON":             {"apps/x", `{"format":1,"da`, "corrupt"},
		"empty":                {"apps/x", ``, "corrupt"},
		"no format":            {"apps/x", `{"data":{"guid":"x"}}`, "no format"},
		"no data":              {"apps/x", `{"format":1}`, "no data"},
		"null":                 {"apps/x", `{"format":1,"data":null}`, "no data"},
		"newer format":         {"apps/x", `{"format":2,"data":{"guid":"x"}}`, "format 2"},
		"wrong type":           {"apps/x", `{"format":1,"data":{"guid":7}}`, "guid"},
		"another key's record": {"apps/x", `{"format":1,"data":{"guid":"y"}}`, "apps/y"},
		"newer kind of record": {"wizards/x", `{"format":2,"data":{}}`, "format 2 and this version knows formats up to 1; upgrade this node"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			s := open(t, prefix)
			good := put(t, s, app("a", 1))
			_, err := raw(t).Put(t.Context(), prefix+test.key, test.value)
			g.Expect(err).NotTo(HaveOccurred())

			says := And(ContainSubstring(prefix+test.key), ContainSubstring(test.says))
			g.Eventually(s.Err, "5s", "10ms").Should(MatchError(says))
			g.Expect(s.Snapshot().Revision()).To(Equal(good), "the last state that could be read stays")
			tx := s.Snapshot().Txn()
			tx.Put(app("b", 1))
			_, err = s.Commit(t.Context(), tx)
			g.Expect(err).To(MatchError(says))

			_, err = Open(t.Context(), Config{Endpoints: etcd.Endpoints(), Prefix: prefix})
			g.Expect(err).To(MatchError(says))
			var record *RecordError
			g.Expect(err).To(BeAssignableToTypeOf(record))

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			g.Expect(s.WaitToFollow(ctx)).To(MatchError(context.DeadlineExceeded), "nobody decides")
			g.Expect(s.Keep(t.Context(), &model.Presence{CellID: "c", Boot: "b", Start: "s"}, time.Minute)).
				To(Succeed(), "cells are kept")

			waited := make(chan error, 1)
			go func() { waited <- s.Wait(t.Context(), good) }()
			opened := make(chan *Store, 1)
			go func() {
				later, err := OpenWhenReachable(t.Context(), Config{Endpoints: etcd.Endpoints(), Prefix: prefix}, func(error) {})
				if err != nil {
					t.Error(err)
				}
				opened <- later
			}()
			_, err = raw(t).Put(t.Context(), prefix+"apps/y", `{"format":2}`)
			g.Expect(err).NotTo(HaveOccurred())
			_, err = raw(t).Put(t.Context(), prefix+test.key, `{"format":1,"data":{"guid":"x"}}`)
			g.Expect(err).NotTo(HaveOccurred())
			g.Eventually(s.Err, "5s", "10ms").Should(MatchError(ContainSubstring("apps/y")), "the next one")
			_, err = raw(t).Delete(t.Context(), prefix+"apps/y")
			g.Expect(err).NotTo(HaveOccurred())
			g.Eventually(waited, "5s").Should(Receive(Succeed()))
			g.Expect(s.Err()).NotTo(HaveOccurred())
			g.Expect(s.WaitToFollow(t.Context())).To(Succeed())
			g.Expect(s.Snapshot().Presence("c")).NotTo(BeNil())
			put(t, s, app("b", 1))
			var later *Store
			g.Eventually(opened, "5s").Should(Receive(&later))
			g.Expect(later.Close()).To(Succeed())
		})
	}
}

func TestMirror_PassesOverWhatDecidesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		key, value string
		mended     model.Record // nil where it is only ever deleted
	}{
		"statistics":          {"durations/hosts", `{"format":2,"data":{}}`, &model.Durations{Subject: "hosts"}},
		"delivery":            {"deliveries/ops", `{"format":1,"da`, &model.Delivery{Receiver: "ops"}},
		"event":               {"events/000000000001-abc-00000", `{"format":1,"data":{"kind":7}}`, nil},
		"event without place": {"events/x", `{"format":1,"data":{}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			s := open(t, prefix)
			put(t, s, app("a", 1))
			_, err := raw(t).Put(t.Context(), prefix+test.key, test.value)
			g.Expect(err).NotTo(HaveOccurred())
			put(t, s, app("a", 2))
			named := func(s *Store) []string {
				var keys []string
				for _, record := range s.Snapshot().Unreadable() {
					keys = append(keys, record.Key)
				}
				return keys
			}
			g.Expect(s.Err()).NotTo(HaveOccurred())
			for _, node := range []*Store{s, open(t, prefix)} {
				g.Expect(node.Snapshot().App("a").Instances).To(Equal(2))
				g.Expect(named(node)).To(Equal([]string{prefix + test.key}))
			}
			g.Expect(s.Snapshot().Events("", 0)).To(BeEmpty())

			if test.mended != nil {
				put(t, s, test.mended) // who writes it anew is not in a conflict
			} else {
				got, err := raw(t).Delete(t.Context(), prefix+test.key)
				g.Expect(err).NotTo(HaveOccurred())
				catchUp(t, s, got.Header.Revision)
			}
			g.Expect(named(s)).To(BeEmpty())
		})
	}
}

func TestAge_GrowsWhileEtcdIsOutOfReach(t *testing.T) {
	g := NewWithT(t)
	wire := newWire(t, etcd.Endpoints()[0])
	s := openAt(t, prefixOf(t), wire.endpoint())
	g.Consistently(s.Age, "3s", "50ms").Should(BeNumerically("<", 3*time.Second), "also while nothing changes")
	wire.cut()
	g.Eventually(s.Age, "10s", "50ms").Should(BeNumerically(">", 4*time.Second))
	wire.mend(etcd.Endpoints()[0])
	g.Eventually(s.Age, "10s", "50ms").Should(BeNumerically("<", 2*time.Second))
}

// While the control nodes are updated one after the other, and after a step
// back, this version reads what a newer one writes.
func TestWhatANewerVersionAddsIsPassedOver(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	s := open(t, prefix)
	newer := func(key, value string) int64 {
		got, err := raw(t).Put(t.Context(), prefix+key, value)
		g.Expect(err).NotTo(HaveOccurred())
		return got.Header.Revision
	}
	newer("wizards/x", `{"format":1,"data":{"wand":"oak"}}`)
	last := newer("apps/x", `{"format":1,"data":{"guid":"x","instances":3,"hue":"red","policy":{"whims":[1]}}}`)
	g.Expect(s.Reach(t.Context(), last)).To(Succeed())
	read := s.Snapshot().App("x")
	g.Expect(read.Instances).To(Equal(3), "what is known is read")

	tx := s.Snapshot().Txn()
	changed := *read
	changed.Instances = 4
	tx.Put(&changed)
	_, err := s.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred(), "and can be changed")

	_, err = raw(t).Delete(t.Context(), prefix+"wizards/x")
	g.Expect(err).NotTo(HaveOccurred())
	catchUp(t, s, put(t, s, app("y", 1)))
	again := open(t, prefix)
	g.Expect(again.Snapshot().App("x").Instances).To(Equal(4))
}

func TestOpenSaysWhichEtcdItCannotReach(t *testing.T) {
	g := NewWithT(t)
	_, err := Open(t.Context(), Config{Endpoints: []string{"http://127.0.0.1:1"}, DialTimeout: 200 * time.Millisecond})
	g.Expect(err).To(MatchError(And(ContainSubstring("http://127.0.0.1:1"), ContainSubstring("is it running"))))
}

// wire is a TCP connection to etcd that can be cut.
type wire struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	down   bool
	deaf   chan struct{} // while it is not nil, answers wait for it to be closed
	heard  int           // how often something was answered
	conns  []net.Conn
}

func newWire(t *testing.T, endpoint string) *wire {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener}
	w.mend(endpoint)
	go w.serve()
	t.Cleanup(func() { listener.Close(); w.cut() })
	return w
}

func (w *wire) endpoint() string { return "http://" + w.listener.Addr().String() }

func (w *wire) serve() {
	for {
		in, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		target, down := w.target, w.down
		w.mu.Unlock()
		if down {
			in.Close()
			continue
		}
		out, err := net.Dial("tcp", target)
		if err != nil {
			in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		go func() { io.Copy(in, answers{w, out}); in.Close() }()
		go func() { io.Copy(out, in); out.Close() }()
	}
}

// answers are what etcd sends over a wire.
type answers struct {
	wire *wire
	from io.Reader
}

func (a answers) Read(into []byte) (int, error) {
	n, err := a.from.Read(into)
	a.wire.mu.Lock()
	deaf := a.wire.deaf
	a.wire.heard++
	a.wire.mu.Unlock()
	if deaf != nil {
		<-deaf
	}
	return n, err
}

// deafen lets requests through and holds the answers back, until the test ends.
func (w *wire) deafen(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deaf := make(chan struct{})
	w.deaf = deaf
	t.Cleanup(func() { close(deaf) })
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}

// mend lets connections through again, to the etcd at endpoint.
func (w *wire) mend(endpoint string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.target = false, strings.TrimPrefix(endpoint, "http://")
}
