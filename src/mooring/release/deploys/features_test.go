package deploys

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
	"mooring/release/compiled"
)

// serve serves to the VMs until the test ends, and returns the address.
func (s *site) serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(s.cloud.Host().String(), "0"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(handler)
	server.Listener.Close()
	server.Listener = listener
	t.Cleanup(server.Close)
	return server
}

// sharedDirectory stands for a job that mounts the same directory on all cells
// of an AZ, as one for NFS does.
func sharedDirectory(dir string) deployment.Operation {
	return set("/instance_groups/name=cell/jobs/-", map[string]any{
		"name": "shared-directory", "release": "bpm", "properties": map[string]any{"from": dir, "at": "/var/vcap/data/shared"},
	})
}

// Everything that can be had besides, at once: plans through BOSH, an errand
// that starts one, alerts, floating volumes, tokens, update domains, a scraper,
// and a release that was compiled before.
func TestDeploy_WithEveryFeature(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	alerts := s.serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	alerts.Start()
	director := s.serve(t, s.Director)
	authority := deployment.NewConfigServer()
	known := generate(t, authority, "/director", map[string]any{"is_ca": true, "common_name": "director", "alternative_names": []any{s.cloud.Host().String()}})
	pair, err := tls.X509KeyPair([]byte(known["certificate"].(string)), []byte(known["private_key"].(string)))
	g.Expect(err).NotTo(HaveOccurred())
	director.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	director.StartTLS()
	s.At(director.URL)
	shared := t.TempDir()
	g.Expect(os.Chmod(shared, 0o777)).To(Succeed())
	with := asked{
		ops: []string{"enable-director", "enable-roll-errand", "enable-alertmanager", "enable-shared-volumes", "enable-prom-scraper", "enable-uaa",
			"set-cell-update-domains", "use-compiled-releases"},
		vars: map[string]any{
			"director_url": director.URL, "director_ca": known["certificate"], "director_client": "moor", "director_client_secret": "secret",
			"alertmanager_urls":   []any{alerts.URL},
			"shared_volumes_root": "/var/vcap/data/shared", "shared_volumes_capacity": "1G",
			"uaa_url": director.URL + "/oauth/token", "uaa_ca": known["certificate"],
			"cell_update_domains": 2, "cell_azs": 3,
			"mooring_release_url": "https://example.com/mooring.tgz", "mooring_release_sha1": "sha256:00", "mooring_release_version": "1.2.3",
			"stemcell_os": "ubuntu-jammy", "stemcell_version": "1.915",
		},
		own: deployment.Ops{sharedDirectory(shared)},
	}
	s.deploy(t, with)
	g.Expect(s.errand(t, "smoke-tests")).To(And(ContainSubstring("-floating: all instances serve again, with their data"), HaveSuffix("passed\n")))

	app := s.push(t, "data", 6)
	end := app.watch(t)
	g.Expect(s.errand(t, "roll-cells")).To(MatchRegexp(`plan roll-cells-\d{8}-\d{6} started: restart 6 cells`))
	g.Eventually(func() string { return s.moor(t, "", "plans") }, patience, time.Second).Should(MatchRegexp(`roll-cells-\d+-\d+ .*done`))
	app.serves(t)
	g.Expect(end().most).To(BeNumerically("<=", 1))
}

// generate has a config server make a certificate.
func generate(t *testing.T, by *deployment.ConfigServer, name string, options map[string]any) map[string]any {
	t.Helper()
	NewWithT(t).Expect(by.Generate(name, "certificate", options)).To(Succeed())
	return by.Get(name).(map[string]any)
}

