package logs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/sys/unix"

	"mooring/container/logs"
	"mooring/model"
)

// writer opens a log as an instance has it: for appending, for good.
func writer(t *testing.T) (*os.File, string) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, path
}

func TestTail(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		n    int
		want []string
	}{
		"the last lines":            {"a\nb\nc\n", 2, []string{"b", "c"}},
		"all when there are fewer":  {"a\nb\n", 9, []string{"a", "b"}},
		"a line without its end":    {"a\nb", 1, []string{"b"}},
		"empty lines count":         {"a\n\n\n", 2, []string{"", ""}},
		"none":                      {"a\n", 0, nil},
		"of nothing":                {"", 5, nil},
		"longer than a block":       {strings.Repeat("x", 40000) + "\nlast\n", 1, []string{"last"}},
		"longer than a line may be": {"a\n" + strings.Repeat("y", 40000) + "\n", 2, []string{"a", strings.Repeat("y", 2021) + " … (37979 bytes left out)"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			file, path := writer(t)
			file.WriteString(c.text)
			g.Expect(logs.Tail(path, c.n)).To(Equal(c.want))
		})
	}
	NewWithT(t).Expect(logs.Tail(filepath.Join(t.TempDir(), "none"), 3)).To(BeEmpty())
}

func TestBoundFreesSpaceAndLosesNothing(t *testing.T) {
	g := NewWithT(t)
	file, path := writer(t)
	g.Expect(logs.Bound(path, 10)).To(Succeed())
	line := func(i int) string { return fmt.Sprintf("line %06d", i) }
	const count = 20000
	var done sync.WaitGroup
	done.Go(func() {
		for i := range count {
			fmt.Fprintln(file, line(i))
		}
	})
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()

	seen := map[string]bool{}
	note := func() {
		for _, name := range []string{path, logs.Older(path)} {
			content, err := os.ReadFile(name)
			if !os.IsNotExist(err) {
				g.Expect(err).NotTo(HaveOccurred())
			}
			for text := range strings.FieldsFuncSeq(string(content), func(r rune) bool { return r == '\n' || r == 0 }) {
				seen[text] = true
			}
		}
	}
	for working := true; working; {
		select {
		case <-finished:
			working = false
		default:
		}
		g.Expect(logs.Bound(path, 30000)).To(Succeed())
		note()
	}
	missing := 0
	for i := range count {
		if !seen[line(i)] {
			missing++
		}
	}
	g.Expect(missing).To(BeZero())
	got, err := logs.Tail(path, 1)
	g.Expect(err).NotTo(HaveOccurred())
	if len(got) > 0 {
		g.Expect(got).To(Equal([]string{line(count - 1)}))
	}
	var info unix.Stat_t
	g.Expect(unix.Stat(path, &info)).To(Succeed())
	g.Expect(info.Blocks * 512).To(BeNumerically("<", 100000))
	g.Expect(info.Size).To(BeNumerically("==", count*len("line 000000\n")), "offsets keep their meaning")
}

func TestTailReachesIntoTheOlderPart(t *testing.T) {
	g := NewWithT(t)
	file, path := writer(t)
	file.WriteString(strings.Repeat("old\n", 5000))
	g.Expect(logs.Bound(path, 100)).To(Succeed())
	g.Expect(logs.Tail(path, 2)).To(Equal([]string{"old", "old"}))
	file.WriteString("new\n")
	g.Expect(logs.Tail(path, 3)).To(Equal([]string{"old", "old", "new"}))
	g.Expect(logs.Tail(path, 1)).To(Equal([]string{"new"}))
}

func TestFollowGoesOnThroughABound(t *testing.T) {
	g := NewWithT(t)
	file, path := writer(t)
	file.WriteString("one\ntwo\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output := gbytes.NewBuffer()
	ended := make(chan error, 1)
	go func() { ended <- logs.Copy(ctx, output, path, 1, true) }()
	g.Eventually(output, "10s").Should(gbytes.Say(`\Atwo\n`))
	file.WriteString(strings.Repeat("three\n", 2000))
	g.Eventually(func() int { return bytes.Count(output.Contents(), []byte("three\n")) }, "10s").Should(Equal(2000))
	g.Expect(logs.Bound(path, 100)).To(Succeed())
	file.WriteString("four\n")
	g.Eventually(output, "10s").Should(gbytes.Say("four\n"))
	g.Expect(output.Contents()).NotTo(ContainElement(byte(0)))
	cancel()
	g.Eventually(ended, "10s").Should(Receive(BeNil()))
}

// Whatever an app prints, little of it is read and kept.
func TestTail_IsBoundedUnderAnyOutput(t *testing.T) {
	g := NewWithT(t)
	file, path := writer(t)
	block := []byte(strings.Repeat("x", 1<<20))
	for range 40 {
		file.Write(block)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := logs.Tail(path, 20)
	runtime.ReadMemStats(&after)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after.TotalAlloc - before.TotalAlloc).To(BeNumerically("<", 2<<20))
	g.Expect(got).To(HaveLen(1))
	g.Expect(got[0]).To(And(HavePrefix("(the beginning of this line is left out) … x"), HaveSuffix("x")))
	g.Expect(len(got[0])).To(BeNumerically("<=", model.MaxLine))

	for range 20 {
		fmt.Fprintf(file, "%s\x1b\n", strings.Repeat("y", 5000))
	}
	fmt.Fprint(file, "\x1b[31mthe reason\n")
	got, err = logs.Tail(path, 20)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got[0]).To(MatchRegexp(`^\(\d+ lines before this one are left out\)$`))
	g.Expect(got[len(got)-1]).To(Equal(`\u001b[31mthe reason`))
	g.Expect(len(strings.Join(got, "\n"))).To(BeNumerically("<=", model.MaxTail))
}

func FuzzTail(f *testing.F) {
	f.Add([]byte("a\nb\n"), 1)
	f.Add([]byte("\x1b[2J\x00\xff\n\n\n"), 3)
	f.Add([]byte(strings.Repeat("x", 5000)), 20)
	f.Fuzz(func(t *testing.T, content []byte, n int) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := logs.Tail(path, n)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > max(0, n) {
			t.Errorf("%d lines, and %d were asked for", len(got), n)
		}
		for _, line := range got {
			if err := model.CheckText(line, model.MaxLine); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	})
}
