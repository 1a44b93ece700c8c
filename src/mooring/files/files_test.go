package files_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/files"
)

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	for name, lasting := range map[string]files.Lasting{"for this process": files.Process, "for this host": files.Host} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			// Every content is a megabyte of one letter.
			of := func(letter byte) []byte { return bytes.Repeat([]byte{letter}, 1<<20) }
			g.Expect(files.Replace(path, of('a'), 0o600, lasting)).To(Succeed())
			var writing sync.WaitGroup
			for _, letter := range []byte("bcd") {
				writing.Go(func() {
					for range 10 {
						if err := files.Replace(path, of(letter), 0o600, lasting); err != nil {
							t.Error(err)
						}
					}
				})
			}
			written := make(chan struct{})
			go func() { writing.Wait(); close(written) }()
			for done := false; !done; {
				select {
				case <-written:
					done = true
				default:
				}
				content, err := os.ReadFile(path)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(bytes.Equal(content, of(content[0]))).To(BeTrue(), "nobody sees a mixture, or a part")
			}
			g.Expect(os.ReadDir(dir)).To(HaveLen(1), "nothing else is left")
		})
	}
}

func TestTheModeOfAFileIsWhatWasAskedFor(t *testing.T) {
	g := NewWithT(t)
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "file")
	for _, mode := range []os.FileMode{0o600, 0o644, 0o600} { // whatever it was
		g.Expect(files.Replace(path, []byte("text"), mode, files.Process)).To(Succeed())
		info, err := os.Stat(path)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(info.Mode()).To(Equal(mode))
	}
}

func TestAFileThatCannotBeReplacedStays(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	g.Expect(os.MkdirAll(filepath.Join(path, "in", "it"), 0o755)).To(Succeed())
	g.Expect(files.Replace(path, []byte("text"), 0o600, files.Host)).To(MatchError(ContainSubstring("writing " + path)))
	g.Expect(os.ReadDir(dir)).To(HaveLen(1), "the new content is taken away again")
	g.Expect(files.Replace(filepath.Join(dir, "none", "file"), nil, 0o600, files.Host)).To(MatchError(os.ErrNotExist))
	g.Expect(files.SyncDir(filepath.Join(dir, "none"))).To(MatchError(os.ErrNotExist))
}

func TestADirectoryIsTakenByOne(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	unlock, err := files.Lock(dir)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = files.Lock(dir)
	g.Expect(err).To(MatchError(files.ErrTaken))
	g.Expect(err).To(MatchError(ContainSubstring(dir)))
	unlock()
	unlock, err = files.Lock(dir)
	g.Expect(err).NotTo(HaveOccurred())
	unlock()
	_, err = files.Lock(filepath.Join(dir, "none"))
	g.Expect(err).To(MatchError(os.ErrNotExist))
}

// held is the variable that has this test binary take a directory, say so and
// wait to be killed.
const held = "FILES_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(held); dir != "" {
		if _, err := files.Lock(dir); err != nil {
			os.Exit(1)
		}
		os.Stdout.WriteString("held\n")
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

func TestALockEndsWithItsProcess(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), held+"="+dir)
	said, err := holder.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(holder.Start()).To(Succeed())
	line := make([]byte, 5)
	_, err = said.Read(line)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.TrimSpace(string(line))).To(Equal("held"))
	_, err = files.Lock(dir)
	g.Expect(err).To(MatchError(files.ErrTaken))

	g.Expect(holder.Process.Kill()).To(Succeed())
	_ = holder.Wait() // it was killed
	unlock, err := files.Lock(dir)
	g.Expect(err).NotTo(HaveOccurred())
	unlock()
}
