package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
)

// Ctrl-C ends every process of the fleet; what was acknowledged comes back on
// the next start, with the data on the volumes.
func TestAFleetComesBackWithItsState(t *testing.T) {
	g := NewWithT(t)
	f := devtest.Start(t, "--cells", "2", "--azs", "1")
	f.Must("moor create-volume-set data --count 2 --size 1M")
	f.Must(push())
	f.Eventually("moor app app", "2 of 2 serving")
	f.Must(`for dir in $(find ../state -path '*persistent/*/data' -type d); do echo kept > $dir/mark; done`)

	f.Stop()
	left, _ := exec.Command("pgrep", "-f", f.StateDir()).Output()
	g.Expect(strings.TrimSpace(string(left))).To(BeEmpty())

	f.Start()
	f.Eventually("moor app app", "2 of 2 serving")
	marks, err := filepath.Glob(filepath.Join(f.StateDir(), "cells", "*", "persistent", "*", "data", "mark"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(marks).To(HaveLen(2))
}
