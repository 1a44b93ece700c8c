package tarball

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// workplace gives a directory that is removed in the end. Not t.TempDir, which
// cannot remove what the go command makes read-only.
func workplace(t *testing.T) string {
	t.Helper()
	work, err := os.MkdirTemp("", "tarball-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("chmod", "-R", "u+w", work).Run()
		_ = os.RemoveAll(work)
	})
	return work
}

// needModules skips the test where what the release is made from can neither be
// fetched nor was fetched before.
func needModules(t *testing.T, work string) {
	t.Helper()
	vendor := exec.Command("go", "-C", filepath.Join(top, "src", fromModule), "mod", "vendor", "-o", filepath.Join(work, "probe"))
	if output, err := vendor.CombinedOutput(); err != nil {
		t.Skipf("the modules of package %s cannot be had here, so there is no tarball: %s", fromModule, output)
	}
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte("module probe\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	download := exec.Command("go", "mod", "download", "golang.org/toolchain@v0.0.1-go"+goVersion(t)+".linux-amd64")
	download.Dir = work
	download.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	if output, err := download.CombinedOutput(); err != nil {
		t.Skipf("the Go toolchain cannot be had here, so there is no tarball: %s", output)
	}
}

// copyTree is what a fresh clone of the tree with its changes would be.
const copyTree = `set -euo pipefail
cd "$1"
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null -T - -c | tar -x -C "$2"
cd "$2"
git init -q
git add -A
git -c user.name=test -c user.email=test@example.com commit -qm test`

// create makes the release as an operator does, with the real bosh, and returns
// the directory that the tarball was unpacked into.
func create(t *testing.T, work string) string {
	t.Helper()
	tree, release := filepath.Join(work, "tree"), filepath.Join(work, "release")
	for _, dir := range []string{tree, release} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, exec.Command("bash", "-c", copyTree, "bash", top, tree))
	for _, version := range []string{"0.0.1", "0.0.2"} {
		// The second time the toolchain is there already, and so is a tarball.
		createRelease := exec.Command("scripts/create-release", "--tarball=mooring.tgz", "--version="+version)
		createRelease.Dir = tree
		run(t, createRelease)
		run(t, exec.Command("tar", "-xzf", filepath.Join(tree, "mooring.tgz"), "-C", release))
		checkCommit(t, tree, release)
	}
	return release
}

// checkCommit looks whether the release of a clean checkout is that commit's,
// and the checkout still clean.
func checkCommit(t *testing.T, tree, release string) {
	t.Helper()
	g := NewWithT(t)
	var made manifest
	readYAML(t, filepath.Join(release, "release.MF"), &made)
	g.Expect(made.Uncommitted).To(BeFalse(), "the release of a clean checkout says that it has uncommitted changes")
	g.Expect(run(t, exec.Command("git", "-C", tree, "rev-parse", "HEAD"))).To(HavePrefix(made.CommitHash))
	g.Expect(run(t, exec.Command("git", "-C", tree, "status", "--porcelain"))).To(BeEmpty(), "making the release left changes")
}

// unpacked gives the directory that the release's tarball was unpacked into:
// release.MF, jobs/*.tgz and packages/*.tgz. bosh makes it where it is on the
// PATH, and what the tests would stage in its place is compared with it.
func unpacked(t *testing.T, work string) string {
	t.Helper()
	staged := filepath.Join(work, "staged")
	if _, err := exec.LookPath("bosh"); err != nil {
		t.Log("bosh is not on the PATH: the tarball is what the tests stage in its place, and whether create-release leaves a checkout clean is not tested")
		stage(t, work, staged)
		return staged
	}
	t.Log("the tarball is made by bosh")
	release := create(t, work)
	stage(t, work, staged)
	archives, err := filepath.Glob(filepath.Join(staged, "*", "*.tgz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("nothing was staged: %v", err)
	}
	for _, ours := range archives {
		theirs := filepath.Join(release, filepath.Base(filepath.Dir(ours)), filepath.Base(ours))
		if err := same(listing(t, ours), listing(t, theirs)); err != nil {
			t.Errorf("%s is staged otherwise than bosh packs it: %v", filepath.Base(ours), err)
		}
	}
	return release
}

// same says in what two archives differ.
func same(ours, theirs map[string]bool) error {
	for name := range ours {
		if !theirs[name] {
			return fmt.Errorf("bosh does not pack %s", name)
		}
	}
	for name := range theirs {
		if !ours[name] {
			return fmt.Errorf("bosh packs %s as well", name)
		}
	}
	return nil
}
