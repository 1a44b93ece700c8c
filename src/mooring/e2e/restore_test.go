package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev"
	"mooring/dev/devtest"
	"mooring/model"
)

// apart is a fleet whose etcd, control plane and cells are processes of their
// own, so that each can be stopped, and the state be put back, while the others
// go on.
type apart struct {
	t   *testing.T
	g   *WithT
	dir string // short: sockets lie in it
	api *client.Client

	etcdURL, peerURL, apiAddress, cellAddress string
	etcd, control                             *exec.Cmd
	lifeline                                  *os.File // theirs
	cells                                     int
}

// etcdTools holds etcd, etcdctl and etcdutl, as the release has them.
var etcdTools = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(devtest.Moor()), "etcd-tools") // removed with it
	build := exec.Command("go", "build", "-o", dir+"/", "tool")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building etcd's tools: %w:\n%s", err, out)
	}
	return dir, os.Rename(filepath.Join(dir, "server"), filepath.Join(dir, "etcd"))
})

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

func startApart(t *testing.T, cells int) *apart {
	t.Helper()
	g := NewWithT(t)
	_, err := etcdTools()
	g.Expect(err).NotTo(HaveOccurred())
	dir, err := os.MkdirTemp("", "moor")
	g.Expect(err).NotTo(HaveOccurred())
	theirs, ours, err := os.Pipe()
	g.Expect(err).NotTo(HaveOccurred())
	pid := os.Getpid()
	a := &apart{
		t: t, g: g, dir: dir, lifeline: theirs,
		etcdURL: "http://" + freePort(t), peerURL: "http://" + freePort(t), apiAddress: freePort(t),
		cellAddress: fmt.Sprintf("127.%d.%d.%d", 64+pid>>16, pid>>8&255, pid&255),
	}
	t.Cleanup(func() {
		a.stop(a.control)
		a.stop(a.etcd)
		ours.Close()
		theirs.Close()
		_ = os.RemoveAll(dir)
	})
	a.startEtcd()
	a.startControl()
	for range cells {
		a.addCell()
	}
	a.api, err = client.New(client.Config{Endpoints: []string{"http://" + a.apiAddress}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(a.present, "30s", "100ms").Should(Equal(cells))
	return a
}

func (a *apart) path(parts ...string) string {
	return filepath.Join(append([]string{a.dir}, parts...)...)
}

func (a *apart) start(name string, args ...string) *exec.Cmd {
	a.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	said := new(bytes.Buffer)
	cmd.Stderr, cmd.ExtraFiles = said, []*os.File{a.lifeline}
	cmd.Env = append(os.Environ(), dev.LifelineEnv+"=3")
	a.g.Expect(cmd.Start()).To(Succeed())
	a.t.Cleanup(func() {
		if a.t.Failed() {
			text := said.String()
			a.t.Logf("%s said:\n%s", name, text[max(0, len(text)-8000):])
		}
	})
	return cmd
}

func (a *apart) stop(cmd *exec.Cmd) {
	if cmd == nil || cmd.ProcessState != nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

func (a *apart) startEtcd() {
	a.t.Helper()
	tools, _ := etcdTools()
	a.etcd = a.start("etcd", filepath.Join(tools, "etcd"), "--name", "member", "--data-dir", a.path("store/etcd/data"),
		"--listen-client-urls", a.etcdURL, "--advertise-client-urls", a.etcdURL,
		"--listen-peer-urls", a.peerURL, "--initial-advertise-peer-urls", a.peerURL, "--initial-cluster", "member="+a.peerURL,
		"--max-txn-ops", "20000", "--log-level", "error")
}

func (a *apart) startControl() {
	a.t.Helper()
	a.control = a.start("the control plane", devtest.Moor(), "control-plane", "--etcd", a.etcdURL, "--listen", a.apiAddress, "--lease-ttl", "30s")
}

// addCell adds a cell, whose processes are started again when they end, as monit
// does.
func (a *apart) addCell() {
	a.t.Helper()
	a.cells++
	id := fmt.Sprint("cell-", a.cells)
	run, socket := a.path(id), a.path(id+".sock")
	keepRunning(a.t, a.path(id+"-volumes.pid"), nil, "volume-manager", "--cell", id, "--boot", "one", "--socket", socket, "--run-dir", run,
		"--class", "name=persistent,root="+a.path(id+"-disk")+",capacity=1G,survives=recreate",
		"--class", "name=shared,root="+a.path("shared")+",capacity=1G,survives=retire,floating")
	keepRunning(a.t, a.path(id+".pid"), nil, "cell-agent", "--id", id, "--boot", "one", "--az", "z1", "--address", a.cellAddress,
		"--ports", fmt.Sprintf("1%d000-1%[1]d999", a.cells), "--run-dir", run, "--volume-manager", socket, "--api", "http://"+a.apiAddress)
}

// restartAgent kills a cell's agent; another one takes its place.
func (a *apart) restartAgent(id string) {
	a.t.Helper()
	before := a.cell(id).Start
	pid, err := os.ReadFile(a.path(id + ".pid"))
	a.g.Expect(err).NotTo(HaveOccurred())
	number, err := strconv.Atoi(string(pid))
	a.g.Expect(err).NotTo(HaveOccurred())
	a.g.Expect(syscall.Kill(number, syscall.SIGKILL)).To(Succeed())
	a.g.Eventually(func() string { return a.cell(id).Start }, "30s", "100ms").ShouldNot(Equal(before))
}

func (a *apart) cell(id string) *client.CellView {
	a.t.Helper()
	view, err := a.api.Cell(a.t.Context(), id)
	a.g.Expect(err).NotTo(HaveOccurred())
	return view
}

func (a *apart) present() (n int) {
	cells, err := a.api.Cells(a.t.Context())
	if err != nil {
		return -1
	}
	for _, cell := range cells {
		if cell.Present {
			n++
		}
	}
	return n
}

func (a *apart) must(script string) string {
	a.t.Helper()
	out, err := a.sh(script)
	a.g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, out)
	return out
}

func (a *apart) sh(script string) (string, error) {
	tools, _ := etcdTools()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "MOORING_API=http://"+a.apiAddress, "PATH="+filepath.Dir(devtest.Moor())+":"+tools+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// writer is every instance: it says who it is, and counts in its volume.
const writer = `#!/bin/sh
eval "volume=\$MOORING_VOLUME_$(echo "$1" | tr a-z A-Z)"
echo $$ > "%[1]s/pid-$1-$CF_INSTANCE_INDEX"
echo "$volume" > "%[1]s/volume-$1-$CF_INSTANCE_INDEX"
n=$(cat "$volume/count" 2>/dev/null || echo 0)
while :; do
  n=$((n+1))
  echo $n > "$volume/new" && mv "$volume/new" "$volume/count"
  sleep 0.1
done
`

// push makes an app of so many instances on volumes of a class.
func (a *apart) push(name, class string, instances int) {
	a.t.Helper()
	a.g.Expect(os.WriteFile(a.path("writer.sh"), fmt.Appendf(nil, writer, a.dir), 0o755)).To(Succeed())
	a.g.Expect(os.WriteFile(a.path(name+".yml"), fmt.Appendf(nil, `applications:
- name: %[1]s
  owner: "team %[1]s"
  instances: %[2]d
  memory: 16M
  command: %[3]s/writer.sh %[1]s
  health: {type: command, command: 'true', interval: 100ms}
  mounts: [{volume: %[1]s, path: /data}]
  lifecycle: {max_interrupted: 1, max_draining: 1, drain: none, healthy_for: 200ms}
`, name, instances, a.dir), 0o644)).To(Succeed())
	a.must(fmt.Sprintf("moor create-volume-set %s --class %s --count %d --size 1M", name, class, instances))
	a.must("moor push -f " + name + ".yml")
	a.serves(name, instances)
}

func (a *apart) serves(name string, instances int) {
	a.t.Helper()
	a.g.Eventually(func() string { out, _ := a.sh("moor app " + name); return out }, "60s", "200ms").
		Should(ContainSubstring(fmt.Sprintf("%d of %[1]d serving", instances)))
}

// number reads a file with one number, 0 while there is none.
func (a *apart) number(name string) int {
	content, _ := os.ReadFile(name)
	n, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return n
}

func (a *apart) pid(app string, index int) int {
	return a.number(a.path(fmt.Sprintf("pid-%s-%d", app, index)))
}

func (a *apart) count(app string, index int) int {
	volume, err := os.ReadFile(a.path(fmt.Sprintf("volume-%s-%d", app, index)))
	a.g.Expect(err).NotTo(HaveOccurred())
	return a.number(filepath.Join(strings.TrimSpace(string(volume)), "count"))
}

// watch counts, from outside, how many instances of an app are down at worst
// until stop is called.
func (a *apart) watch(app string, instances int) (stop func() (worst int)) {
	done, worst := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				worst <- most
				return
			case <-tick.C:
			}
			down := 0
			for index := range instances {
				if pid := a.pid(app, index); pid == 0 || syscall.Kill(pid, 0) != nil {
					down++
				}
			}
			most = max(most, down)
		}
	}()
	return func() int { close(done); return <-worst }
}

