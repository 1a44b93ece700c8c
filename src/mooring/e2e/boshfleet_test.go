package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
	"mooring/director/fakedirector"
)

// deployment is a fleet whose hosts are the VMs of a fake Director: pre-stop
// is `moor gate leave`, what BOSH does to a VM is `moor dev host`, post-start
// is `moor gate return`.
type deployment struct {
	*devtest.Fleet
	*fakedirector.Director

	t *testing.T
	// there is closed once the fleet is: BOSH may come to it from then on.
	there   chan struct{}
	mu      sync.Mutex
	unready []string // host actions that began with something left running
	logs    map[string]string
	// out are the cells that BOSH was given leave to stop and that have not
	// returned; most is how many those were at once.
	out  map[string]bool
	most int
	// hooksAPI is where the hooks look for the control plane.
	hooksAPI string
	// failing are the cells whose VM BOSH deletes and cannot make again, until
	// it is mended; failedAt is when that last was so.
	failing  map[string]bool
	failedAt time.Time
	// refusing are the cells that BOSH fails on before it has touched them.
	refusing map[string]bool
	// hold, unless nil, keeps BOSH from touching hosts that have leave.
	hold chan struct{}
	// halted says, of cells that BOSH has stopped, how it starts them again.
	halted map[string]string
	// inHand counts the hosts that BOSH does something to or is kept from.
	inHand int
	// went are the instances that BOSH has deleted, in their order.
	went []string
	// broken says, of cells whose VM cannot be made, how that ends: what waits
	// is sent why it failed, or nil when it can be made after all.
	broken map[string]chan error
}

// run is t.Run for a part of a test on one deployment.
func (d *deployment) run(name string, part func(t *testing.T)) {
	whole := d.t
	whole.Run(name, func(t *testing.T) {
		d.t = t
		defer func() { d.t = whole }()
		part(t)
	})
}

// deploy starts a fleet of cells, of which the control plane knows the
// Director. The control nodes are instances of the deployment too: VMs on which
// nothing runs but pre-stop, since the fleet is one process.
func deploy(t *testing.T, cells int, control ...string) *deployment {
	d := &deployment{t: t, logs: map[string]string{}, out: map[string]bool{}, there: make(chan struct{}), failing: map[string]bool{}, refusing: map[string]bool{}, halted: map[string]string{}, broken: map[string]chan error{}}
	cfg := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1", "z2"}, User: "moor", Password: "secret", UAA: true}
	for i := range cells {
		id := fmt.Sprintf("cell-%d", i)
		cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: id, AZ: fmt.Sprintf("z%d", i%2+1), Index: i, Bootstrap: i == 0, VM: fakedirector.VM{
			PreStop: func(ctx context.Context, env []string) error {
				<-d.there
				err := d.gate(ctx, id, "leave", env)
				d.isOut(id, err == nil)
				return err
			},
			Act: func(action string) error { <-d.there; return d.act(id, action) },
			PostStart: func(ctx context.Context) error {
				err := d.gate(ctx, id, "return", nil)
				d.isOut(id, false)
				return err
			},
		}})
	}
	for i, id := range control {
		cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: id, Group: "control", AZ: "z1", Index: i, Bootstrap: i == 0, VM: fakedirector.VM{
			PreStop: func(ctx context.Context, env []string) error {
				<-d.there
				return d.gate(ctx, id, "last", append(env, "MOORING_OTHERS="+d.URL))
			},
			Act: func(string) error { d.goes(id); return nil },
		}})
	}
	d.Director = fakedirector.New(cfg)
	for _, setting := range devtest.ServeDirector(t, d.Director) {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	t.Setenv("MOORING_DEPLOYMENT", cfg.Deployment)
	d.Fleet = devtest.Start(t, "--lease-ttl", "2s", "--cells", fmt.Sprint(cells), "--azs", "2")
	d.hooksAPI = d.URL
	close(d.there)
	t.Cleanup(d.Close)
	return d
}

// isOut notes that a cell is out of service for BOSH, or no longer.
func (d *deployment) isOut(cell string, out bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !out {
		delete(d.out, cell)
		return
	}
	d.out[cell] = true
	d.most = max(d.most, len(d.out))
}

