package volume

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// host is a cell's disk: a root for fixed volumes, and one shared with others.
type host struct {
	cell, boot      string
	socket          string
	fixed, floating string
}

func newHost(t *testing.T, cell, floating string) host {
	t.Helper()
	// A test's own temporary directory is often too long for a socket.
	dir, err := os.MkdirTemp("", "vm")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { os.RemoveAll(dir) })
	return host{cell: cell, boot: "boot-1", socket: filepath.Join(dir, "s"), fixed: filepath.Join(dir, "fixed"), floating: floating}
}

func (h host) config() Config {
	return Config{
		Socket: h.socket, CellID: h.cell, Boot: h.boot, Logger: slog.New(slog.DiscardHandler),
		Classes: []Class{
			{Class: model.Class{Name: "persistent", Survives: model.Recreate, Capacity: 3 * model.Gigabyte}, Root: h.fixed},
			{Class: model.Class{Name: "shared", Floating: true, Survives: model.Retire, Capacity: 3 * model.Gigabyte}, Root: h.floating},
		},
	}
}

// serve runs a manager until the returned stop is called or the test ends.
func (h host) serve(t *testing.T) (client *Client, stop func()) {
	t.Helper()
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, h.config()) }()
	client = Dial(h.socket)
	g.Eventually(func() error { _, err := client.Classes(ctx); return err }).Should(Succeed())
	stop = sync.OnceFunc(func() {
		cancel()
		g.Expect(<-ended).To(Succeed())
	})
	t.Cleanup(stop)
	return client, stop
}

func fixedVolume(guid string, size model.Size) model.VolumeWork {
	return model.VolumeWork{GUID: guid, Class: "persistent", Size: size, Set: model.Name{Org: "o", Space: "s", Name: "set"}}
}

func floatingVolume(guid string, epoch int64) model.VolumeWork {
	return model.VolumeWork{GUID: guid, Class: "shared", Size: model.Gigabyte, Epoch: epoch}
}

func TestAVolumeKeepsItsDataUntilItIsDeleted(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	cell := newHost(t, "cell-1", t.TempDir())
	client, _ := cell.serve(t)

	work := fixedVolume("v1", model.Gigabyte)
	_, err := client.Attach(ctx, work)
	g.Expect(err).To(MatchError(ErrNotFound), "a volume is made on purpose only")
	g.Expect(client.Ensure(ctx, work)).To(Succeed())
	path, err := client.Attach(ctx, work)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(path, "f"), []byte("data"), 0o600)).To(Succeed())
	g.Expect(client.List(ctx)).To(ConsistOf(And(
		HaveField("GUID", "v1"), HaveField("CellID", "cell-1"), HaveField("Class", "persistent"), HaveField("State", model.VolumeAttached),
	)))

	g.Expect(client.Delete(ctx, "v1")).To(MatchError(ErrAttached))
	g.Expect(client.Detach(ctx, "v1")).To(Succeed())
	g.Expect(client.Detach(ctx, "v1")).To(Succeed(), "twice is no error")
	g.Expect(client.List(ctx)).To(ConsistOf(HaveField("State", model.VolumeReady)))

	g.Expect(client.Ensure(ctx, work)).To(Succeed(), "what exists is left as it is")
	again, err := client.Attach(ctx, work)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(path))
	g.Expect(os.ReadFile(filepath.Join(path, "f"))).To(BeEquivalentTo("data"))

	g.Expect(client.Detach(ctx, "v1")).To(Succeed())
	g.Expect(client.Delete(ctx, "v1")).To(Succeed())
	g.Expect(client.Delete(ctx, "v1")).To(Succeed(), "twice is no error")
	g.Expect(client.List(ctx)).To(BeEmpty())
	g.Expect(filepath.Join(path, "f")).NotTo(BeAnExistingFile())
}

