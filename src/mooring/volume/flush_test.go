package volume

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestTreesOfAnySizeAreFlushed(t *testing.T) {
	for _, files := range []int{0, 3, maxFlushWalk + 1} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			g.Expect(os.Mkdir(filepath.Join(dir, "sub"), 0o755)).To(Succeed())
			g.Expect(os.Symlink("/nowhere", filepath.Join(dir, "dangling"))).To(Succeed())
			for i := range files {
				g.Expect(os.WriteFile(filepath.Join(dir, "sub", fmt.Sprint(i)), []byte("x"), 0o600)).To(Succeed())
			}
			g.Expect(flushTree(t.Context(), dir)).To(Succeed())
		})
	}
}

func TestWhatCouldNotBeFlushedIsAnError(t *testing.T) {
	g := NewWithT(t)
	g.Expect(flushTree(t.Context(), filepath.Join(t.TempDir(), "gone"))).To(MatchError(ContainSubstring("writing")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	g.Expect(flushTree(ended, t.TempDir())).To(MatchError(context.Canceled))
}
