package tarball

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

// fromModule is the package that is made from the Go module of its name under
// src; toolchain is the one that compiles it.
const fromModule, toolchain = "mooring", "golang-1-linux"

// pack is a package as its spec has it.
type pack struct {
	Name          string   `yaml:"name"`
	Dependencies  []string `yaml:"dependencies"`
	Files         []string `yaml:"files"`
	ExcludedFiles []string `yaml:"excluded_files"`
}

// manifest is release.MF, as far as the tests look at it.
type manifest struct {
	CommitHash  string          `yaml:"commit_hash,omitempty"`
	Uncommitted bool            `yaml:"uncommitted_changes,omitempty"`
	Jobs        []manifestEntry `yaml:"jobs"`
	Packages    []manifestEntry `yaml:"packages"`
}

type manifestEntry struct {
	Name         string   `yaml:"name"`
	Packages     []string `yaml:"packages,omitempty"`
	Dependencies []string `yaml:"dependencies,omitempty"`
}

// stage makes what `bosh create-release` would put into the tarball, for where
// there is no bosh.
func stage(t *testing.T, work, into string) {
	t.Helper()
	blobs := filepath.Join(work, "blobs")
	blob := filepath.Join(blobs, toolchainBlob(t))
	if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(filepath.Join(top, "scripts", "add-blobs"), "--only-archive", blob))
	checkIndex(t, blob)
	var listed manifest
	for _, path := range specs(t, "packages") {
		var p pack
		readYAML(t, path, &p)
		listed.Packages = append(listed.Packages, manifestEntry{Name: p.Name, Dependencies: p.Dependencies})
		p.archive(t, blobs, filepath.Join(work, "staging", p.Name), filepath.Join(into, "packages", p.Name+".tgz"))
	}
	for _, path := range specs(t, "jobs") {
		var spec struct {
			Packages  []string
			Templates map[string]string
		}
		readYAML(t, path, &spec)
		job := filepath.Base(filepath.Dir(path))
		listed.Jobs = append(listed.Jobs, manifestEntry{Name: job, Packages: spec.Packages})
		archiveJob(t, filepath.Dir(path), spec.Templates, filepath.Join(work, "staging", "job-"+job), filepath.Join(into, "jobs", job+".tgz"))
	}
	text, err := yaml.Marshal(listed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(into, "release.MF"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkIndex looks whether config/blobs.yml has the Go toolchain as it was made
// here, and so as bosh would list it: only then is nothing left to commit.
func checkIndex(t *testing.T, blob string) {
	t.Helper()
	var index map[string]struct {
		Size int
		SHA  string
	}
	readYAML(t, filepath.Join(top, "config", "blobs.yml"), &index)
	data, err := os.ReadFile(blob)
	if err != nil {
		t.Fatal(err)
	}
	g := NewWithT(t)
	g.Expect(index).To(HaveKey(toolchainBlob(t)), "run scripts/add-blobs and commit config/blobs.yml")
	g.Expect(index[toolchainBlob(t)].Size).To(Equal(len(data)))
	g.Expect(index[toolchainBlob(t)].SHA).To(Equal(fmt.Sprintf("sha256:%x", sha256.Sum256(data))))
}

// archive copies the package's files from src and from blobs, runs its
// pre_packaging on them, and packs them.
func (p pack) archive(t *testing.T, blobs, staging, into string) {
	t.Helper()
	for _, root := range []string{filepath.Join(top, "src"), blobs} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err == nil && matches(p.Files, name) && !matches(p.ExcludedFiles, name) {
				copyFile(t, path, filepath.Join(staging, name))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if script := filepath.Join(top, "packages", p.Name, "pre_packaging"); exists(script) {
		dir, err := filepath.Abs(top)
		if err != nil {
			t.Fatal(err)
		}
		prepare := exec.Command("bash", script)
		prepare.Env = append(os.Environ(), "BUILD_DIR="+staging, "RELEASE_DIR="+dir)
		run(t, prepare)
	}
	copyFile(t, filepath.Join(top, "packages", p.Name, "packaging"), filepath.Join(staging, "packaging"))
	archive(t, staging, into)
}

// archiveJob packs a job: its spec as job.MF, and what belongs to it.
func archiveJob(t *testing.T, job string, templates map[string]string, staging, into string) {
	t.Helper()
	copyFile(t, filepath.Join(job, "spec"), filepath.Join(staging, "job.MF"))
	for _, name := range []string{"monit", "properties_schema.json"} {
		if exists(filepath.Join(job, name)) {
			copyFile(t, filepath.Join(job, name), filepath.Join(staging, name))
		}
	}
	for name := range templates {
		copyFile(t, filepath.Join(job, "templates", name), filepath.Join(staging, "templates", name))
	}
	archive(t, staging, into)
}

func archive(t *testing.T, dir, into string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(into), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command("tar", "--use-compress-program=gzip -1", "-cf", into, "-C", dir, "."))
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return glob(pattern).MatchString(path) })
}

// stars are the wildcards of a quoted pattern, the longest first.
var stars = strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*\*`, `.*`, `\*`, `[^/]*`)

// glob makes a pattern of a package's spec a regular expression.
func glob(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + stars.Replace(regexp.QuoteMeta(pattern)) + "$")
}