// gate runs one of the gate's hooks as BOSH's agent does, and keeps what it
// prints.
func (d *deployment) gate(ctx context.Context, cell, step string, env []string) error {
	cmd := exec.CommandContext(ctx, devtest.Moor(), "gate", step, "--cell", cell, "--dir", d.gateDir(cell))
	d.mu.Lock()
	cmd.Env = append(append(os.Environ(), "MOORING_API="+d.hooksAPI), env...)
	d.mu.Unlock()
	said := &lines{d: d, cell: cell}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w:\n%s", err, said.own)
	}
	return nil
}

// lines takes what a hook prints.
type lines struct {
	d    *deployment
	cell string
	own  []byte
}

func (l *lines) Write(text []byte) (int, error) {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	l.own = append(l.own, text...)
	l.d.logs[l.cell] += string(text)
	return len(text), nil
}

func (d *deployment) gateDir(cell string) string { return filepath.Join(d.Dir, "gate", cell) }

// act does to a host what BOSH does to a VM after pre-stop.
func (d *deployment) act(cell, action string) error {
	d.mu.Lock()
	hold := d.hold
	d.inHand++
	d.mu.Unlock()
	if hold != nil {
		<-hold
	}
	left := d.runningOn(cell)
	d.mu.Lock()
	if len(left) > 0 && action != fakedirector.Start {
		d.unready = append(d.unready, fmt.Sprintf("%s of %s with instances %v running", action, cell, left))
	}
	broken := d.broken[cell]
	verb := action
	switch action {
	case fakedirector.Delete:
		verb, d.went = "retire", append(d.went, cell)
	case fakedirector.Stop:
		verb, d.halted[cell] = "halt", "restart"
	case fakedirector.Detach:
		verb, d.halted[cell] = "halt", "recreate"
	case fakedirector.Start:
		verb = d.halted[cell]
		delete(d.halted, cell)
	}
	failing, refusing := d.failing[cell], d.refusing[cell]
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.inHand--
		if failing {
			d.failedAt = time.Now()
		}
	}()
	if refusing {
		return errors.New("the agent does not answer")
	}
	if failing {
		_ = d.host("halt", cell)
		return errors.New("no hypervisor has room for the VM")
	}
	if broken != nil && action == fakedirector.Recreate {
		if err := d.host("halt", cell); err != nil {
			return err
		}
		if err := <-broken; err != nil {
			return err
		}
	}
	if verb == "" {
		return nil // it was not stopped
	}
	return d.host(verb, cell)
}

// goes notes that BOSH deletes an instance.
func (d *deployment) goes(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.went = append(d.went, id)
}

// gone gives what BOSH has deleted, in its order.
func (d *deployment) gone() []string { d.mu.Lock(); defer d.mu.Unlock(); return slices.Clone(d.went) }

// holdHosts keeps BOSH from touching hosts until they are released, and gives
// how many it has in its hands.
func (d *deployment) holdHosts() (inHand func() int, release func()) {
	hold := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold = hold
	release = sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.hold = nil
		close(hold)
	})
	d.t.Cleanup(release)
	return func() int { d.mu.Lock(); defer d.mu.Unlock(); return d.inHand }, release
}

// breaks has BOSH delete the VM of a cell and not get a new one, until a result
// is sent.
func (d *deployment) breaks(cell string) (result chan<- error) {
	broken := make(chan error)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken[cell] = broken
	d.t.Cleanup(func() { d.mends(cell); close(broken) })
	return broken
}

// mends has BOSH get new VMs of a cell again.
func (d *deployment) mends(cell string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.broken, cell)
}

// host acts on a host without asking anybody.
func (d *deployment) host(action, cell string) error {
	_, err := d.Sh(fmt.Sprintf("moor dev host --state-dir ../state %s %s", action, cell))
	return err
}

// sleeps is in the command line of every instance, before its app and index.
const sleeps = "86399."

// process is an instance of the fleet that runs.
type process struct{ app, index, cell string }

// running gives, from the processes of this machine alone, which instances of
// the fleet run, and on which cell.
func (d *deployment) running() []process {
	var found []process
	entries, err := os.ReadDir("/proc")
	if err != nil {
		panic(err)
	}
	cells := filepath.Join(d.StateDir(), "cells") + "/"
	for _, entry := range entries {
		command, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		if err != nil || !strings.HasPrefix(string(command), "sleep\x00"+sleeps) {
			continue
		}
		environment, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue
		}
		_, home, _ := strings.Cut("\x00"+string(environment), "\x00MOORING_HOST="+cells)
		cell, _, ours := strings.Cut(home, "/")
		if ours {
			name := strings.TrimRight(strings.TrimPrefix(string(command), "sleep\x00"+sleeps), "\x00")
			found = append(found, process{name[:1], name[1:], cell})
		}
	}
	return found
}

