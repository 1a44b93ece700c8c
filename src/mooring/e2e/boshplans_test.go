package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

// spare is an app that can spare one instance of six.
var spare = apps{"1": {6, 1}}

// A plan has BOSH do the work: one task for a group, whose order the gates
// give, and single actions for chosen cells.
func TestAPlanThroughBOSH(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	d.push(spare)
	watch := d.watch(spare)

	d.Must("moor roll --name group --cells all --action recreate --via-bosh mooring/cell --wait")
	g.Expect(d.Tasks()).To(Equal(1), "BOSH was asked once")
	g.Expect(d.Must("moor roll-status group")).To(ContainSubstring("6 of 6 done"))

	d.Must("moor roll --name some --cells cell-0,cell-3 --action restart --via-bosh mooring/cell")
	d.Eventually("moor roll-status some", "2 of 2 done")
	g.Expect(d.Tasks()).To(Equal(3), "and once for each chosen cell")

	// The orchestrator is killed while BOSH works: it follows the same task.
	d.Must("moor roll --name crash --cells all --action restart --via-bosh mooring/cell")
	d.Eventually("moor roll-status crash", "settling")
	g.Expect(syscall.Kill(d.controlPlane(), syscall.SIGKILL)).To(Succeed())
	d.Eventually("moor roll-status crash", "6 of 6 done")
	g.Expect(d.Tasks()).To(Equal(4))

	// So it does when the Director has been away.
	d.Must("moor roll --name away --cells all --action restart --via-bosh mooring/cell")
	d.Eventually("moor roll-status away", "settling")
	before := d.Refused()
	d.Cut(true)
	g.Eventually(d.Refused, "30s").Should(BeNumerically(">=", before+3), "it is asked for its task again")
	d.Cut(false)
	d.Eventually("moor roll-status away", "6 of 6 done")
	g.Expect(d.Tasks()).To(Equal(5))

	d.obeyed(spare, watch())
	g.Expect(d.Must("moor rolls")).NotTo(ContainSubstring("gate-"), "the gate let plans through that there were")
	d.nothingLeft()
}

// Whoever leads next cannot ask the Director about the task that there is. The
// plan is no worse for that: its cells go on as their gates let them, and the
// task is followed once the Director is back.
func TestTheLeaderChangesWhileTheDirectorIsAway(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 4)
	four := apps{"1": {4, 1}}
	d.push(four)
	watch := d.watch(four)
	inHand, release := d.holdHosts()
	d.Must("moor roll --name p --cells all --action restart --via-bosh mooring/cell")
	g.Eventually(inHand, "30s").Should(Equal(1))
	d.Eventually("moor rolls --json", `"last": "Updating instance: cell/`)
	d.Cut(true)
	g.Expect(syscall.Kill(d.controlPlane(), syscall.SIGKILL)).To(Succeed())
	// It is out of reach once it has not answered for half a minute.
	g.Eventually(func() string { out, _ := d.Sh("moor stuck"); return out }, "90s", "200ms").Should(ContainSubstring("plan p is in BOSH's hands, and nobody hears of its task: BOSH task 1 goes on, and cannot be followed: calling the Director"))
	release()
	g.Expect(d.ends(1)).To(Succeed(), "it needs nobody who follows it")
	d.Cut(false)
	d.Eventually("moor roll-status p", "4 of 4 done")
	g.Expect(d.Tasks()).To(Equal(1))
	g.Expect(d.Must("moor rolls")).NotTo(ContainSubstring("gate-"))
	d.obeyed(four, watch())
	d.serve(four)
	d.nothingLeft()
}

