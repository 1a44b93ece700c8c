package tarball

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// The tarball holds every job with all that belongs to it, and every package;
// its packages compile from that and nothing else, as BOSH compiles them: one
// after the other, in an empty environment, without a network.
func TestTheTarballCompilesWithoutANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	work := workplace(t)
	needModules(t, work)
	release := unpacked(t, work)
	var listed manifest
	readYAML(t, filepath.Join(release, "release.MF"), &listed)
	checkJobs(t, release, listed)
	checkPackages(t, release, listed)
	if t.Failed() {
		return
	}

	installed := compile(t, work, release, listed.Packages)
	for binary, says := range map[string]string{"etcd/bin/etcd": "etcd Version: 3.", "etcd/bin/etcdctl": "etcdctl version: 3.", "mooring/bin/moor": "moor version "} {
		argument := "--version"
		if binary == "etcd/bin/etcdctl" {
			argument = "version"
		}
		NewWithT(t).Expect(run(t, exec.Command(filepath.Join(installed, binary), argument))).To(ContainSubstring(says))
	}
}

func checkJobs(t *testing.T, release string, listed manifest) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(listed.Jobs).To(HaveLen(len(specs(t, "jobs"))))
	for _, path := range specs(t, "jobs") {
		var spec struct{ Templates map[string]string }
		readYAML(t, path, &spec)
		job := filepath.Base(filepath.Dir(path))
		files := listing(t, filepath.Join(release, "jobs", job+".tgz"))
		g.Expect(files).To(And(HaveKey("job.MF"), HaveKey("monit")), job)
		for name := range spec.Templates {
			g.Expect(files).To(HaveKey("templates/"+name), job)
		}
	}
}

// checkPackages looks for what must be there, and for what must not.
func checkPackages(t *testing.T, release string, listed manifest) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(listed.Packages).To(HaveLen(len(specs(t, "packages"))))
	for _, p := range listed.Packages {
		files := listing(t, filepath.Join(release, "packages", p.Name+".tgz"))
		if !slices.Contains(fromModules, p.Name) {
			g.Expect(files).To(Equal(map[string]bool{"packaging": true, toolchainBlob(t): true}))
			continue
		}
		g.Expect(files).To(And(HaveKey("packaging"), HaveKey(p.Name+"/go.mod"), HaveKey(p.Name+"/vendor/modules.txt")))
		for name := range files {
			own := !strings.HasPrefix(name, p.Name+"/vendor/")
			g.Expect(own && (strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/"))).To(BeFalse(), "package %s holds %s", p.Name, name)
		}
	}
	tracked := run(t, exec.Command("git", "-C", top, "ls-files"))
	g.Expect(tracked).NotTo(MatchRegexp(`(?m)(^|/)(vendor|blobs)/|\.(tgz|tar|gz|zip)$`), "third-party source or a blob is committed")
}
