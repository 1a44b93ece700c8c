package e2e

import (
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
)

// However a fleet on this machine ends, nothing of it goes on: not the cells,
// not what they run, though it has volumes to give up and does not hear TERM.
func TestDev_LeavesNothingBehind(t *testing.T) {
	for name, by := range map[string]syscall.Signal{"its terminal is closed": syscall.SIGHUP, "it is killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := devtest.Start(t, "--cells", "2", "--azs", "1")
			f.Must("moor create-volume-set data --count 2 --size 1M")
			f.Must(push("exec sleep 86400", `trap "" TERM HUP; while :; do sleep 1; done`))
			g.Eventually(func() int { return len(f.Left()) }, 45*time.Second, 200*time.Millisecond).
				Should(BeNumerically(">=", 1+1+2*2+2), "supervisor, control plane, agents, volume managers, instances")
			f.End(by)
			g.Eventually(f.Left, 45*time.Second, 200*time.Millisecond).Should(BeEmpty())
		})
	}
}
