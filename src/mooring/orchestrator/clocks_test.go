package orchestrator

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// compares finds where a time is held against now.
var compares = regexp.MustCompile(`(lookAt\(|now\.Sub\()`)

// ownClock lists what is by the clock of the machine that compares it.
var ownClock = []string{
	"lookAt(moment time.Time)",            // the question itself
	"d.lookAt(next)",                      // a window, which a person sees on a clock
	"d.lookAt(d.began.Add(soundOff))",     // since this process looks
	"d.lookAt(first.Add(gatherFor))",      // as they were seen
	"p.Opens.Sub(d.now)", "next.Sub(now)", // windows
	"now.Sub(cell.LostAt) > lostFor", // for how long a record is kept
}

func TestClocks_OfTwoMachinesAreNotCompared(t *testing.T) {
	g := NewWithT(t)
	files, err := filepath.Glob("*.go")
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		for n, line := range strings.Split(string(content), "\n") {
			if !compares.MatchString(line) || strings.Contains(line, "seen(") || strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			known := false
			for _, own := range ownClock {
				known = known || strings.Contains(line, own)
			}
			g.Expect(known).To(BeTrue(), "%s:%d holds a time that another machine may have written against now: ask seen\n%s", file, n+1, line)
		}
	}
}