// Aborting a plan ends its task of BOSH as well. Cells in BOSH's hands come
// back first, and those it still comes to are turned away.
func TestAbortingAPlanThroughBOSHCancelsItsTask(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	d.push(spare)
	watch := d.watch(spare)
	inHand, release := d.holdHosts()
	d.Must("moor roll --name p --cells all --action recreate --via-bosh mooring/cell")
	g.Eventually(inHand, "30s").Should(Equal(1))
	d.Must("moor abort p --reason 'not tonight'")
	release()
	d.Eventually("moor rolls", "aborted")
	state, _ := d.State(1)
	g.Expect(state).To(BeElementOf("cancelled", "error"), "when the plan is over, so is its task")
	d.obeyed(spare, watch())
	g.Expect(d.Must("moor roll-status p || true")).To(And(ContainSubstring("done"), ContainSubstring("not tonight")))
	g.Expect(d.Must("moor rolls")).NotTo(ContainSubstring("gate-"), "nobody goes on without a plan")
	d.serve(spare)
	d.nothingLeft()

	// One that waits for the deployment leaves no task behind, and what holds
	// the deployment alone.
	other := d.Deploy(fakedirector.Update{Action: fakedirector.Restart, MaxInFlight: "1", User: "olga"})
	d.Must("moor roll --name q --cells all --action recreate --via-bosh mooring/cell")
	d.Eventually("moor stuck", fmt.Sprintf("deployment mooring is held by task %d (create deployment by olga)", other))
	d.Must("moor abort q --reason 'after all not'")
	g.Expect(d.ends(other)).To(Succeed(), "which is somebody else's")
	g.Expect(d.Tasks()).To(Equal(2))
	d.nothingLeft()
}

// Somebody cancels BOSH's task while cells wait at the gate: they are turned
// away, and go on as if nothing had been.
func TestCancellingATaskOfBOSHLeavesNobodyAtTheGate(t *testing.T) {
	d := deploy(t, 6)
	d.push(spare)
	ended := func(t *testing.T, task int) {
		t.Helper()
		NewWithT(t).Expect(d.ends(task)).To(MatchError(Or(ContainSubstring("is cancelled"), ContainSubstring("is error"))))
	}
	// count says how often the gates of the first AZ have said something.
	count := func(what string) func() int {
		return func() int { return strings.Count(d.said("cell-0")+d.said("cell-2")+d.said("cell-4"), what) }
	}
	const turnedAway = "is being cancelled; its instances go on"
	d.run("that nobody planned", func(t *testing.T) {
		g := NewWithT(t)
		watch := d.watch(spare)
		inHand, release := d.holdHosts()
		task := d.Deploy(fakedirector.Update{Action: fakedirector.Restart, MaxInFlight: "100%", User: "olga"})
		g.Eventually(inHand, "30s").Should(Equal(1))
		g.Eventually(count("queued: "), "30s").Should(BeNumerically(">=", 2), "the others wait for their turn")
		g.Expect(d.asOperator().Cancel(t.Context(), task)).To(Succeed())
		g.Eventually(count(turnedAway), "30s").Should(Equal(2), "of three, of which the policy lets one go at a time")
		g.Expect(count(fmt.Sprintf("BOSH task %d (create deployment by olga) %s", task, turnedAway))()).To(Equal(2))
		release()
		ended(t, task)
		d.serve(spare)
		d.nothingLeft()
		d.obeyed(spare, watch())
	})
	d.run("that is a plan's", func(t *testing.T) {
		g := NewWithT(t)
		watch := d.watch(spare)
		inHand, release := d.holdHosts()
		d.Must("moor roll --name cut --cells all --action restart --via-bosh mooring/cell")
		g.Eventually(inHand, "30s").Should(Equal(1))
		g.Expect(d.asOperator().Cancel(t.Context(), d.Tasks())).To(Succeed())
		g.Eventually(count(turnedAway), "30s").Should(Equal(4), "two more than before")
		release()
		ended(t, d.Tasks())
		d.Eventually("moor stuck", "plan cut is paused")
		d.Must("moor resume cut")
		g.Eventually(func() string {
			_, _ = d.Sh("moor stuck --json | grep -o 'cut[.a-z0-9-]*action-failed' | sort -u | while read id; do moor resolve $id retry --reason again; done")
			return d.Must("moor roll-status cut")
		}, "2m", "200ms").Should(ContainSubstring("6 of 6 done"), "the plan is not lost")
		d.obeyed(spare, watch())
		d.nothingLeft()
	})
}

