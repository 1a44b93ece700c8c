package tarball

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// compile runs the packaging scripts and returns where they installed to.
func compile(t *testing.T, work, release string, packages []manifestEntry) string {
	t.Helper()
	installed := filepath.Join(work, "installed")
	prefix, how := cutOff()
	t.Log("packaging runs " + how)
	for _, name := range inOrder(t, packages) {
		target, build := filepath.Join(installed, name), filepath.Join(work, "compile", name)
		for _, dir := range []string{target, build} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		run(t, exec.Command("tar", "-xzf", filepath.Join(release, "packages", name+".tgz"), "-C", build))
		// Packages find each other where this VM's are.
		run(t, exec.Command("sed", "-i", "s#/var/vcap/packages#"+installed+"#g", filepath.Join(build, "packaging")))
		// Other tests run meanwhile, against the clock.
		packaging := exec.CommandContext(t.Context(), "nice", append(slices.Clone(prefix), "bash", "-x", "packaging")...)
		packaging.Dir = build
		packaging.Env = []string{
			"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1",
			"BOSH_COMPILE_TARGET=" + build, "BOSH_INSTALL_TARGET=" + target, "BOSH_PACKAGE_NAME=" + name, "BOSH_PACKAGE_VERSION=1",
		}
		run(t, packaging)
		took := packaging.ProcessState
		t.Logf("package %s: %s on one processor", name, (took.UserTime() + took.SystemTime()).Round(time.Second))
	}
	return installed
}

// inOrder gives packages so that each comes after those it depends on.
func inOrder(t *testing.T, packages []manifestEntry) []string {
	t.Helper()
	var order []string
	for len(order) < len(packages) {
		next := slices.IndexFunc(packages, func(p manifestEntry) bool {
			missing := slices.ContainsFunc(p.Dependencies, func(name string) bool { return !slices.Contains(order, name) })
			return !slices.Contains(order, p.Name) && !missing
		})
		if next < 0 {
			t.Fatalf("after %s, every package depends on one that is not there", strings.Join(order, ", "))
		}
		order = append(order, packages[next].Name)
	}
	return order
}

// cutOff gives the command that runs another without a network, and how.
func cutOff() (prefix []string, how string) {
	for _, unshare := range [][]string{{"unshare", "--net"}, {"unshare", "--net", "--map-root-user"}} {
		if exec.Command(unshare[0], append(unshare[1:], "true")...).Run() == nil {
			return unshare, "in a network namespace without a network"
		}
	}
	return nil, "with the network cut by an unroutable proxy alone, since this user may not make a network namespace"
}
