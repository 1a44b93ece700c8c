package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// fails has BOSH fail to make the VM of a cell again, until it is mended.
func (d *deployment) fails(cell string, failing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing[cell] = failing
}

// failed is when BOSH last failed on a VM.
func (d *deployment) failed() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failedAt
}

// refuses has BOSH fail on a cell before it has touched it, until it is mended.
func (d *deployment) refuses(cell string, refusing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusing[cell] = refusing
}

// The action on a chosen cell takes a while and then fails, or is cancelled by
// somebody, and the cell is as it was. It is not begun again, at the cost of its
// instances, before somebody says so.
func TestAnActionOnAChosenCellThatFailsIsNotRepeated(t *testing.T) {
	d := deploy(t, 2)
	one := apps{"1": {2, 1}}
	d.push(one)
	held := func(t *testing.T) (plan string, task int, release func()) {
		g := NewWithT(t)
		inHand, release := d.holdHosts()
		task = d.Tasks() + 1
		plan = fmt.Sprintf("p%d", task)
		d.Must("moor roll --name " + plan + " --cells cell-1 --action restart --via-bosh mooring/cell")
		g.Eventually(inHand, "30s").Should(Equal(1))
		d.Eventually("moor why cell-1", fmt.Sprintf("BOSH task %d, last: Updating instance cell/cell-1 (1)", task))
		return plan, task, release
	}
	stays := func(t *testing.T, plan, says string, task int) {
		g := NewWithT(t)
		d.Eventually("moor stuck", plan+".cell-1.action-failed")
		g.Consistently(func() string { return d.Must("moor stuck || true") }, "4s", "200ms").Should(ContainSubstring(says))
		g.Expect(d.Tasks()).To(Equal(task))
		d.Must("moor resolve " + plan + ".cell-1.action-failed retry --reason mended")
		d.Eventually("moor roll-status "+plan, "1 of 1 done")
		g.Expect(d.Tasks()).To(Equal(task + 1))
		d.serve(one)
		d.nothingLeft()
	}
	d.run("it fails", func(t *testing.T) {
		d.refuses("cell-1", true)
		plan, task, release := held(t)
		release()
		NewWithT(t).Expect(d.ends(task)).To(MatchError(ContainSubstring("the agent does not answer")))
		d.refuses("cell-1", false)
		stays(t, plan, "the agent does not answer", task)
	})
	d.run("somebody cancels it", func(t *testing.T) {
		g := NewWithT(t)
		d.refuses("cell-1", true) // it gets no further
		plan, task, release := held(t)
		g.Expect(d.asOperator().Cancel(t.Context(), task)).To(Succeed())
		release()
		g.Expect(d.ends(task)).To(HaveOccurred())
		d.refuses("cell-1", false)
		stays(t, plan, "ended as ", task)
	})
	d.obeyed(nil, nil)
}

// One VM of a task that has a whole AZ in flight cannot be made again. What it
// spends holds the others at their gates, and BOSH ends no task before those in
// flight have ended: somebody is told at once, and the answer ends it.
func TestAVMThatBOSHFailsOnDoesNotHoldItsTaskForEver(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	d.push(spare)
	watch := d.watch(spare)
	d.fails("cell-0", true) // the first of three in its AZ
	d.Must("moor roll --name p --cells all --action recreate --via-bosh mooring/cell")
	g.Eventually(d.failed, "60s", "20ms").ShouldNot(BeZero())
	const alert = "p.cell-0.action-failed"
	g.Eventually(func() string { return d.Must("moor stuck --json || true") }, "30s", "20ms").Should(ContainSubstring(alert))
	// Who looked may have looked late: the alert says itself when it was raised.
	flagged, err := d.Client().Stuck(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	i := slices.IndexFunc(flagged, func(s model.Stuck) bool { return s.ID == alert })
	g.Expect(i).To(BeNumerically(">=", 0), "it is still open")
	late := flagged[i].FlaggedAt.Sub(d.failed())
	t.Logf("flagged %s after BOSH failed", late.Round(time.Millisecond))
	g.Expect(late).To(BeNumerically("<=", 2*time.Second))

	stuck := d.Must("moor stuck --json || true")
	g.Expect(stuck).To(And(ContainSubstring("BOSH task 1 failed on cell/cell-0 and goes on with those in flight: "), ContainSubstring("no hypervisor has room for the VM"), ContainSubstring("cloud ops")))
	g.Eventually(func() string { return d.Must("moor why cell-2") + d.Must("moor why cell-4") }, "30s").Should(And(
		ContainSubstring("no hypervisor has room for the VM"), ContainSubstring("moor resolve "+alert+" retry|skip|lost")), "who waits for it is told so, too")
	state, _ := d.State(1)
	g.Expect(state).To(Equal("processing"), "BOSH waits for those in flight")

	d.fails("cell-0", false)
	d.Must("moor resolve " + alert + " retry --reason 'there is room now'")
	g.Expect(d.ends(1)).To(MatchError(ContainSubstring("is error")), "the others are turned away, so that it can end")
	d.Eventually("moor roll-status p", "6 of 6 done")
	g.Expect(d.said("cell-2") + d.said("cell-4")).To(ContainSubstring("BOSH failed on cell cell-0, and its task is to end"))
	g.Expect(d.Tasks()).To(BeNumerically(">=", 3), "what was left was taken one at a time")
	d.obeyed(spare, watch())
	d.serve(spare)
	d.nothingLeft()
}

// Where the policies allow it, the others go on within the task, whatever
// becomes of the one that it failed on.
func TestCellsThatCanSpareAFailedOneGoOnWithinTheTask(t *testing.T) {
	g := NewWithT(t)
	two := apps{"1": {6, 2}}
	d := deploy(t, 6)
	d.push(two)
	watch := d.watch(two)
	d.fails("cell-0", true)
	d.Must("moor roll --name p --cells all --action recreate --via-bosh mooring/cell")
	d.Eventually("moor stuck", "p.cell-0.action-failed")
	g.Expect(d.ends(1)).To(MatchError(ContainSubstring("no hypervisor has room for the VM")))
	d.Eventually("moor roll-status p", "2 of 6 done")
	d.Eventually("moor stuck", "plan p is paused: ")

	d.fails("cell-0", false)
	d.Must("moor resolve p.cell-0.action-failed retry --reason mended")
	d.Eventually("moor roll-status p", "3 of 6 done")
	d.Must("moor resume p")
	d.Eventually("moor roll-status p", "6 of 6 done")
	d.obeyed(two, watch())
	d.serve(two)
	d.nothingLeft()
}

// While nobody hears of a task, that is told of, and no more once it is.
func TestADirectorThatCannotBeReachedWhileItsTaskGoesOnIsToldOf(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 2)
	d.push(apps{"1": {2, 1}})
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(release)
	d.mu.Lock()
	d.hold = hold
	d.mu.Unlock()
	d.Must("moor roll --name p --cells all --action restart --via-bosh mooring/cell")
	d.Eventually("moor roll-status p", "acting")
	d.Cut(true)
	g.Eventually(func() string { return d.Must("moor stuck || true") }, "60s", "200ms").Should(ContainSubstring("plan p is in BOSH's hands, and nobody hears of its task: BOSH task 1 goes on, and cannot be followed: calling the Director"))
	g.Expect(d.Must("moor why p")).To(ContainSubstring("cannot be followed"))
	d.Cut(false)
	release()
	d.Eventually("moor roll-status p", "2 of 2 done")
	d.nothingLeft()
	g.Expect(strings.Count(d.Must("moor events --plan p"), "nobody hears of its task")).To(BeNumerically(">=", 1))
}
