package state

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// A process whose embedded etcd finds the disk full ends with the cause, and
// what it had acknowledged is there once there is space.
func TestEmbedded_EndsWithTheCauseWhenTheDiskIsFull(t *testing.T) {
	g := NewWithT(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
		t.Skip("a small disk is a tmpfs, which only root may mount: ", err)
	}
	t.Cleanup(func() { g.Expect(syscall.Unmount(disk, syscall.MNT_DETACH)).To(Succeed()) })
	dir := filepath.Join(disk, "state")
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), childDir+"="+dir), &said
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	defer cmd.Process.Kill()

	acknowledged := -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err == nil && acknowledged == 0 {
			fill(t, filepath.Join(disk, "ballast"))
		}
	}
	g.Expect(cmd.Wait()).NotTo(Succeed())
	g.Expect(said.String()).To(ContainSubstring("the disk is full: free space"))
	g.Expect(said.String()).NotTo(ContainSubstring("remove it"))
	g.Expect(acknowledged).To(BeNumerically(">=", 0))

	waits := make(chan error, 100)
	started := make(chan *Embedded, 1)
	go func() {
		again, err := StartEmbeddedWhenThereIsSpace(t.Context(), EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0"}, func(err error) { waits <- err })
		if err != nil {
			t.Error(err)
		}
		started <- again
	}()
	g.Eventually(waits, "10s").Should(Receive(And(MatchError(ErrDiskFull), MatchError(ContainSubstring(dir)))))
	g.Expect(os.Remove(filepath.Join(disk, "ballast"))).To(Succeed())
	var again *Embedded
	g.Eventually(started, "30s").Should(Receive(&again))
	t.Cleanup(again.Close)
	s := openAt(t, DefaultPrefix, again.Endpoints()...)
	g.Expect(len(s.Snapshot().Apps())).To(BeNumerically(">=", acknowledged+1))
}

// fill makes a file that takes all the space there is.
func fill(t *testing.T, path string) {
	t.Helper()
	g := NewWithT(t)
	file, err := os.Create(path)
	g.Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	for err == nil {
		_, err = io.Copy(file, bytes.NewReader(make([]byte, 1<<20)))
	}
	g.Expect(err).To(MatchError(syscall.ENOSPC))
	for err = nil; err == nil; { // what is left of a piece
		_, err = file.Write(make([]byte, 4096))
	}
}
