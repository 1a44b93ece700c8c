package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev/devtest"
	"mooring/model"
)

// flood is an app that prints 40 MB without the end of a line, and crashes.
const flood = `
applications:
- name: flood
  instances: 1
  memory: 32M
  command: 'head -c 40000000 /dev/zero | tr "\0" x; echo; exit 1'
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1}
- name: quiet
  instances: 2
  memory: 32M
  command: exec sleep 86400
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1, healthy_for: 100ms}
`

// agentMemory bounds what an agent may have taken at any time, in kilobytes.
const agentMemory = 160 << 10

// Whatever an app prints, its cell stays, and so does everything beside it.
func TestOutput_AFloodBeforeACrashTakesDownNoCell(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := NewWithT(t)
	f := devtest.Start(t, "--cells", "2", "--azs", "1")
	api := f.Client()
	f.Write("app.yml", flood, 0o644)
	f.Must("moor push -f app.yml")
	f.Eventually("moor app quiet", "2 of 2 serving")
	flooding := model.Name{Org: "dev", Space: "dev", Name: "flood"}
	apps, err := api.Apps(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	for _, app := range apps {
		if app.Name.Name == "flood" {
			flooding = app.Name
		}
	}

	var told model.ActualInstance
	g.Eventually(func() int {
		g.Expect(absent(t, api)).To(BeEmpty())
		instances, err := api.Instances(t.Context(), flooding)
		g.Expect(err).NotTo(HaveOccurred())
		for _, instance := range instances {
			if instance.Actual != nil && instance.Actual.State == model.Crashed {
				told = *instance.Actual
			}
		}
		return told.Restarts
	}, "120s", "200ms").Should(BeNumerically(">=", 3))
	g.Expect(told.Output).NotTo(BeEmpty())
	g.Expect(len(strings.Join(told.Output, "\n"))).To(BeNumerically("<=", model.MaxTail))
	g.Expect(told.Output[0]).To(HavePrefix("(the beginning of this line is left out)"))
	f.Eventually("moor app flood", "crashed")
	f.Eventually("moor app quiet", "2 of 2 serving")
	peaks := agentPeaks(t, f.StateDir())
	g.Expect(peaks).To(HaveLen(2))
	for cell, peak := range peaks {
		t.Logf("the agent of %s took at most %d MB", cell, peak>>10)
		g.Expect(peak).To(BeNumerically("<", agentMemory), cell)
	}

	f.Must("moor delete flood --force")
	g.Eventually(func() error { _, err := api.App(t.Context(), flooding); return err }, "60s").Should(HaveOccurred())
	g.Expect(absent(t, api)).To(BeEmpty())
}

// absent names the cells that count as gone.
func absent(t *testing.T, api *client.Client) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cells, err := api.Cells(ctx)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var gone []string
	for _, cell := range cells {
		if !cell.Present {
			gone = append(gone, fmt.Sprintf("%s %s", cell.ID, cell.Refused))
		}
	}
	return gone
}

var (
	cellID = regexp.MustCompile(`--id\x00([^\x00]+)\x00`)
	peak   = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
)

// agentPeaks reads the most memory that each agent of a fleet has had, in
// kilobytes.
func agentPeaks(t *testing.T, state string) map[string]int {
	t.Helper()
	g, peaks := NewWithT(t), map[string]int{}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	g.Expect(err).NotTo(HaveOccurred())
	for _, path := range processes {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte("cell-agent\x00")) || !bytes.Contains(line, []byte(state)) {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(path), "status"))
		g.Expect(err).NotTo(HaveOccurred())
		id, most := cellID.FindSubmatch(line), peak.FindSubmatch(status)
		g.Expect(id).NotTo(BeNil(), "%q", line)
		g.Expect(most).NotTo(BeNil(), "%s", status)
		kilobytes, err := strconv.Atoi(string(most[1]))
		g.Expect(err).NotTo(HaveOccurred())
		peaks[string(id[1])] = kilobytes
	}
	return peaks
}