func TestCapacityIsKept(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	client, _ := newHost(t, "cell-1", t.TempDir()).serve(t)

	g.Expect(client.Ensure(ctx, fixedVolume("big", 4*model.Gigabyte))).To(MatchError(And(
		ContainSubstring("larger than all of class persistent (3G)"))))
	g.Expect(client.Ensure(ctx, fixedVolume("v1", 2*model.Gigabyte))).To(Succeed())
	err := client.Ensure(ctx, fixedVolume("v2", 2*model.Gigabyte))
	g.Expect(err).To(MatchError(ErrNoRoom))
	g.Expect(err.Error()).To(ContainSubstring("2G of its 3G is promised"))
	g.Expect(client.Ensure(ctx, fixedVolume("v1", 3*model.Gigabyte))).To(Succeed(), "a volume does not stand in its own way")
	g.Expect(client.Delete(ctx, "v1")).To(Succeed())
	g.Expect(client.Ensure(ctx, fixedVolume("v2", 2*model.Gigabyte))).To(Succeed())
}

func TestRequestsThatMakeNoSenseAreRefused(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	cell := newHost(t, "cell-1", t.TempDir())
	client, _ := cell.serve(t)
	for _, guid := range []string{"", ".", "..", "../v", "a/b", ".hidden"} {
		g.Expect(client.Ensure(ctx, fixedVolume(guid, 1))).To(MatchError(ErrInvalid), guid)
		g.Expect(client.Delete(ctx, guid)).To(MatchError(ErrInvalid), guid)
	}
	g.Expect(client.Ensure(ctx, model.VolumeWork{GUID: "v", Class: "golden"})).To(MatchError(ErrNotFound))
	g.Expect(client.Ensure(ctx, fixedVolume("v", 1))).To(Succeed())
	g.Expect(client.Ensure(ctx, floatingVolume("v", 1))).To(MatchError(ErrInvalid), "one GUID, two classes")
}

func TestNothingIsDeletedThatIsNotAVolume(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	cell := newHost(t, "cell-1", t.TempDir())
	stranger := filepath.Join(cell.fixed, "stranger", "file")
	g.Expect(os.MkdirAll(filepath.Dir(stranger), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(stranger, nil, 0o600)).To(Succeed())
	client, _ := cell.serve(t)
	g.Expect(client.Delete(ctx, "stranger")).To(Succeed(), "there is no such volume")
	g.Expect(client.Ensure(ctx, fixedVolume("stranger", 1))).To(MatchError(ContainSubstring("is not a volume")))
	g.Expect(client.List(ctx)).To(BeEmpty())
	g.Expect(stranger).To(BeAnExistingFile())
}

func TestAFloatingVolumeMovesFromCellToCell(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	shared := t.TempDir()
	one, _ := newHost(t, "cell-1", shared).serve(t)
	two, _ := newHost(t, "cell-2", shared).serve(t)

	g.Expect(one.Ensure(ctx, floatingVolume("v", 1))).To(Succeed())
	path, err := one.Attach(ctx, floatingVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(path, "f"), []byte("data"), 0o600)).To(Succeed())

	g.Expect(two.Ensure(ctx, floatingVolume("v", 2))).To(Succeed())
	_, err = two.Attach(ctx, floatingVolume("v", 2))
	g.Expect(err).To(MatchError(ErrHeld))
	g.Expect(err.Error()).To(ContainSubstring("cell cell-1 holds it"))
	g.Expect(two.List(ctx)).To(BeEmpty())
	g.Expect(two.Delete(ctx, "v")).To(MatchError(ErrAttached))

	g.Expect(one.Detach(ctx, "v")).To(Succeed())
	path, err = two.Attach(ctx, floatingVolume("v", 2))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.ReadFile(filepath.Join(path, "f"))).To(BeEquivalentTo("data"))
	g.Expect(one.List(ctx)).To(BeEmpty())
	g.Expect(two.List(ctx)).To(ConsistOf(HaveField("Epoch", int64(2))))

	steal := floatingVolume("v", 3)
	steal.Steal = true
	_, err = one.Attach(ctx, steal)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(two.Detach(ctx, "v")).To(MatchError(ErrFenced))
	_, err = two.Attach(ctx, floatingVolume("v", 2))
	g.Expect(err).To(MatchError(ErrFenced))
	g.Expect(one.List(ctx)).To(ConsistOf(HaveField("State", model.VolumeAttached)))
}