// jobRestore puts a backup back by the script of the etcd job, on this machine's
// paths instead of a VM's.
func (a *apart) jobRestore(file string) {
	a.t.Helper()
	tools, _ := etcdTools()
	a.g.Expect(os.MkdirAll(a.path("jobs/etcd/bin"), 0o755)).To(Succeed())
	a.g.Expect(os.MkdirAll(a.path("jobs/etcd/config"), 0o755)).To(Succeed())
	a.g.Expect(os.MkdirAll(a.path("packages/mooring"), 0o755)).To(Succeed())
	a.g.Expect(os.Symlink(tools, a.path("packages/mooring/bin"))).To(Succeed())
	for _, script := range []string{"membership", "restore"} {
		text, err := os.ReadFile("../../../jobs/etcd/templates/" + script)
		a.g.Expect(err).NotTo(HaveOccurred())
		a.g.Expect(os.WriteFile(a.path("jobs/etcd/bin", script), bytes.ReplaceAll(text, []byte("/var/vcap"), []byte(a.dir)), 0o755)).To(Succeed())
	}
	a.g.Expect(os.WriteFile(a.path("jobs/etcd/config/cluster.env"), fmt.Appendf(nil,
		"NAME=member\nURL=%s\nPEER_URL=%s\nOTHERS=\nINITIAL_CLUSTER=member=%[2]s\nHEALTH_URL=%[1]s/readyz\n", a.etcdURL, a.peerURL), 0o644)).To(Succeed())
	out, err := a.sh("jobs/etcd/bin/restore " + file)
	a.g.Expect(err).To(HaveOccurred(), "etcd still runs")
	a.g.Expect(out).To(ContainSubstring("stop it first"))
	a.stop(a.etcd)
	a.must("jobs/etcd/bin/restore " + file)
	a.g.Expect(filepath.Glob(a.path("store/etcd/data.before-restore-*"))).To(HaveLen(1))
}

