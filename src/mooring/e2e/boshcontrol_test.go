package e2e

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

// The control plane is deployed with the cells and deleted with them, all at
// once. Its nodes go when no cell needs them any more.
func TestTheControlPlaneOutlivesItsCells(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 2, "control-0", "control-1", "control-2")
	of := apps{"1": {2, 1}}
	d.push(of)

	g.Expect(d.ends(d.Deploy(fakedirector.Update{Remove: []string{"control-2"}}))).To(Succeed())
	g.Expect(d.gone()).To(HaveExactElements("control-2"), "a node goes at once where another one serves")

	watch := d.watch(of)
	task := d.DeleteDeployment()
	control := []string{"control-0", "control-1"}
	for _, id := range control {
		g.Eventually(func() string { return d.said(id) }, "30s").Should(ContainSubstring(`the control plane goes after its cells, and 2 are left, cell-0, cell-1: the log of a cell's own pre-stop says what it waits for`))
	}
	d.Eventually("moor stuck", "STUCK")
	d.serve(of)
	d.obeyed(of, watch())
	g.Consistently(d.gone, "3s").Should(HaveExactElements("control-2"), "the data of the cells has nowhere to go: they wait, and the control plane with them")

	d.Must("moor delete app1 --force")
	g.Expect(d.ends(task)).To(Succeed())
	d.obeyed(nil, nil)
	g.Expect(d.gone()[:3]).To(ConsistOf("control-2", "cell-0", "cell-1"))
	g.Expect(d.gone()[3:]).To(ConsistOf(control))
	for _, id := range control {
		g.Expect(d.said(id)).To(ContainSubstring("open: no cell is left that needs the control plane"))
	}
}
