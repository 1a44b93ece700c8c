package deploys

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
	"mooring/director/fakedirector/deployment"
)

// everyNode changes the configuration of every node.
var everyNode = deployment.Ops{
	set("/instance_groups/name=control/jobs/name=etcd/properties/log_level?", "warn"),
	set("/instance_groups/name=cell/jobs/name=cell/properties/ports?", "10000-18999"),
}

// newStemcell is deployed by those who upload one.
var newStemcell = deployment.Ops{set("/stemcells/alias=default/os", "ubuntu-noble")}

// What the README and docs/bosh-deploy.md say, from an empty Director to an
// empty Director and back, with a service on the fleet that can spare one
// instance: BOSH may do what it does, and no second one is ever away.
func TestDeploy_FromEmptyToDeletedAndBack(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	s.deploy(t, asked{})
	g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
	app := s.push(t, "data", 5)

	own := deployment.Ops{}
	for _, change := range []struct {
		what string
		own  deployment.Ops
		how  fakedirector.Deploy
	}{
		{"configuration", everyNode, fakedirector.Deploy{}},
		{"a new stemcell", newStemcell, fakedirector.Deploy{}},
		{"five cells instead of six", deployment.Ops{set("/instance_groups/name=cell/instances", 5)}, fakedirector.Deploy{}},
		{"nothing", nil, fakedirector.Deploy{}},
		{"--recreate", nil, fakedirector.Deploy{Recreate: true}},
	} {
		t.Log(change.what)
		own = append(own, change.own...)
		end := app.watch(t)
		s.deploy(t, asked{own: own, how: change.how})
		app.serves(t)
		saw := end()
		g.Expect(saw.most).To(BeNumerically("<=", 1), "%s: instances away at once, at %s", change.what, saw.when.Format(time.TimeOnly))
	}
	g.Expect(s.on("cell")).To(HaveLen(5))

	app.delete(t)
	g.Expect(s.ends(t, s.DeleteDeployment())).To(Succeed())
	g.Expect(s.Deployed()).To(BeNil())

	s.deploy(t, asked{})
	g.Expect(s.errand(t, "smoke-tests")).To(HaveSuffix("passed\n"))
	g.Expect(strings.TrimSpace(s.moor(t, "", "apps", "--json"))).To(Equal("[]"))
}
