package state

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/zap"

	"mooring/model"
)

func TestStartEmbeddedSaysWhyItCannotAndWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ruined := filepath.Join(t.TempDir(), "ruined")
	if err := os.MkdirAll(filepath.Join(ruined, "member", "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ruined, "member", "snap", "db"), bytes.Repeat([]byte("junk"), 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	dirInUse := etcd.etcd.Config().Dir
	free := "127.0.0.1:0"

	for name, test := range map[string]struct {
		cfg  EmbeddedConfig
		says []string
	}{
		"directory that cannot be made": {EmbeddedConfig{Dir: filepath.Join(file, "state"), ListenClient: free}, []string{file, "choose one that can be written"}},
		"no directory":                  {EmbeddedConfig{Dir: file, ListenClient: free}, []string{file, "choose one that can be written"}},
		"unwritable directory":          {EmbeddedConfig{Dir: "/proc/1", ListenClient: free}, []string{"/proc/1", "make it writable or choose another"}},
		"directory in use":              {EmbeddedConfig{Dir: dirInUse, ListenClient: free}, []string{dirInUse, "another process uses it"}},
		"data in ruins":                 {EmbeddedConfig{Dir: ruined, ListenClient: free}, []string{ruined, "restore the directory from a backup"}},
		"port taken":                    {EmbeddedConfig{Dir: t.TempDir(), ListenClient: taken.Addr().String()}, []string{taken.Addr().String(), "the port is taken; stop what uses it or choose another"}},
		"peer port taken":               {EmbeddedConfig{Dir: t.TempDir(), ListenClient: free, ListenPeer: taken.Addr().String()}, []string{"the port is taken"}},
		"another host's address":        {EmbeddedConfig{Dir: t.TempDir(), ListenClient: "192.0.2.1:2379"}, []string{"192.0.2.1:2379", "an address of this host"}},
		"no port":                       {EmbeddedConfig{Dir: t.TempDir(), ListenClient: "localhost"}, []string{"localhost", "host:port"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := StartEmbedded(t.Context(), test.cfg)
			g.Expect(err).To(HaveOccurred())
			for _, says := range test.says {
				g.Expect(err.Error()).To(ContainSubstring(says))
			}
			g.Expect(strings.Count(err.Error(), "\n")).To(BeZero(), "one line")
		})
	}
}

func TestEmbeddedKeepsItsDataAndMayMove(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "made", "for", "it")
	var logged bytes.Buffer
	cfg := EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	first, err := StartEmbedded(t.Context(), cfg)
	g.Expect(err).NotTo(HaveOccurred())
	s := openAt(t, DefaultPrefix, first.Endpoints()...)
	revision := put(t, s, app("a", 1))

	g.Expect(s.Close()).To(Succeed())
	first.Close()
	g.Eventually(first.Err()).Should(BeClosed())

	second, err := StartEmbedded(t.Context(), cfg) // on other ports
	g.Expect(err).NotTo(HaveOccurred())
	s = openAt(t, DefaultPrefix, second.Endpoints()...)
	g.Expect(s.Snapshot().App("a")).To(Equal(app("a", 1)))
	g.Expect(s.Snapshot().Revision()).To(BeNumerically(">=", revision))
	g.Expect(s.Close()).To(Succeed())
	second.Close()
	g.Expect(logged.String()).NotTo(ContainSubstring("level=ERROR"), "all went well")
}

func TestStoreFollowsAnEtcdThatWasRestarted(t *testing.T) {
	g := NewWithT(t)
	cfg := EmbeddedConfig{Dir: t.TempDir(), ListenClient: "127.0.0.1:0"}
	first, err := StartEmbedded(t.Context(), cfg)
	g.Expect(err).NotTo(HaveOccurred())
	wire := newWire(t, first.Endpoints()[0])
	s := openAt(t, DefaultPrefix, wire.endpoint())
	p := &model.Presence{CellID: "c", Start: "s"}
	g.Expect(s.Keep(t.Context(), p, time.Minute)).To(Succeed())
	lease := s.Snapshot().find(p.Key()).lease
	wire.cut()
	first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	tx := s.Snapshot().Txn()
	tx.Put(app("b", 1))
	_, err = s.Commit(ctx, tx)
	g.Expect(err).To(HaveOccurred(), "nothing can be committed without etcd")
	g.Expect(s.Snapshot().Presence("c")).To(Equal(p), "the last state can still be read")

	second, err := StartEmbedded(t.Context(), cfg)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(second.Close)
	wire.mend(second.Endpoints()[0])
	g.Eventually(func() error { return s.Keep(t.Context(), p, time.Minute) }, "10s").Should(Succeed())
	g.Expect(s.Snapshot().find(p.Key()).lease).To(Equal(lease))
	other := openAt(t, DefaultPrefix, second.Endpoints()...)
	catchUp(t, s, put(t, other, app("a", 1)))
	g.Expect(s.Err()).NotTo(HaveOccurred())
	g.Expect(s.Close()).To(Succeed())
}

func TestEtcdSpeaksThroughTheLogger(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	logger := zapLogger(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelWarn).With(zap.String("node", "n1"))
	logger.Info("chatter")
	g.Expect(out.String()).To(BeEmpty())
	logger.Warn("slow disk", zap.Duration("took", time.Second))
	logger.Error("no disk")
	g.Expect(out.String()).To(And(
		ContainSubstring(`level=WARN msg="etcd: slow disk" node=n1 took=1s`),
		ContainSubstring(`level=ERROR msg="etcd: no disk" node=n1`)))
}

// TestAStartThatWaitsForTheDataCanBeEnded: somebody else has etcd's own file.
func TestAStartThatWaitsForTheDataCanBeEnded(t *testing.T) {
	g, dir := NewWithT(t), t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700)).To(Succeed())
	other, err := os.Create(filepath.Join(dir, "member", "snap", "db"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(syscall.Flock(int(other.Fd()), syscall.LOCK_EX)).To(Succeed())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err = StartEmbedded(ctx, EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0"})

	g.Expect(err).To(MatchError(context.Canceled))
	_, err = lockDir(dir)
	g.Expect(err).To(MatchError(ContainSubstring("another process uses it")), "it waits still")
	g.Expect(other.Close()).To(Succeed())
	g.Eventually(func() error {
		unlock, err := lockDir(dir)
		if err == nil {
			unlock()
		}
		return err
	}, "20s").Should(Succeed(), "it is closed once it comes up after all")
}
