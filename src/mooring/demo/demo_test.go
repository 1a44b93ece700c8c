package demo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/nodetest"
)

// built makes the binaries that the story is told with.
func built(t *testing.T) Config {
	t.Helper()
	nodetest.NeedServer(t)
	if testing.Short() {
		t.Skip("a whole fleet takes a minute")
	}
	bin := t.TempDir()
	for name, path := range map[string]string{"moor": "mooring/cmd/moor", "redis-node": "mooring/kits/redis/cmd/redis-node"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), path).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	return Config{Moor: filepath.Join(bin, "moor"), RedisNode: filepath.Join(bin, "redis-node"), Dir: t.TempDir()}
}

// TestAnyProcessMayBeKilledAtAnyMoment tells the story with one more kill. The
// seed is MOORING_SEED, or a new one; it is printed.
func TestAnyProcessMayBeKilledAtAnyMoment(t *testing.T) {
	config := built(t)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MOORING_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("MOORING_SEED is %q, a number is needed", text)
		}
	}
	fmt.Printf("MOORING_SEED=%d\n", seed)
	config.Chaos = NewChaos(seed)
	var told strings.Builder
	config.Out = &told
	report, err := Run(t.Context(), config)
	t.Logf("%s\n%+v", told.String(), *report)
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Broken()).To(BeEmpty())
	g.Expect(told.String()).To(ContainSubstring("chaos: killed the "))
}

func TestEverySeedNamesAVictimAndAMoment(t *testing.T) {
	g := NewWithT(t)
	kinds := map[string]int{}
	for seed := range uint64(400) {
		c, again := NewChaos(seed), NewChaos(seed)
		g.Expect(*c).To(Equal(*again), "a seed always says the same")
		g.Expect(c.done).To(BeNumerically("<", cellsTotal-1))
		kinds[c.kind]++
	}
	for _, kind := range victims {
		g.Expect(kinds[kind]).To(BeNumerically(">", 50), kind)
	}
}
