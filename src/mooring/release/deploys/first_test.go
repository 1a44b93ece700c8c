package deploys

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

func TestDeploy_FromEmptyServes(t *testing.T) {
	g := NewWithT(t)
	s := newSite(t)
	g.Expect(s.wait(t, s.DeployManifest(manifest(t, nil), fakedirector.Deploy{}), 5*time.Minute)).To(Succeed())
	errand := s.RunErrand("smoke-tests")
	err := s.wait(t, errand, 5*time.Minute)
	t.Log(s.Printed(errand))
	g.Expect(err).NotTo(HaveOccurred())
}
