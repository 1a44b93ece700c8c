package e2e

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

// Who has to see to a cell that does not come back is told which task of BOSH
// has it, and what that said last.
func TestACellThatDoesNotReturnSaysWhatBOSHDoesWithIt(t *testing.T) {
	d := deploy(t, 4)
	of := apps{"1": {4, 1}}
	d.push(of)

	d.run("of a plan for chosen cells", func(t *testing.T) {
		g := NewWithT(t)
		result := d.breaks("cell-1")
		d.Must(`moor roll - <<'EOF'
name: one
cells: [cell-1]
action: recreate
via: {bosh: {deployment: mooring, instance_group: cell}, within: 2s}
EOF`)
		creating := `BOSH task 1, last: Updating instance cell/cell-1 \(1\): Creating VM, started \d+s ago`
		d.Eventually("moor stuck", "one.cell-1.cell-not-returned")
		g.Eventually(func() string { return d.Must("moor stuck") }, "20s").Should(MatchRegexp(`task: +` + creating))
		g.Expect(d.Must("moor why cell-1")).To(MatchRegexp(creating))
		g.Expect(d.Must("moor why one")).To(MatchRegexp(creating))
		g.Expect(d.Must("moor stuck --json")).To(ContainSubstring(`"last": "Updating instance cell/cell-1 (1): Creating VM, started"`))

		// It fails: nobody is kept waiting for what will not come.
		d.mends("cell-1")
		result <- errors.New("no hypervisor has room")
		d.Eventually("moor stuck", "one.cell-1.action-failed")
		g.Eventually(func() string { return d.Must("moor stuck") }, "20s").Should(And(
			MatchRegexp(`error: .*CPI error on cell/cell-1 \(1\): no hypervisor has room`),
			ContainSubstring("BOSH task 1, last: Updating instance cell/cell-1 (1): Creating VM, failed: CPI error on cell/cell-1 (1): no hypervisor has room")))
		d.Must("moor resolve one.cell-1.action-failed retry --reason 'room was made'")
		d.Eventually("moor roll-status one", "1 of 1 done")
		g.Expect(d.Tasks()).To(Equal(2), "it was tried once more, though the cell was away")
	})
	d.run("of a plan for the group", func(t *testing.T) {
		g := NewWithT(t)
		result := d.breaks("cell-2")
		d.Must(`moor roll - <<'EOF'
name: all
cells: all
action: recreate
via: {bosh: {deployment: mooring, instance_group: cell}, within: 5s}
EOF`)
		d.Eventually("moor why cell-2", "BOSH task 3, last: Updating instance: cell/cell-2 (2), stopping jobs")
		g.Expect(d.Must("moor why cell-1")).To(ContainSubstring("BOSH task 3"), "which has not come to it")
		d.Eventually("moor stuck", "all.cell-2.cell-not-returned")
		g.Expect(d.Must("moor stuck")).To(ContainSubstring("cell/cell-2 (2), stopping jobs"))
		d.mends("cell-2")
		result <- nil
		d.Eventually("moor roll-status all", "4 of 4 done")
	})
	d.run("that nobody planned", func(t *testing.T) {
		g := NewWithT(t)
		result := d.breaks("cell-3")
		task := d.Deploy(fakedirector.Update{Action: fakedirector.Recreate, MaxInFlight: "100%", User: "olga"})
		d.Eventually("moor why cell-3", "BOSH task 4, last: Updating instance: cell/cell-3 (3), stopping jobs")
		d.Eventually("moor cells | grep cell-3", "returning")
		d.mends("cell-3")
		result <- errors.New("no hypervisor has room")
		g.Expect(d.ends(task)).To(MatchError(ContainSubstring("no hypervisor has room")))
		d.Eventually("moor stuck", "cell/cell-3 (3), failed: CPI error on cell/cell-3 (3): no hypervisor has room")
		g.Expect(d.ends(d.Resurrect("cell-3"))).To(Succeed())
		d.serve(of)
		d.nothingLeft()
	})
	d.obeyed(nil, nil)
}
