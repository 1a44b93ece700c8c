package tarball

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	commit := strings.TrimSpace(run(t, exec.Command("git", "-C", top, "rev-parse", "--short=12", "HEAD")))
	for command, says := range map[string]string{"etcd --version": "etcd Version: 3.", "etcdctl version": "etcdctl version: 3.", "etcdutl version": "etcdutl version: 3.", "moor --version": "moor version " + commit} {
		words := strings.Fields(command)
		NewWithT(t).Expect(run(t, exec.Command(filepath.Join(installed, fromModule, "bin", words[0]), words[1:]...))).To(ContainSubstring(says))
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
	g.Expect(listing(t, filepath.Join(release, "packages", toolchain+".tgz"))).To(Equal(map[string]bool{"packaging": true, toolchainBlob(t): true}))
	files := listing(t, filepath.Join(release, "packages", fromModule+".tgz"))
	g.Expect(files).To(And(HaveKey("packaging"), HaveKey(fromModule+"/go.mod"), HaveKey(fromModule+"/vendor/modules.txt")))
	checkImported(t, files)
	checkBuilds(t)
	tracked := run(t, exec.Command("git", "-C", top, "ls-files"))
	g.Expect(tracked).NotTo(MatchRegexp(`(?m)(^|/)(vendor|blobs)/|\.(tgz|tar|gz|zip)$`), "third-party source or a blob is committed")
}

// checkImported looks for Go packages that nothing that is shipped imports.
// They would be packed, and would change the package when they change. Of other
// modules, vendor has what is imported on any system.
func checkImported(t *testing.T, files map[string]bool) {
	t.Helper()
	own, others := map[string]bool{}, map[string]bool{}
	for name := range files {
		path, isOther := strings.CutPrefix(name, fromModule+"/vendor/")
		if !isOther {
			NewWithT(t).Expect(path).NotTo(Or(HaveSuffix("_test.go"), ContainSubstring("/testdata/")), "exclude it in packages/%s/spec", fromModule)
		}
		switch {
		case !strings.HasSuffix(path, ".go"):
		case isOther:
			others[filepath.Dir(path)] = true
		default:
			own[filepath.Dir(path)] = true
		}
	}
	imported := shipped(t, "linux")
	NewWithT(t).Expect(without(own, imported)).To(BeEmpty(), "nothing that is shipped imports these: exclude them in packages/%s/spec", fromModule)
	for _, system := range []string{"windows", "plan9"} {
		maps.Copy(imported, shipped(t, system))
	}
	NewWithT(t).Expect(without(others, imported)).To(BeEmpty(), "nothing that is shipped imports these")
}

// without returns the names that are not among the others.
func without(names, others map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool { return others[name] })
}

// shipped returns the Go packages that make up the release's executables.
func shipped(t *testing.T, system string) map[string]bool {
	t.Helper()
	list := exec.Command("go", "-C", filepath.Join(top, "src", fromModule), "list", "-deps", "./cmd/moor", "tool")
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	packages := make(map[string]bool)
	for _, name := range strings.Fields(run(t, list)) {
		packages[name] = true
	}
	return packages
}

// checkBuilds looks that everything is compiled in one go, so that what the
// executables share is compiled once.
func checkBuilds(t *testing.T) {
	t.Helper()
	var builds []string
	for _, path := range specs(t, "packages") {
		script, err := os.ReadFile(filepath.Join(filepath.Dir(path), "packaging"))
		if err != nil {
			t.Fatal(err)
		}
		builds = append(builds, regexp.MustCompile(`(?m)^\s*go build .*$`).FindAllString(string(script), -1)...)
	}
	NewWithT(t).Expect(builds).To(HaveLen(1))
}
