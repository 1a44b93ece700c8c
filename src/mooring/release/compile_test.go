package release

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// pack is a package of the release as its spec has it.
type pack struct {
	Name          string   `yaml:"name"`
	Dependencies  []string `yaml:"dependencies"`
	Files         []string `yaml:"files"`
	ExcludedFiles []string `yaml:"excluded_files"`
}

// glob makes a pattern of a package's spec a regular expression.
func glob(pattern string) *regexp.Regexp {
	text := regexp.QuoteMeta(pattern)
	for from, to := range map[string]string{`\*\*/`: `(.*/)?`, `\*\*`: `.*`} {
		text = strings.ReplaceAll(text, from, to)
	}
	return regexp.MustCompile("^" + strings.ReplaceAll(text, `\*`, `[^/]*`) + "$")
}

// stage copies a package's files from src, or from blobs, as bosh does.
func (p pack) stage(t *testing.T, blobs, into string) {
	t.Helper()
	matches := func(patterns []string, path string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return glob(pattern).MatchString(path) })
	}
	copied := 0
	for _, root := range []string{filepath.Join(top, "src"), blobs} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil || !matches(p.Files, name) || matches(p.ExcludedFiles, name) {
				return err
			}
			copied++
			if err := os.MkdirAll(filepath.Dir(filepath.Join(into, name)), 0o755); err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(into, name), data, 0o644)
		})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
	}
	NewWithT(t).Expect(copied).To(BeNumerically(">", 0), "package %s holds nothing", p.Name)
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

// latest is when a test must be done: a minute before all are ended.
func latest(t *testing.T) time.Time {
	if deadline, limited := t.Deadline(); limited {
		return deadline.Add(-time.Minute)
	}
	return time.Now().Add(time.Hour)
}

// The packages compile from what the release holds and nothing else: pre_packaging
// runs where the release is made, packaging with an empty environment and no
// network.
func TestThePackagesCompileOffline(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	t.Parallel()
	work, err := os.MkdirTemp("", "compile-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("chmod", "-R", "u+w", work).Run()
		_ = os.RemoveAll(work)
	})
	blobs := filepath.Join(work, "blobs")
	version := regexp.MustCompile(`(?m)^go (.*)$`).FindStringSubmatch(readFile(t, filepath.Join(top, "src", "mooring", "go.mod")))[1]
	toolchain := filepath.Join(blobs, "golang", "go"+version+".linux-amd64.tar.gz")
	if err := os.MkdirAll(filepath.Dir(toolchain), 0o755); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(filepath.Join(top, "scripts", "add-blobs"), "--only-archive", toolchain).CombinedOutput(); err != nil {
		t.Skipf("the Go toolchain cannot be had here: %s", output)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	prefix, how := cutOff()
	t.Log("packaging runs " + how)

	var packages []pack
	for _, name := range []string{"golang-1-linux", "etcd", "mooring"} {
		var p pack
		readYAML(t, filepath.Join(top, "packages", name, "spec"), &p)
		NewWithT(t).Expect(p.Name).To(Equal(name))
		packages = append(packages, p)
	}
	installed := filepath.Join(work, "packages")
	for _, p := range packages {
		began := time.Now()
		build := filepath.Join(work, "build", p.Name)
		p.stage(t, blobs, build)
		prePackaging := filepath.Join(top, "packages", p.Name, "pre_packaging")
		if _, err := os.Stat(prePackaging); err == nil {
			probe := exec.Command("go", "-C", filepath.Join(top, "src", p.Name), "mod", "vendor", "-o", filepath.Join(work, "probe", p.Name))
			if output, err := probe.CombinedOutput(); err != nil {
				t.Skipf("the modules of package %s cannot be had here: %s", p.Name, output)
			}
			prepare := exec.Command("bash", prePackaging)
			prepare.Env = append(os.Environ(), "BUILD_DIR="+build)
			output, err := prepare.CombinedOutput()
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), "package %s:\n%s", p.Name, output)
		}
		target := filepath.Join(installed, p.Name)
		if err := os.MkdirAll(target, 0o755); err != nil {
			t.Fatal(err)
		}
		script := strings.ReplaceAll(readFile(t, filepath.Join(top, "packages", p.Name, "packaging")), "/var/vcap/packages", installed)
		if err := os.WriteFile(filepath.Join(build, "packaging"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(strings.TrimSpace(string(cache)), filepath.Join(build, ".go-cache")); err != nil {
			t.Fatal(err)
		}
		// Other tests run meanwhile, against the clock.
		ctx, cancel := context.WithDeadline(t.Context(), latest(t))
		defer cancel()
		compile := exec.CommandContext(ctx, "nice", append(slices.Clone(prefix), "bash", "packaging")...)
		compile.Dir = build
		compile.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + build, "BOSH_INSTALL_TARGET=" + target, "BOSH_COMPILE_TARGET=" + build,
			"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1"}
		compile.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		compile.Cancel = func() error { return syscall.Kill(-compile.Process.Pid, syscall.SIGKILL) }
		output, err := compile.CombinedOutput()
		if ctx.Err() != nil {
			t.Skipf("package %s did not compile in the time that tests have: this machine is too busy", p.Name)
		}
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), "package %s:\n%s", p.Name, output)
		t.Logf("package %s: %s", p.Name, time.Since(began).Round(time.Second))
	}
	for binary, says := range map[string]string{"etcd/bin/etcd": "etcd Version: 3.", "etcd/bin/etcdctl": "etcdctl version: 3.", "mooring/bin/moor": "moor version "} {
		argument := "version"
		if binary != "etcd/bin/etcdctl" {
			argument = "--version"
		}
		output, err := exec.Command(filepath.Join(installed, binary), argument).CombinedOutput()
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(string(output)).To(ContainSubstring(says))
	}
}
