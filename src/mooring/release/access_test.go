package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/identity"
)

// What is rendered of who may do what is what the API reads.
func TestTheAPIReadsWhoMayDoWhat(t *testing.T) {
	g := NewWithT(t)
	jobs := renderEverything(t)
	for _, variant := range variants {
		ca, file := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "access.yml")
		g.Expect(os.WriteFile(ca, []byte(jobs["api"][variant].Files["config/tls/ca.pem"]), 0o600)).To(Succeed())
		text := strings.ReplaceAll(jobs["api"][variant].Files["config/access.yml"], "/var/vcap/jobs/api/config/uaa/ca.pem", ca)
		g.Expect(os.WriteFile(file, []byte(text), 0o600)).To(Succeed())
		_, err := identity.Load(file)
		g.Expect(err).NotTo(HaveOccurred(), variant)
	}
}
