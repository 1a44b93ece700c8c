package release

import (
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// The real bosh makes the release, in a copy of the tree, and the tarball holds
// every job and package.
func TestBOSHCreatesTheRelease(t *testing.T) {
	if _, err := exec.LookPath("bosh"); err != nil {
		t.Skip("bosh is not on the PATH, so the release is not created")
	}
	if testing.Short() {
		t.Skip("takes minutes")
	}
	g := NewWithT(t)
	tree := t.TempDir()
	output, err := exec.Command("bash", "-c", `set -euo pipefail; cd "$1"; git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$2"
		cd "$2"; git init -q; git add -A; git -c user.name=test -c user.email=test@example.com commit -qm test`, "bash", top, tree).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	tarball := filepath.Join(tree, "mooring.tgz")
	output, err = exec.Command(filepath.Join(tree, "scripts", "create-release"), "--tarball="+tarball, "--version=0.0.1").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	listing, err := exec.Command("tar", "-tzf", tarball).Output()
	g.Expect(err).NotTo(HaveOccurred())
	for name := range jobs(t) {
		g.Expect(string(listing)).To(ContainSubstring("jobs/" + name + ".tgz"))
	}
	for _, name := range []string{"golang-1-linux", "etcd", "mooring"} {
		g.Expect(string(listing)).To(ContainSubstring("packages/" + name + ".tgz"))
	}
}
