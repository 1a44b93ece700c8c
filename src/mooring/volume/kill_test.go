package volume

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// TestMain runs a manager instead of the tests in a process that spawn made,
// to be killed.
func TestMain(m *testing.M) {
	if socket := os.Getenv("VOLUME_TEST_SOCKET"); socket != "" {
		home := host{cell: os.Getenv("VOLUME_TEST_CELL"), boot: "boot-1", socket: socket, fixed: os.Getenv("VOLUME_TEST_FIXED"), floating: os.Getenv("VOLUME_TEST_FLOATING")}
		if err := Serve(context.Background(), home.config()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func (h host) spawn(t *testing.T) *exec.Cmd {
	t.Helper()
	g := NewWithT(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "VOLUME_TEST_SOCKET="+h.socket, "VOLUME_TEST_CELL="+h.cell, "VOLUME_TEST_FIXED="+h.fixed, "VOLUME_TEST_FLOATING="+h.floating)
	child.Stderr = os.Stderr
	g.Expect(child.Start()).To(Succeed())
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	g.Eventually(func() error { _, err := Dial(h.socket).Classes(t.Context()); return err }, 10*time.Second).Should(Succeed())
	return child
}

func TestAttachmentsOutliveAKilledManager(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	shared := t.TempDir()
	home := newHost(t, "cell-1", shared)
	other, _ := newHost(t, "cell-2", shared).serve(t)
	client := Dial(home.socket)

	child := home.spawn(t)
	g.Expect(client.Ensure(ctx, floatingVolume("v", 1))).To(Succeed())
	path, err := client.Attach(ctx, floatingVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(child.Process.Kill()).To(Succeed())
	child.Wait()

	_, err = client.List(ctx)
	g.Expect(err).To(MatchError(ContainSubstring("is it running?")))
	_, err = other.Attach(ctx, floatingVolume("v", 2))
	g.Expect(err).To(MatchError(ErrHeld), "a dead manager's cell still holds what it held")

	home.spawn(t)
	g.Expect(client.List(ctx)).To(ConsistOf(And(HaveField("GUID", "v"), HaveField("State", model.VolumeAttached))))
	again, err := client.Attach(ctx, floatingVolume("v", 1))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(path))
	g.Expect(client.Detach(ctx, "v")).To(Succeed())
	_, err = other.Attach(ctx, floatingVolume("v", 2))
	g.Expect(err).NotTo(HaveOccurred())
}

// A manager killed at any moment leaves volumes whole or absent, and one that
// starts after it goes on.
func TestAKilledManagerLeavesVolumesWhole(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	home := newHost(t, "cell-1", t.TempDir())
	client := Dial(home.socket)
	for round := range 6 {
		child := home.spawn(t)
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			time.Sleep(time.Duration(round*round) * time.Millisecond)
			child.Process.Kill()
			child.Wait()
		}()
		for i := 0; ; i++ {
			work := fixedVolume(fmt.Sprint("v", i%3), 1)
			if client.Ensure(ctx, work) != nil {
				break
			}
			if _, err := client.Attach(ctx, work); err != nil {
				break
			}
			if client.Detach(ctx, work.GUID) != nil || client.Delete(ctx, work.GUID) != nil {
				break
			}
		}
		<-killed
	}
	client, _ = home.serve(t)
	volumes, err := client.List(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	for _, v := range volumes {
		g.Expect(v.State).NotTo(Equal(model.VolumeFailed), v.Error)
	}
	for i := range 3 {
		work := fixedVolume(fmt.Sprint("v", i), 1)
		g.Expect(client.Ensure(ctx, work)).To(Succeed())
		_, err := client.Attach(ctx, work)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(client.Detach(ctx, work.GUID)).To(Succeed())
		g.Expect(client.Delete(ctx, work.GUID)).To(Succeed())
	}
	entries, err := os.ReadDir(home.fixed)
	g.Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		g.Expect(entry.Name()).NotTo(HavePrefix(gonePrefix))
	}
}
