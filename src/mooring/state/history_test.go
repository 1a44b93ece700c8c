package state

import (
	"net/url"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// rewindable is an etcd of its own that can be taken back to where it was.
type rewindable struct {
	t    *testing.T
	cfg  EmbeddedConfig
	etcd *Embedded
}

func startRewindable(t *testing.T) *rewindable {
	r := &rewindable{t: t, cfg: EmbeddedConfig{Dir: t.TempDir() + "/data", ListenClient: "127.0.0.1:0"}}
	r.start()
	at, err := url.Parse(r.etcd.Endpoints()[0])
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	r.cfg.ListenClient = at.Host // the same after a restart
	t.Cleanup(func() { r.etcd.Close() })
	return r
}

func (r *rewindable) start() {
	var err error
	r.etcd, err = StartEmbedded(r.t.Context(), r.cfg)
	NewWithT(r.t).Expect(err).NotTo(HaveOccurred())
}

// backUp keeps the data as it is now.
func (r *rewindable) backUp() (dir string) {
	dir = r.t.TempDir() + "/backup"
	r.etcd.Close()
	NewWithT(r.t).Expect(os.CopyFS(dir, os.DirFS(r.cfg.Dir))).To(Succeed())
	r.start()
	return dir
}

func (r *rewindable) restore(backup string) {
	r.etcd.Close()
	g := NewWithT(r.t)
	g.Expect(os.RemoveAll(r.cfg.Dir)).To(Succeed())
	g.Expect(os.CopyFS(r.cfg.Dir, os.DirFS(backup))).To(Succeed())
	r.start()
}

func TestMirror_GoesBackWithARestoredEtcd(t *testing.T) {
	g := NewWithT(t)
	etcd := startRewindable(t)
	s := openAt(t, DefaultPrefix, etcd.etcd.Endpoints()...)
	kept := put(t, s, app("kept", 1))
	backup := etcd.backUp()
	var last int64
	for i := range 50 {
		tx := s.Snapshot().Txn()
		tx.Put(app("later", i))
		g.Eventually(func() (err error) { last, err = s.Commit(t.Context(), tx); return err }, "10s").Should(Succeed())
	}
	woken := make(chan error, 1)
	go func() { woken <- s.Wait(t.Context(), last) }()

	etcd.restore(backup)
	g.Eventually(func() *model.App { return s.Snapshot().App("later") }, "20s").Should(BeNil(), "what came after the backup is not there any more")
	g.Expect(s.Snapshot().App("kept")).NotTo(BeNil())
	g.Expect(s.Snapshot().Revision()).To(And(BeNumerically(">=", kept), BeNumerically("<", last)))
	g.Eventually(woken).Should(Receive(Succeed()), "whoever waits looks again")
	g.Expect(s.Wait(t.Context(), last)).To(Succeed(), "nor is what was seen before waited beyond")
	g.Expect(s.Reach(t.Context(), last+1000)).To(Succeed(), "what another node saw of it does not come")

	other := openAt(t, DefaultPrefix, etcd.etcd.Endpoints()...)
	catchUp(t, s, put(t, other, app("newest", 1)))
	g.Expect(s.Snapshot().App("newest")).NotTo(BeNil(), "and it goes on from there")
}

func TestReach_WaitsForWhatEtcdHas(t *testing.T) {
	g := NewWithT(t)
	prefix := prefixOf(t)
	ahead := open(t, prefix)
	wire := newWire(t, etcd.Endpoints()[0])
	behind := openAt(t, prefix, wire.endpoint())
	wire.cut()
	revision := put(t, ahead, app("a", 1))
	reached := make(chan error, 1)
	go func() { reached <- behind.Reach(t.Context(), revision) }()
	g.Consistently(reached, "100ms").ShouldNot(Receive(BeNil()), "a node that cannot ask does not say that there is nothing")
	wire.mend(etcd.Endpoints()[0])
	g.Eventually(func() error { return behind.Reach(t.Context(), revision) }, "20s").Should(Succeed())
	g.Expect(behind.Snapshot().App("a")).NotTo(BeNil())
}

func TestPresence_OfAnAgentNewerThanTheStateIsNotSuperseded(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	put(t, s, &model.Cell{ID: "c", Boot: "b", Start: "s1", Registration: 1}) // as the backup has it
	newer := &model.Presence{CellID: "c", Boot: "b", Start: "s2", Registration: 2}
	g.Expect(s.Keep(t.Context(), newer, time.Minute)).To(MatchError(ErrUnregistered))
	older := &model.Presence{CellID: "c", Boot: "b", Start: "s0"}
	g.Expect(s.Keep(t.Context(), older, time.Minute)).To(MatchError(ErrSuperseded))
}
