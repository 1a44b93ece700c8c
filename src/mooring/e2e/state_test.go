package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// Ctrl-C ends every process of the fleet; what was acknowledged comes back on
// the next start, with the data on the volumes.
func TestAFleetComesBackWithItsState(t *testing.T) {
	g := NewWithT(t)
	f := startFleet(t, "--cells", "2", "--azs", "1")
	f.must("moor create-volume-set data --count 2 --size 1M")
	f.must(push())
	f.eventually("moor app app", "2 of 2 serving")
	f.must(`for dir in $(find ../state -path '*persistent/*/data' -type d); do echo kept > $dir/mark; done`)

	f.stop()
	left, _ := exec.Command("pgrep", "-f", f.stateDir()).Output()
	g.Expect(strings.TrimSpace(string(left))).To(BeEmpty())

	f.start()
	f.eventually("moor app app", "2 of 2 serving")
	marks, err := filepath.Glob(filepath.Join(f.stateDir(), "cells", "*", "persistent", "*", "data", "mark"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(marks).To(HaveLen(2))
}