// The cell that held a floating volume is gone for good: another is told to
// have it, and to delete it.
func TestTheVolumeOfALostCellCanBeDeleted(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	shared := t.TempDir()
	one, stop := newHost(t, "cell-1", shared).serve(t)
	two, _ := newHost(t, "cell-2", shared).serve(t)
	g.Expect(one.Ensure(ctx, floatingVolume("v", 1))).To(Succeed())
	_, err := one.Attach(ctx, floatingVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	stop()

	steal := floatingVolume("v", 2)
	g.Expect(two.Ensure(ctx, steal)).To(Succeed())
	g.Expect(two.List(ctx)).To(BeEmpty(), "it is held")
	steal.Steal = true
	g.Expect(two.Ensure(ctx, steal)).To(Succeed())
	g.Expect(two.List(ctx)).To(ConsistOf(And(HaveField("GUID", "v"), HaveField("State", model.VolumeReady), HaveField("Epoch", int64(2)))))
	g.Expect(two.Delete(ctx, "v")).To(Succeed())
	g.Expect(two.List(ctx)).To(BeEmpty())
}

func TestAFixedVolumeCannotBeStolen(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	home := newHost(t, "cell-1", t.TempDir())
	one, stop := home.serve(t)
	g.Expect(one.Ensure(ctx, fixedVolume("v", 1))).To(Succeed())
	stop()

	home.cell = "cell-2"
	two, _ := home.serve(t)
	steal := fixedVolume("v", 1)
	steal.Epoch, steal.Steal = 5, true
	_, err := two.Attach(ctx, steal)
	g.Expect(err).To(MatchError(ErrHeld))
	g.Expect(err.Error()).To(ContainSubstring("fixed to cell cell-1"))
}

// Managers of many cells race for one volume with the same newer epoch; the
// rules alone would let each win on a stale read of the holder.
func TestOnlyOneOfManyManagersWins(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	shared := t.TempDir()
	var managers []*manager
	for i := range 8 {
		cell := newHost(t, fmt.Sprint("cell-", i), shared)
		m, err := newManager(cell.config())
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(m.usage.close)
		managers = append(managers, m)
	}
	for round := range 20 {
		guid := fmt.Sprint("v", round)
		g.Expect(managers[0].ensure(ctx, model.VolumeWork{GUID: guid, Class: "shared", Epoch: 1})).To(Succeed())
		var racing sync.WaitGroup
		var mu sync.Mutex
		winners := 0
		for i, m := range managers {
			racing.Go(func() {
				_, err := m.attach(ctx, model.VolumeWork{GUID: guid, Class: "shared", Epoch: int64(2 + i%2), Steal: i%3 == 0})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					winners++
				}
			})
		}
		racing.Wait()
		holders := 0
		for _, m := range managers {
			volumes, err := m.list()
			g.Expect(err).NotTo(HaveOccurred())
			for _, v := range volumes {
				if v.GUID == guid && v.State == model.VolumeAttached {
					holders++
				}
			}
		}
		g.Expect(holders).To(Equal(1))
		g.Expect(winners).To(BeNumerically("<=", 2), "one, and one that stole it with the newer epoch")
	}
}

