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

func TestARecordThatCannotBeReadStopsTheMirror(t *testing.T) {
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
		"event without place":  {"events/x", `{"format":1,"data":{}}`, "place"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			prefix := prefixOf(t)
			s := open(t, prefix)
			good := put(t, s, app("a", 1))
			_, err := raw(t).Put(t.Context(), prefix+test.key, test.value)
			g.Expect(err).NotTo(HaveOccurred())

			says := And(ContainSubstring(prefix+test.key), ContainSubstring(test.says))
			g.Expect(s.Wait(t.Context(), good)).To(MatchError(says))
			g.Expect(s.Err()).To(MatchError(says))
			g.Expect(s.Snapshot().Revision()).To(Equal(good), "the last state that could be read stays")
			tx := s.Snapshot().Txn()
			tx.Put(app("b", 1))
			_, err = s.Commit(t.Context(), tx)
			g.Expect(err).To(MatchError(says))

			_, err = Open(t.Context(), Config{Endpoints: etcd.Endpoints(), Prefix: prefix})
			g.Expect(err).To(MatchError(says))
			var record *RecordError
			g.Expect(err).To(BeAssignableToTypeOf(record))
		})
	}
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
		go func() { io.Copy(in, out); in.Close() }()
		go func() { io.Copy(out, in); out.Close() }()
	}
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