// plainRestore puts a backup back as it is, so that the revision goes back.
func (a *apart) plainRestore(file string) {
	a.t.Helper()
	a.stop(a.etcd)
	a.must(fmt.Sprintf("rm -r store/etcd/data; etcdutl snapshot restore %s --name member --initial-cluster member=%[2]s --initial-advertise-peer-urls %[2]s --data-dir store/etcd/data", file, a.peerURL))
}

// An instance that its cell cannot start is told with whoever has to see to it.
func TestBlocked_InstanceIsStuckWithAnOwner(t *testing.T) {
	t.Parallel()
	a := startApart(t, 1)
	g := a.g
	a.push("redis", "persistent", 1)
	volume, err := os.ReadFile(a.path("volume-redis-0"))
	g.Expect(err).NotTo(HaveOccurred())
	meta := filepath.Join(filepath.Dir(strings.TrimSpace(string(volume))), "meta.json")
	g.Expect(os.Rename(meta, meta+".away")).To(Succeed())
	g.Expect(syscall.Kill(a.pid("redis", 0), syscall.SIGKILL)).To(Succeed())

	blocked := And(HaveField("Kind", model.InstanceBlocked), HaveField("Owner", model.CloudOps), HaveField("What", ContainSubstring("is not a volume; move it away")))
	g.Eventually(func() ([]model.Stuck, error) { return a.api.Stuck(t.Context()) }, "60s", "200ms").Should(ContainElement(blocked))
	why := a.must("moor why cell-1")
	g.Expect(why).To(ContainSubstring("cloud ops must see to it"))
	g.Expect(why).NotTo(ContainSubstring("nobody needs to do anything"))

	g.Expect(os.Rename(meta+".away", meta)).To(Succeed())
	a.serves("redis", 1)
	g.Eventually(func() ([]model.Stuck, error) { return a.api.Stuck(t.Context()) }, "60s", "200ms").Should(BeEmpty())
}