// externalEtcd runs an etcd beside the VMs until the test ends, and returns the
// variables of use-external-etcd.yml for it.
func (s *site) externalEtcd(t *testing.T) map[string]any {
	t.Helper()
	g := NewWithT(t)
	own := deployment.NewConfigServer()
	host, dir := s.cloud.Host().String(), t.TempDir()
	generate(t, own, "/ca", map[string]any{"is_ca": true, "common_name": "somebody-elses-ca"})
	server := generate(t, own, "/server", map[string]any{"ca": "/ca", "common_name": "etcd", "alternative_names": []any{host}, "extended_key_usage": []any{"server_auth", "client_auth"}})
	client := generate(t, own, "/client", map[string]any{"ca": "/ca", "common_name": "mooring", "extended_key_usage": []any{"client_auth"}})
	for name, text := range map[string]any{"ca": server["ca"], "certificate": server["certificate"], "key": server["private_key"]} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text.(string)), 0o600)).To(Succeed())
	}
	built, err := compiled.Packages(filepath.Join(top, "src", "mooring"))
	g.Expect(err).NotTo(HaveOccurred())
	url := fmt.Sprintf("https://%s:2379", host)
	etcd := exec.Command(filepath.Join(built, "mooring/bin/etcd"), "--data-dir", filepath.Join(dir, "data"), "--max-txn-ops=20000", "--log-level=warn",
		"--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", fmt.Sprintf("http://%s:2380", host),
		"--initial-advertise-peer-urls", fmt.Sprintf("http://%s:2380", host), "--initial-cluster", fmt.Sprintf("default=http://%s:2380", host),
		"--client-cert-auth", "--trusted-ca-file", filepath.Join(dir, "ca"), "--cert-file", filepath.Join(dir, "certificate"), "--key-file", filepath.Join(dir, "key"))
	g.Expect(etcd.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = etcd.Process.Kill()
		_ = etcd.Wait()
	})
	return map[string]any{
		"external_etcd_hosts": []any{map[string]any{"address": host}}, "external_etcd_port": 2379,
		"external_etcd_ca": server["ca"], "external_etcd_client": client,
	}
}

// An etcd that somebody else runs, one control node, another name.
func TestDeploy_ExternalEtcd(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	vars := s.externalEtcd(t)
	vars["deployment_name"] = "second"
	s.deploy(t, asked{ops: []string{"use-external-etcd", "scale-to-one-az", "rename-deployment"}, vars: vars})
	g.Expect(filepath.Join(s.on("control")[0].Path("jobs"), "etcd")).NotTo(BeADirectory())
	g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
}

// everyOpsFile names the variable that has each ops file deployed alone.
const everyOpsFile = "MOORING_EVERY_OPS_FILE"

// Each ops file alone, from the first deploy over one that recreates every VM and
// takes a cell away, to the last and a new first one.
func TestDeploy_OpsFileAlone(t *testing.T) {
	if os.Getenv(everyOpsFile) == "" {
		t.Skip("each ops file alone is deployed by scripts/test-deploys; here they are deployed together")
	}
	files, err := filepath.Glob(filepath.Join(top, "ops-files", "*.yml"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := newSite(t)
			alone := s.alone(t, name)
			s.deploy(t, alone)
			g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
			whole := alone
			alone.how.Recreate = true
			if cells := len(s.cells()); cells > 1 {
				alone.own = append(slices.Clone(alone.own), set("/instance_groups/name=cell/instances", cells-1))
			}
			s.deploy(t, alone)
			g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
			g.Expect(s.ends(t, s.DeleteDeployment())).To(Succeed())
			s.deploy(t, whole)
			g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
		})
	}
}

// alone is an ops file with all that its variables may be.
func (s *site) alone(t *testing.T, name string) asked {
	t.Helper()
	a := asked{ops: []string{name}, vars: map[string]any{
		"alertmanager_urls": []any{"http://10.0.0.9:9093"}, "cell_azs": 3, "cell_update_domains": 2, "deployment_name": "second",
		"director_url": "https://10.0.0.6:25555", "director_ca": "", "director_client": "moor", "director_client_secret": "secret",
		"mooring_release_url": "https://example.com/mooring.tgz", "mooring_release_sha1": "sha256:00", "mooring_release_version": "1.2.3",
		"stemcell_os": "ubuntu-noble", "stemcell_version": "1.915",
		"shared_volumes_root": "/var/vcap/data/shared", "shared_volumes_capacity": "1G",
		"uaa_url": "https://uaa.example.com/oauth/token", "uaa_ca": "",
	}}
	switch name {
	case "use-external-etcd":
		maps.Copy(a.vars, s.externalEtcd(t))
	case "enable-shared-volumes":
		shared := t.TempDir()
		NewWithT(t).Expect(os.Chmod(shared, 0o777)).To(Succeed())
		a.own = deployment.Ops{sharedDirectory(shared)}
	}
	return a
}
