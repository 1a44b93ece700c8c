package release

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// prepared is the manifest with ops files, as a Director understands it.
func prepared(t *testing.T, ops ...string) *deployment.Deployment {
	t.Helper()
	made, err := newDirector(t).Prepare(mooring(t, nil, ops...), nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return made
}

// On a first deploy the nodes that are started at a time have to be a majority,
// or none of them serves; later, the others have to be one.
func TestControlGroup_FormsAClusterAndIsThenUpdatedOneByOne(t *testing.T) {
	g := NewWithT(t)
	control := prepared(t).Group("control").Update
	g.Expect(control.ParallelFirstDeploy).To(BeTrue())
	for _, nodes := range []int{1, 3, 5, 7} {
		g.Expect(control.CanariesOf(nodes)).To(BeZero())
		g.Expect(control.MaxInFlightOf(nodes)).To(BeNumerically(">", nodes/2), "of %d on a first deploy", nodes)
	}
	for _, inAZ := range []int{1, 2} {
		g.Expect(control.MaxInFlightOf(inAZ)).To(Equal(1), "of %d in an AZ", inAZ)
	}
}

// A canary of the first AZ goes alone, and its plan is over before the others
// come to the gate.
func TestCellGroup_ComesToTheGateTogether(t *testing.T) {
	g := NewWithT(t)
	cells := prepared(t).Group("cell").Update
	for _, inAZ := range []int{1, 2, 30} {
		g.Expect(cells.CanariesOf(inAZ)).To(BeZero())
		g.Expect(cells.MaxInFlightOf(inAZ)).To(Equal(inAZ))
	}
}

// BOSH warns of an ambiguous request where an errand's job and an instance group
// have one name.
func TestErrands_AreNamedUnambiguously(t *testing.T) {
	for _, ops := range [][]string{nil, {"enable-roll-errand"}} {
		made := prepared(t, ops...)
		for _, group := range made.Groups {
			for _, job := range group.Instances[0].Jobs {
				if job.Errand {
					NewWithT(t).Expect(made.Group(job.Name)).To(BeNil(), "errand %s", job.Name)
				}
			}
		}
	}
}
