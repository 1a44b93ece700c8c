package deploys

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
	"mooring/director/fakedirector/deployment"
)

// On a BOSH Lite all VMs share a kernel, whose boot is the same before and after
// a VM is recreated.
func TestDeploy_BOSHLiteRecreatesItsVM(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	lite := asked{ops: []string{"use-bosh-lite"}}
	s.deploy(t, lite)
	g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
	s.push(t, "data", 1)
	before := s.on("control")[0]

	lite.how = fakedirector.Deploy{Recreate: true}
	s.deploy(t, lite)
	g.Expect(s.on("control")[0]).NotTo(BeIdenticalTo(before))
	(&service{site: s, name: "data", instances: 1}).serves(t)

	// New configuration leaves the VM as it is.
	lite.how, lite.own = fakedirector.Deploy{}, deployment.Ops{set("/instance_groups/name=control/jobs/name=cell/properties/ports?", "10000-18999")}
	before = s.on("control")[0]
	s.deploy(t, lite)
	g.Expect(s.on("control")[0]).To(BeIdenticalTo(before))
	(&service{site: s, name: "data", instances: 1}).serves(t)
}