// A cell goes without leave, and BOSH's resurrector brings it back: the outage
// spends the budget, is told of, and is over when the cell is back.
func TestTheResurrectorBringsBackWhatWentWithoutLeave(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 4)
	of := apps{"1": {4, 1}}
	d.push(of)
	g.Expect(d.host("halt", "cell-3")).To(Succeed())
	d.Eventually("moor stuck", "cell cell-3 does not answer; 1 of its instances cannot run anywhere else")

	d.Must("moor roll --name p --cells cell-0 --action restart --via-bosh mooring/cell")
	d.Eventually("moor why p", "cell-3")
	g.Expect(d.Tasks()).To(BeZero(), "the budget is spent")

	g.Expect(d.ends(d.Resurrect("cell-3"))).To(Succeed())
	d.Eventually("moor roll-status p", "1 of 1 done")
	d.serve(of)
	d.nothingLeft()

	// An instance that is ignored BOSH neither resurrects nor acts on. Who
	// planned to is told, and may try again.
	d.Ignore("cell-1", true)
	d.Must("moor roll --name q --cells cell-1 --action recreate --via-bosh mooring/cell")
	d.Eventually("moor stuck", "You need to unignore it first")
	g.Expect(d.ends(d.Resurrect("cell-1"))).To(Succeed())
	d.Ignore("cell-1", false)
	d.Must("moor resolve q.cell-1.action-failed retry --reason unignored")
	d.Eventually("moor roll-status q", "1 of 1 done")
	d.serve(of)
	d.nothingLeft()
	d.obeyed(nil, nil)
}

// controlPlane gives the process of the control plane.
func (d *deployment) controlPlane() (pid int) {
	d.t.Helper()
	if _, err := fmt.Sscan(d.Must("moor dev processes --state-dir ../state | awk '$1 == \"control-plane\" {print $2}'"), &pid); err != nil {
		d.t.Fatal(err)
	}
	return pid
}

// A deploy only restarts a cell that a plan wants recreated. The new boot that
// post-start waits for does not come, and people are told at once.
func TestPostStart_OfAHostThatWasOnlyRestartedIsStuck(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 2)
	two := apps{"1": {2, 1}}
	d.push(two)
	watch := d.watch(two)
	d.Must(`moor roll - <<'EOF'
name: p
cells: [cell-0]
action: recreate
via: {wait: true}
EOF`)
	task := d.Deploy(fakedirector.Update{Action: fakedirector.Restart, MaxInFlight: "1"})
	d.Eventually("moor stuck", "p.cell-0.cell-not-returned")
	const what = "cell cell-0 is not back from its recreate: BOSH says the host is back, but it has the same boot as before: it was restarted, not recreated"
	g.Expect(d.Must("moor stuck")).To(And(ContainSubstring(what), ContainSubstring("cloud ops")))
	g.Eventually(func() string { return d.said("cell-0") }, "30s").Should(ContainSubstring(
		"STUCK: " + what + "; cloud ops must see to it, or somebody answer: moor resolve p.cell-0.cell-not-returned retry|skip|lost --reason WHY"))

	d.Must("moor resolve p.cell-0.cell-not-returned retry --reason 'it must be recreated'")
	g.Eventually(func() string { return d.said("cell-0") }, "30s").Should(ContainSubstring("plan p begins the recreate of the cell anew"))
	g.Eventually(func() string { return d.said("cell-1") }, "30s").Should(ContainSubstring("asking for leave"), "BOSH goes on")
	g.Expect(d.host("recreate", "cell-0")).To(Succeed())
	d.Eventually("moor roll-status p", "1 of 1 done")
	g.Expect(d.ends(task)).To(Succeed())
	d.obeyed(two, watch())
	d.serve(two)
	d.nothingLeft()
}
