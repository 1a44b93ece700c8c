package deploys

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/director/fakedirector"
	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
	"mooring/release/compiled"
)

// top is the directory of the release.
const top = "../../../.."

func TestMain(m *testing.M) {
	status := m.Run()
	compiled.Remove()
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
	built, err := compiled.Packages(filepath.Join(top, "src", "mooring"))
	g.Expect(err).NotTo(HaveOccurred())
	dir, err := os.MkdirTemp("", "moor-vms-")
	g.Expect(err).NotTo(HaveOccurred())
	s := &site{}
	s.cloud, err = vm.NewCloud(vm.Config{Dir: dir, Packages: map[string]string{"mooring": filepath.Join(built, "mooring")}})
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
	s.planner.Cloud.Networks = s.cloud.Networks(s.planner.Cloud.AZs)
	s.Director = fakedirector.New(fakedirector.Config{
		Deployment: "mooring", Group: "cell", User: "moor", Password: "secret", UAA: true,
		Planner: s.planner, Cloud: s.cloud,
	})
	t.Cleanup(s.Director.Close)
	return s
}

// asked is what an operator gives `bosh deploy`: ops files by their names, with
// variables, and changes of the operator's own.
type asked struct {
	ops  []string
	vars map[string]any
	own  deployment.Ops
	how  fakedirector.Deploy
}

// set is an operator's own change of one value.
func set(path string, value any) deployment.Operation {
	return deployment.Operation{Type: "replace", Path: path, Value: value}
}

// manifest is what bosh sends for what was asked.
func (a asked) manifest(t *testing.T) any {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(top, "manifests", "mooring.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	var all []deployment.Ops
	for _, name := range a.ops {
		read, err := deployment.ReadOps(filepath.Join(top, "ops-files", name+".yml"))
		g.Expect(err).NotTo(HaveOccurred())
		all = append(all, read)
	}
	made, err := deployment.Interpolate(text, append(all, a.own), a.vars)
	g.Expect(err).NotTo(HaveOccurred())
	return made
}

// patience bounds a task of a test. What is slow here is BOSH's own waiting.
const patience = 10 * time.Minute

// ends returns how a task ended.
func (s *site) ends(t *testing.T, task int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return s.Wait(ctx, task)
}

// deploy deploys, and expects that it succeeds.
func (s *site) deploy(t *testing.T, what asked) {
	t.Helper()
	began := time.Now()
	NewWithT(t).Expect(s.ends(t, s.DeployManifest(what.manifest(t), what.how))).To(Succeed())
	t.Logf("deployed in %s", time.Since(began).Round(time.Second))
}

// errand runs an errand, and returns what it printed.
func (s *site) errand(t *testing.T, job string) string {
	t.Helper()
	task := s.RunErrand(job)
	NewWithT(t).Expect(s.ends(t, task)).To(Succeed(), s.Printed(task))
	return s.Printed(task)
}

// on returns the VMs of a group, in the order of their indexes.
func (s *site) on(group string) []*vm.VM {
	var all []*vm.VM
	for _, i := range s.instances(group) {
		all = append(all, s.VM(i.ID))
	}
	return all
}

// cells are the instances of the group cell; there are none where cells are
// elsewhere.
func (s *site) cells() []*deployment.Instance {
	if s.Deployed().Group("cell") == nil {
		return nil
	}
	return s.instances("cell")
}

func (s *site) instances(group string) []*deployment.Instance {
	all := slices.Clone(s.Deployed().Group(group).Instances)
	slices.SortFunc(all, func(a, b *deployment.Instance) int { return a.Index - b.Index })
	return all
}

// moor runs moor as an operator does on the first control node.
func (s *site) moor(t *testing.T, input string, args ...string) string {
	t.Helper()
	output, err := s.tryMoor(t, input, args...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "moor %s: %s", strings.Join(args, " "), output)
	return output
}

// tryMoor is moor for what may be refused.
func (s *site) tryMoor(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	cmd := s.on("control")[0].Command(t.Context(), "/usr/local/bin/moor", args...)
	cmd.Stdin = strings.NewReader(input)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// client calls the API from outside, with the operator's certificate.
func (s *site) client(t *testing.T) *client.Client {
	t.Helper()
	g := NewWithT(t)
	pair := s.planner.Config.Get(s.planner.Variable("mooring", "api_operator")).(map[string]any)
	certificate, err := tls.X509KeyPair([]byte(pair["certificate"].(string)), []byte(pair["private_key"].(string)))
	g.Expect(err).NotTo(HaveOccurred())
	roots := x509.NewCertPool()
	g.Expect(roots.AppendCertsFromPEM([]byte(pair["ca"].(string)))).To(BeTrue())
	var endpoints []string
	for _, node := range s.instances("control") {
		endpoints = append(endpoints, "https://"+node.IP+":7770")
	}
	// Names of BOSH DNS are known on its VMs alone.
	name := s.instances("control")[0].Address
	made, err := client.New(client.Config{Endpoints: endpoints, HTTP: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: roots, ServerName: name},
	}}})
	g.Expect(err).NotTo(HaveOccurred())
	return made
}