// An old backup is put back under a fleet that runs: nothing that is in it stops,
// nobody's data is lost, and what came after it is named.
func TestRestore_OfAnOldBackupUnderARunningFleet(t *testing.T) {
	for name, how := range map[string]struct {
		restore func(*apart, string)
		// running: the control plane is not stopped meanwhile.
		running bool
	}{
		"as the job does it":                     {(*apart).jobRestore, false},
		"by hand, and the revision goes back":    {(*apart).plainRestore, false},
		"by hand, under a control plane at work": {(*apart).plainRestore, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startApart(t, 3)
			g := a.g
			a.push("redis", "persistent", 3)
			a.push("broker", "shared", 1)
			a.must("etcdctl --endpoints " + a.etcdURL + " snapshot save backup.db")

			// What the backup knows nothing of: agents that were started again, a
			// cell, an app with its volumes, and an epoch.
			a.restartAgent("cell-1")
			a.restartAgent("cell-2")
			a.addCell()
			g.Eventually(a.present, "30s", "100ms").Should(Equal(4))
			a.push("later", "persistent", 2)
			a.serves("redis", 3)
			holders, err := filepath.Glob(a.path("shared/*/holder.json"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(holders).To(HaveLen(1))
			hold := map[string]any{}
			raise := func() {
				content, err := os.ReadFile(holders[0])
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(json.Unmarshal(content, &hold)).To(Succeed())
				hold["epoch"] = 9
				content, err = json.Marshal(hold)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(os.WriteFile(holders[0]+".new", content, 0o600)).To(Succeed())
				g.Expect(os.Rename(holders[0]+".new", holders[0])).To(Succeed())
			}
			var pids, counts [3]int
			for i := range 3 {
				pids[i], counts[i] = a.pid("redis", i), a.count("redis", i)
			}
			laterCount := a.count("later", 0)
			worst := a.watch("redis", 3)

			if !how.running {
				a.stop(a.control)
			}
			raise()
			how.restore(a, "backup.db")
			a.startEtcd()
			if !how.running {
				a.startControl()
			}

			g.Eventually(func() bool {
				_, err := a.api.App(t.Context(), model.Name{Org: "default", Space: "default", Name: "later"})
				return client.NotFound(err)
			}, "60s", "100ms").Should(BeTrue(), "the state is the backup's")
			g.Eventually(a.present, "60s", "200ms").Should(Equal(4), "each cell registers again")
			a.serves("redis", 3)
			a.serves("broker", 1)
			g.Eventually(func() error { return syscall.Kill(a.pid("later", 0), 0) }, "30s", "100ms").
				Should(MatchError(syscall.ESRCH), "what the state does not know runs no more")
			later, err := os.ReadFile(a.path("volume-later-0"))
			g.Expect(err).NotTo(HaveOccurred())
			guid := filepath.Base(filepath.Dir(strings.TrimSpace(string(later))))
			g.Eventually(func() ([]model.Stuck, error) { return a.api.Stuck(t.Context()) }, "30s", "200ms").
				Should(ContainElement(And(HaveField("Kind", model.VolumeUnknown), HaveField("What", ContainSubstring(guid)))), "its data is named")
			g.Expect(a.count("later", 0)).To(BeNumerically(">=", laterCount), "and kept")
			g.Eventually(func() int64 {
				set, err := a.api.VolumeSet(t.Context(), model.Name{Org: "default", Space: "default", Name: "broker"})
				g.Expect(err).NotTo(HaveOccurred())
				return set.Volumes[0].Epoch
			}, "30s", "200ms").Should(BeNumerically(">", 9), "the volume is given an epoch that it takes")

			g.Expect(worst()).To(BeNumerically("<=", 1))
			for i := range 3 {
				g.Expect(a.pid("redis", i)).To(Equal(pids[i]), "it was not even started again")
				g.Expect(a.count("redis", i)).To(BeNumerically(">", counts[i]))
			}

			// And the fleet works: the app of later comes back, on new volumes.
			a.push("later", "persistent", 2)
		})
	}
}
