package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/redis/go-redis/v9"

	"mooring/client"
	"mooring/dev"
	"mooring/dev/devtest"
	rediskit "mooring/kits/redis"
	"mooring/kits/redis/nodetest"
)

// kept is one of moor's processes, started again whenever it ends until the test does.
type kept struct {
	mu       sync.Mutex
	running  *os.Process
	stopping bool
	said     bytes.Buffer // when it has ended
	ended    chan struct{}
}

// keepRunning runs moor with these arguments and puts its pid in a file.
func keepRunning(t *testing.T, pidFile string, env []string, args ...string) {
	t.Helper()
	p := &kept{ended: make(chan struct{})}
	// A test binary that is killed leaves nothing running.
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	start := func() (*exec.Cmd, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stopping {
			return nil, nil
		}
		cmd := exec.Command(devtest.Moor(), args...)
		cmd.Env, cmd.Stderr = append(append(os.Environ(), env...), dev.LifelineEnv+"=3"), &p.said
		cmd.ExtraFiles = []*os.File{theirs}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		p.running = cmd.Process
		return cmd, os.WriteFile(pidFile, fmt.Append(nil, cmd.Process.Pid), 0o600)
	}
	cmd, err := start()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		for cmd != nil && err == nil {
			_ = cmd.Wait()
			cmd, err = start()
		}
	}()
	t.Cleanup(func() {
		p.mu.Lock()
		p.stopping = true
		_ = p.running.Signal(syscall.SIGTERM)
		p.mu.Unlock()
		<-p.ended
		ours.Close()
		theirs.Close()
		if t.Failed() {
			t.Logf("moor %s said:\n%s", args[0], p.said.String())
		}
	})
}

// host runs the two processes of a cell at an address, with a certificate of
// its own towards the API; who is asked to stop its agent finds it by its pid
// file, and it is started again as monit would.
func (a *guardedAPI) host(id, az, address, ports, path string) {
	a.t.Helper()
	a.issue(id, "mooring-cells")
	run, socket := a.path(id), a.path(id+".sock")
	keepRunning(a.t, a.path(id+"-volumes.pid"), nil, "volume-manager", "--cell", id, "--boot", "one", "--socket", socket, "--run-dir", run,
		"--class", "name=persistent,root="+a.path(id+"-disk")+",capacity=1G,survives=recreate")
	keepRunning(a.t, a.path(id+".pid"), []string{"PATH=" + path}, "cell-agent", "--id", id, "--boot", "one", "--az", az, "--address", address, "--ports", ports, "--run-dir", run,
		"--volume-manager", socket, "--api", a.url, "--tls-ca", a.path("ca.pem"), "--tls-cert", a.path(id+".pem"), "--tls-key", a.path(id+".key"))
}

// Instances know nothing by which the API would let them in; a Redis Cluster
// forms all the same, through the cells, and keeps what it was given while every
// host is rolled.
func TestMembersFindEachOtherBehindAnAccessFile(t *testing.T) {
	nodetest.NeedServer(t)
	g := NewWithT(t)
	a := startGuarded(t, "5s", nil)
	must := func(args ...string) string {
		t.Helper()
		out, err := a.as("olga", args...)
		g.Expect(err).NotTo(HaveOccurred(), out)
		return out
	}
	bin := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "redis-node"), "mooring/kits/redis/cmd/redis-node").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	// No other process of this machine has this one's id.
	pid := os.Getpid()
	address := fmt.Sprintf("127.%d.%d.%d", 192+pid>>16, pid>>8&255, pid&255)
	for i := 1; i <= 3; i++ {
		a.host(fmt.Sprint("cell-", i), fmt.Sprint("z", i), address, fmt.Sprintf("1000%d-1000%d", 2*i, 2*i+1), bin+":"+os.Getenv("PATH"))
	}

	g.Eventually(func() int { return strings.Count(must("cells", "--json"), `"present": true`) }, "30s", "200ms").Should(Equal(3))

	manifest := strings.NewReplacer("instances: 6", "instances: 3", "healthy_for: 10s", "healthy_for: 1s").Replace(string(rediskit.Manifest()))
	a.write("redis.yml", []byte(manifest))
	must("create-volume-set", "redis-data", "--class", "persistent", "--count", "3", "--size", "50M")
	must("push", "-f", a.path("redis.yml"))
	var app client.AppView
	g.Eventually(func(g Gomega) {
		g.Expect(json.Unmarshal([]byte(must("app", "redis-data", "--json")), &app)).To(Succeed())
		g.Expect(app.Serving).To(Equal(3))
	}, "90s", "200ms").Should(Succeed(), "a node is healthy when it has its place in the cluster")

	var addresses []string
	for _, member := range app.Members {
		addresses = append(addresses, fmt.Sprintf("%s:%d", member.Address, member.Ports[0].Number))
	}
	db := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses})
	defer db.Close()
	g.Expect(db.ClusterInfo(t.Context()).Result()).To(And(ContainSubstring("cluster_state:ok"), ContainSubstring("cluster_known_nodes:3")))
	g.Expect(db.Set(t.Context(), "kept", "through the roll", 0).Err()).To(Succeed())

	a.write("plan.yml", []byte("name: kernel\ncells: all\naction: restart\nvia: {command: 'kill -TERM $(cat "+a.dir+"/$MOORING_CELL.pid)'}\n"))
	must("roll", a.path("plan.yml"))
	must("roll-status", "kernel", "--wait")
	g.Expect(db.Get(t.Context(), "kept").Result()).To(Equal("through the roll"))
	g.Expect(json.Unmarshal([]byte(must("app", "redis-data", "--json")), &app)).To(Succeed())
	g.Expect(app.Serving).To(Equal(3))
}