func (d *deployment) runningOn(cell string) []process {
	return slices.DeleteFunc(d.running(), func(p process) bool { return p.cell != cell })
}

// app is how many instances an app of the tests has, and how many of them may
// be away at once.
type app struct{ instances, limit int }

// apps of the tests, by the digit that their processes carry.
type apps map[string]app

// watch looks until it is ended, and gives for each app the most instances that
// were away at once: as the processes show, and as the control plane itself has
// it, by which one that runs and has not served for long enough is away too.
func (d *deployment) watch(of apps) (end func() map[string]int) {
	done, most := make(chan struct{}), make(chan map[string]int)
	api, base := d.Client(), d.t.Context()
	go func() {
		worst := map[string]int{}
		var looked time.Time
		for {
			if time.Since(looked) > 50*time.Millisecond {
				looked = time.Now()
				ctx, cancel := context.WithTimeout(base, time.Second)
				views, _ := api.Apps(ctx) // it may be killed by the test
				cancel()
				for _, view := range views {
					if name := strings.TrimPrefix(view.Name.Name, "app"); of[name].instances > 0 {
						worst[name] = max(worst[name], view.Disrupted+view.Down)
					}
				}
			}
			up := map[string]map[string]bool{}
			for _, p := range d.running() {
				if up[p.app] == nil {
					up[p.app] = map[string]bool{}
				}
				up[p.app][p.index] = true
			}
			for name, app := range of {
				worst[name] = max(worst[name], app.instances-len(up[name]))
			}
			select {
			case <-done:
				most <- worst
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() map[string]int { close(done); return <-most }
}

// push makes apps whose instances have data on the cells' persistent disks.
func (d *deployment) push(of apps) {
	for name, app := range of {
		d.Must(fmt.Sprintf(`cat > app%[1]s.yml <<'EOF'
applications:
- name: app%[1]s
  instances: %[2]d
  memory: 16M
  command: exec sleep %[4]s%[1]s$MOORING_INDEX
  health: {type: process, interval: 200ms}
  mounts: [{volume: data%[1]s, path: /data}]
  lifecycle:
    max_interrupted: %[3]d
    max_draining: %[3]d
    healthy_for: 300ms
    interrupt: {command: "sleep 0.1"}
    drain: {command: "sleep 0.1"}
EOF
moor create-volume-set data%[1]s --count %[2]d --size 16M --class persistent
moor push -f app%[1]s.yml`, name, app.instances, app.limit, sleeps))
	}
	d.serve(of)
}

// serve waits until every instance serves.
func (d *deployment) serve(of apps) {
	d.t.Helper()
	for name, app := range of {
		d.Eventually("moor app app"+name, fmt.Sprintf("%d of %[1]d serving", app.instances))
	}
}

// ends waits for a task and gives how it ended.
func (d *deployment) ends(task int) error {
	ctx, cancel := context.WithTimeout(d.t.Context(), 4*time.Minute)
	defer cancel()
	return d.Wait(ctx, task)
}

// obeyed checks what was seen while something was done to the fleet.
func (d *deployment) obeyed(of apps, worst map[string]int) {
	d.t.Helper()
	g := NewWithT(d.t)
	for name, app := range of {
		g.Expect(worst[name]).To(BeNumerically("<=", app.limit), "app%s lets %d instances be down at once", name, app.limit)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	g.Expect(d.unready).To(BeEmpty(), "no host is touched before everything on it has yielded")
}

// said gives what the gate of a cell has printed.
func (d *deployment) said(cell string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logs[cell]
}

// nothingLeft checks that no trace is left of rolls that are over.
func (d *deployment) nothingLeft() {
	d.t.Helper()
	d.Eventually("moor cells | grep -c cordoned || true", "0")
	d.Eventually("moor stuck", "nothing is stuck")
	d.Eventually("moor rolls | grep -cE ' (running|paused) ' || true", "0")
}
