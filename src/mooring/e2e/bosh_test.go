package e2e

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

// deployment is a fleet whose hosts are the VMs of a fake Director: pre-stop
// is `moor gate leave`, what BOSH does to a VM is `moor dev host`, post-start
// is `moor gate return`.
type deployment struct {
	*fleet
	*fakedirector.Director

	mu      sync.Mutex
	unready []string // host actions that began with something left running
	logs    map[string]string
	acting  int
	most    int // host actions at once
}

// deploy starts a fleet of cells, of which the control plane knows the
// Director.
func deploy(t *testing.T, cells int) *deployment {
	d := &deployment{logs: map[string]string{}}
	cfg := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1", "z2"}, User: "moor", Password: "secret", UAA: true}
	for i := range cells {
		id := fmt.Sprintf("cell-%d", i)
		cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: id, AZ: fmt.Sprintf("z%d", i%2+1), Index: i, Bootstrap: i == 0, VM: fakedirector.VM{
			PreStop:   func(ctx context.Context, env []string) error { return d.gate(ctx, id, "leave", env) },
			Act:       func(action string) error { return d.act(id, action) },
			PostStart: func(ctx context.Context) error { return d.gate(ctx, id, "return", nil) },
		}})
	}
	d.Director = fakedirector.New(cfg)
	server := httptest.NewTLSServer(d.Director)
	d.At(server.URL)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"ca":     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		"secret": []byte("secret\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("MOORING_DIRECTOR", server.URL)
	t.Setenv("MOORING_DIRECTOR_CA", filepath.Join(dir, "ca"))
	t.Setenv("MOORING_DIRECTOR_CLIENT", "moor")
	t.Setenv("MOORING_DIRECTOR_SECRET_FILE", filepath.Join(dir, "secret"))
	d.fleet = startFleet(t, "--lease-ttl", "2s", "--cells", fmt.Sprint(cells), "--azs", "2")
	t.Cleanup(d.Close)
	return d
}

// gate runs one of the gate's hooks as BOSH's agent does, and keeps what it
// prints.
func (d *deployment) gate(ctx context.Context, cell, step string, env []string) error {
	cmd := exec.CommandContext(ctx, moor, "gate", step, "--cell", cell, "--dir", d.gateDir(cell))
	cmd.Env = append(append(os.Environ(), "MOORING_API="+d.api, "MOORING_DEPLOYMENT=mooring"), env...)
	out, err := cmd.CombinedOutput()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logs[cell] += string(out)
	if err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

func (d *deployment) gateDir(cell string) string { return filepath.Join(d.dir, "gate", cell) }

func (d *deployment) act(cell, action string) error {
	if left := d.runningOn(cell); len(left) > 0 {
		d.mu.Lock()
		d.unready = append(d.unready, fmt.Sprintf("%s of %s with instances %v running", action, cell, left))
		d.mu.Unlock()
	}
	d.mu.Lock()
	d.acting++
	d.most = max(d.most, d.acting)
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.acting--
	}()
	if action == "delete" {
		action = "retire"
	}
	_, err := d.sh(fmt.Sprintf("moor dev host --state-dir ../state %s %s", action, cell))
	return err
}

// mark is in the command line of every instance, before its index.
const mark = "86399."

// running gives, from the processes of this machine alone, which instances of
// the fleet run, and on which cell.
func (d *deployment) running() map[string][]string {
	found := map[string][]string{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		panic(err)
	}
	cells := filepath.Join(filepath.Dir(d.dir), "state", "cells") + "/"
	for _, entry := range entries {
		command, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		if err != nil || !strings.HasPrefix(string(command), "sleep\x00"+mark) {
			continue
		}
		environment, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue
		}
		_, home, _ := strings.Cut("\x00"+string(environment), "\x00MOORING_HOST="+cells)
		cell, _, ours := strings.Cut(home, "/")
		if ours {
			index := strings.TrimRight(strings.TrimPrefix(string(command), "sleep\x00"+mark), "\x00")
			found[index] = append(found[index], cell)
		}
	}
	return found
}

