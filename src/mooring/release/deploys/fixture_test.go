package deploys

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// top is the directory of the release.
const top = "../../../.."

// packages builds what compilation makes of the release's packages, once.
var packages = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "mooring-packages-")
	if err != nil {
		return nil, err
	}
	for _, build := range [][]string{
		{"src/etcd", "etcd/bin/etcd", "go.etcd.io/etcd/server/v3"},
		{"src/etcd", "etcd/bin/etcdctl", "go.etcd.io/etcd/etcdctl/v3"},
		{"src/mooring", "mooring/bin/moor", "./cmd/moor"},
	} {
		if output, err := exec.Command("go", "-C", filepath.Join(top, build[0]), "build", "-o", filepath.Join(dir, build[1]), build[2]).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w: %s", build[2], err, output)
		}
	}
	return map[string]string{"etcd": filepath.Join(dir, "etcd"), "mooring": filepath.Join(dir, "mooring")}, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if built, _ := packages(); built != nil {
		_ = os.RemoveAll(filepath.Dir(built["mooring"]))
	}
	os.Exit(status)
}

// site is a Director with the release uploaded, and nothing deployed.
type site struct {
	*fakedirector.Director
	planner *deployment.Director
	cloud   *vm.Cloud
}

func newSite(t *testing.T) *site {
	t.Helper()
	if missing := vm.Missing(); missing != "" {
		t.Skip("nothing is deployed: " + missing)
	}
	g := NewWithT(t)
	built, err := packages()
	g.Expect(err).NotTo(HaveOccurred())
	dir, err := os.MkdirTemp("", "moor-vms-")
	g.Expect(err).NotTo(HaveOccurred())
	s := &site{}
	s.cloud, err = vm.NewCloud(vm.Config{Dir: dir, Packages: built})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		g.Expect(s.cloud.Close()).To(Succeed())
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	mooring, err := deployment.ReadRelease(top)
	g.Expect(err).NotTo(HaveOccurred())
	bpm, err := deployment.ReadRelease("testdata/bpm")
	g.Expect(err).NotTo(HaveOccurred())
	s.planner = &deployment.Director{
		Releases: map[string]*deployment.Release{"mooring": mooring, "bpm": bpm},
		Cloud:    deployment.DefaultCloud(), Config: deployment.NewConfigServer(),
	}
	network := deployment.Network{}
	for i, az := range s.planner.Cloud.AZs {
		four := s.cloud.Prefix().Addr().As4()
		network.Subnets = append(network.Subnets, deployment.Subnet{
			Range:   fmt.Sprintf("%d.%d.%d.0/24", four[0], four[1], i+1),
			Gateway: fmt.Sprintf("%d.%d.%d.1", four[0], four[1], i+1), AZs: []string{az},
		})
	}
	s.planner.Cloud.Networks = map[string]deployment.Network{"default": network}
	s.Director = fakedirector.New(fakedirector.Config{
		Deployment: "mooring", Group: "cell", User: "moor", Password: "secret", UAA: true,
		Planner: s.planner, Cloud: s.cloud,
	})
	t.Cleanup(s.Director.Close)
	return s
}

// manifest is the release's, with ops files of these names and variables.
func manifest(t *testing.T, vars map[string]any, ops ...string) any {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(top, "manifests", "mooring.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	var all []deployment.Ops
	for _, name := range ops {
		read, err := deployment.ReadOps(filepath.Join(top, "ops-files", name+".yml"))
		g.Expect(err).NotTo(HaveOccurred())
		all = append(all, read)
	}
	made, err := deployment.Interpolate(text, all, vars)
	g.Expect(err).NotTo(HaveOccurred())
	return made
}

// wait returns how a task ended.
func (s *site) wait(t *testing.T, task int, patience time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return s.Wait(ctx, task)
}