func TestRebootEndsAttachments(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	home := newHost(t, "cell-1", t.TempDir())
	client, stop := home.serve(t)
	g.Expect(client.Ensure(ctx, fixedVolume("v", 1))).To(Succeed())
	_, err := client.Attach(ctx, fixedVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	stop()

	home.boot = "boot-2"
	client, _ = home.serve(t)
	g.Expect(client.List(ctx)).To(ConsistOf(HaveField("State", model.VolumeReady)))
	_, err = client.Attach(ctx, fixedVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestTwoManagersCannotHaveOneSocket(t *testing.T) {
	g := NewWithT(t)
	home := newHost(t, "cell-1", t.TempDir())
	home.serve(t)
	g.Expect(Serve(t.Context(), home.config())).To(MatchError(ContainSubstring("another volume manager has the socket")))
}

func TestBadConfigurationsAreRefused(t *testing.T) {
	home := newHost(t, "cell-1", t.TempDir())
	for name, spoil := range map[string]func(*Config){
		"must know its cell":      func(c *Config) { c.CellID = "" },
		"same directory":          func(c *Config) { c.Classes[1].Root = c.Classes[0].Root },
		"given twice":             func(c *Config) { c.Classes[1].Name = c.Classes[0].Name },
		"has no directory":        func(c *Config) { c.Classes[0].Root = "" },
		"say restart, reboot":     func(c *Config) { c.Classes[0].Survives = "fire" },
		"making the directory of": func(c *Config) { c.Classes[0].Root = "/proc/volumes" },
		"give one of 1 to 107":    func(c *Config) { c.Socket = "/" + string(make([]byte, 120)) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := home.config()
			spoil(&cfg)
			NewWithT(t).Expect(Serve(t.Context(), cfg)).To(MatchError(ContainSubstring(name)))
		})
	}
}

func TestUsageIsMeasured(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	home := newHost(t, "cell-1", t.TempDir())
	client, stop := home.serve(t)
	g.Expect(client.Ensure(ctx, fixedVolume("v", model.Gigabyte))).To(Succeed())
	path, err := client.Attach(ctx, fixedVolume("v", model.Gigabyte))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(path, "f"), make([]byte, 1<<20), 0o600)).To(Succeed())
	used := func() model.Size {
		volumes, err := client.List(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		return volumes[0].Used
	}
	g.Eventually(used).Should(BeNumerically(">=", model.Megabyte))
	stop()
}

func TestADamagedVolumeIsReportedAndNotTouched(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	home := newHost(t, "cell-1", t.TempDir())
	client, _ := home.serve(t)
	g.Expect(client.Ensure(ctx, fixedVolume("v", 1))).To(Succeed())
	damaged := filepath.Join(home.fixed, "v", holderFile)
	g.Expect(os.WriteFile(damaged, []byte("{"), 0o600)).To(Succeed())
	_, err := client.Attach(ctx, fixedVolume("v", 1))
	g.Expect(err).To(MatchError(ContainSubstring(damaged + " is damaged")))
	g.Expect(client.Delete(ctx, "v")).NotTo(Succeed())
	g.Expect(client.List(ctx)).To(ConsistOf(And(HaveField("State", model.VolumeFailed), HaveField("Error", ContainSubstring("damaged")))))
}

// Other users of the machine reach no volume, made now or by an earlier release.
func TestVolumes_AreForTheOwnerAlone(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	host := newHost(t, "cell-1", t.TempDir())
	client, stop := host.serve(t)
	g.Expect(client.Ensure(ctx, fixedVolume("v", 1))).To(Succeed())
	path, err := client.Attach(ctx, fixedVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	mode := func(dir string) os.FileMode {
		info, err := os.Stat(dir)
		g.Expect(err).NotTo(HaveOccurred())
		return info.Mode().Perm()
	}
	for _, dir := range []string{host.fixed, filepath.Dir(path), path} {
		g.Expect(mode(dir)).To(BeEquivalentTo(0o700), dir)
	}
	stop()
	g.Expect(os.Chmod(filepath.Dir(path), 0o755)).To(Succeed())
	host.serve(t)
	g.Expect(mode(filepath.Dir(path))).To(BeEquivalentTo(0o700), "what an earlier release left open is closed")
}

func TestRefusal_SaysTheEpochThatTheVolumeHasHad(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	shared := t.TempDir()
	one, _ := newHost(t, "cell-1", shared).serve(t)
	two, _ := newHost(t, "cell-2", shared).serve(t)
	g.Expect(one.Ensure(ctx, floatingVolume("v", 9))).To(Succeed())

	for epoch, why := range map[int64]error{5: ErrFenced, 9: ErrHeld} { // as a state from a backup has it
		err := two.Ensure(ctx, floatingVolume("v", epoch))
		g.Expect(err).To(MatchError(why))
		g.Expect(SeenEpoch(err)).To(Equal(int64(9)))
		_, err = two.Attach(ctx, floatingVolume("v", epoch))
		g.Expect(err).To(MatchError(why))
		g.Expect(SeenEpoch(err)).To(Equal(int64(9)))
	}
	g.Expect(SeenEpoch(two.Ensure(ctx, floatingVolume("v", 10)))).To(BeZero())
}