func (d *deployment) runningOn(cell string) []string {
	var left []string
	for index, cells := range d.running() {
		for _, c := range cells {
			if c == cell {
				left = append(left, index)
			}
		}
	}
	return left
}

// watch looks at the processes until it is ended, and gives the most instances
// that were down at once.
func (d *deployment) watch(instances int) (end func() int) {
	done, most := make(chan struct{}), make(chan int)
	go func() {
		worst := 0
		for {
			worst = max(worst, instances-len(d.running()))
			select {
			case <-done:
				most <- worst
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int { close(done); return <-most }
}

// push makes an app of six instances with data on six cells.
func (d *deployment) push() {
	d.must(`cat > app.yml <<'EOF'
applications:
- name: data
  instances: 6
  memory: 16M
  command: exec sleep ` + mark + `$MOORING_INDEX
  health: {type: process, interval: 200ms}
  mounts: [{volume: data, path: /data}]
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    healthy_for: 500ms
    interrupt: {command: "sleep 0.1"}
    drain: {command: "sleep 0.1"}
EOF
moor create-volume-set data --count 6 --size 16M --class persistent
moor push -f app.yml`)
	d.eventually("moor app data", "6 of 6 serving")
}

// finish waits for a task, and checks what was seen while it ran.
func (d *deployment) finish(t *testing.T, task int, watch func() int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	err := d.Wait(ctx, task)
	worst := watch()
	g := NewWithT(t)
	d.mu.Lock()
	defer d.mu.Unlock()
	g.Expect(err).NotTo(HaveOccurred(), "%v", d.logs)
	g.Expect(worst).To(Equal(1), "the policy lets one instance be down at once, and one was")
	g.Expect(d.unready).To(BeEmpty())
}

// BOSH deploys, restarts, recreates and scales in with as much at once as it
// likes: the policy is kept, and no host is touched before it stands quiet.
func TestBOSHObeysThePolicies(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	d.push()

	for _, update := range []fakedirector.Update{
		{Action: "restart", MaxInFlight: "100%"},
		{Action: "restart", MaxInFlight: "1"},
		{Action: "recreate", MaxInFlight: "100%"},
		{Action: "recreate", MaxInFlight: "2", Canaries: 1},
	} {
		began := time.Now()
		d.finish(t, d.Deploy(update), d.watch(6))
		t.Logf("%s with max_in_flight %s: %s", update.Action, update.MaxInFlight, time.Since(began).Round(100*time.Millisecond))
		d.eventually("moor app data", "6 of 6 serving")
	}

	d.finish(t, d.Deploy(fakedirector.Update{Remove: []string{"cell-5", "cell-4"}, MaxInFlight: "100%"}), d.watch(6))
	d.eventually("moor app data", "6 of 6 serving")
	d.eventually("moor cells | grep -c ^cell-", "4")
	g.Expect(d.must("moor rolls")).To(MatchRegexp(`gate-mooring-restart-\S+ +restart +done`))
	g.Expect(d.must("moor stuck")).To(ContainSubstring("nothing is stuck"))
	g.Expect(d.logs["cell-2"]).To(And(
		ContainSubstring("BOSH wants to restart cell cell-2; asking for leave"),
		ContainSubstring("open: cell cell-2 is quiesced and may be stopped"),
		ContainSubstring("open: cell cell-2 is back in service")))

	d.deleteDeployment(t)
}

// deleteDeployment lets BOSH take every cell at once. What the policies do not
// allow holds the last of them, until the people whose data it is let it go.
func (d *deployment) deleteDeployment(t *testing.T) {
	g := NewWithT(t)
	watch := d.watch(6)
	task := d.DeleteDeployment()
	d.eventually("moor stuck", "STUCK")
	d.eventually("moor app data", "6 of 6 serving")
	g.Expect(watch()).To(BeNumerically("<=", 1))
	d.must("moor delete data --force")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	g.Expect(d.Wait(ctx, task)).To(Succeed())
	g.Expect(d.unready).To(BeEmpty())
	said := d.logs["cell-0"] + d.logs["cell-1"] + d.logs["cell-2"] + d.logs["cell-3"]
	g.Expect(said).To(MatchRegexp(`STUCK: .* can help: .*; moor resolve`))
}

// The emergency exit works on the cell alone, and is told of afterwards.
func TestTheGateIsOpenedByHandWhileTheControlPlaneIsAway(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 2)
	var control int
	_, err := fmt.Sscan(d.must("moor dev processes --state-dir ../state | awk '$1 == \"control-plane\" {print $2}'"), &control)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(syscall.Kill(control, syscall.SIGSTOP)).To(Succeed())

	task := d.Deploy(fakedirector.Update{Action: "restart", MaxInFlight: "1"})
	g.Consistently(func() string { state, _ := d.State(task); return state }, "2s").ShouldNot(Equal("done"))
	d.must("moor gate open --dir " + d.gateDir("cell-0") + " --reason INC-1 --by olga")
	g.Eventually(func() string { d.mu.Lock(); defer d.mu.Unlock(); return d.logs["cell-0"] }, "30s").Should(ContainSubstring("OPENED BY HAND by olga (INC-1)"))

	g.Expect(syscall.Kill(control, syscall.SIGCONT)).To(Succeed())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	g.Expect(d.Wait(ctx, task)).To(Succeed(), "%v", d.logs)
	g.Expect(d.must("moor events --cell cell-0")).To(And(ContainSubstring("the gate of cell cell-0 was opened by hand"), ContainSubstring("INC-1")))
}

// A plan has BOSH do the work: one task for a group, whose order the gates
// give, and single actions for chosen cells.
func TestAPlanThroughBOSH(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	d.push()

	_, err := d.sh("moor roll --cells all --action recreate --via-bosh mooring/router")
	g.Expect(err).To(MatchError(ContainSubstring("deployment mooring has no instance group router; see: bosh -d mooring instances")))
	g.Expect(d.Tasks()).To(BeZero())

	watch := d.watch(6)
	began := time.Now()
	d.must("moor roll --name group --cells all --action recreate --via-bosh mooring/cell --wait")
	t.Logf("a whole group: %s", time.Since(began).Round(100*time.Millisecond))
	g.Expect(d.Tasks()).To(Equal(1), "BOSH was asked once")
	g.Expect(d.must("moor roll-status group")).To(ContainSubstring("6 of 6 done"))

	d.must("moor roll --name some --cells cell-0,cell-3 --action restart --via-bosh mooring/cell")
	d.eventually("moor roll-status some", "2 of 2 done")
	g.Expect(d.Tasks()).To(Equal(3), "and once for each chosen cell")
	g.Expect(d.must("moor rolls")).NotTo(ContainSubstring("gate-"), "the gate let plans through that there were")

	// Somebody cancels the task while cells wait at the gate: they are turned
	// away, the plan is paused, and goes on one cell at a time.
	d.must("moor roll --name cut --cells all --action restart --via-bosh mooring/cell")
	d.eventually("moor roll-status cut", "settling")
	d.Director.Cancel(4)
	d.eventually("moor stuck", "plan cut is paused")
	g.Eventually(func() string { state, _ := d.State(4); return state }, "30s").Should(BeElementOf("cancelled", "error"))
	d.must("moor resume cut")
	for range 600 {
		if out := d.must("moor roll-status cut"); strings.Contains(out, "6 of 6 done") {
			break
		}
		_, _ = d.sh("moor stuck --json | grep -o 'cut[.a-z0-9-]*action-failed' | sort -u | while read id; do moor resolve $id retry --reason again; done")
		time.Sleep(200 * time.Millisecond) // a person looks again
	}
	g.Expect(d.must("moor roll-status cut")).To(ContainSubstring("6 of 6 done"))
	g.Expect(watch()).To(Equal(1), "the policy lets one instance be down at once")
	g.Expect(d.unready).To(BeEmpty())
	d.eventually("moor stuck", "nothing is stuck")
}
