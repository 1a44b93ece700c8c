package e2e

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
)

// wayward is an app of two instances, on cells of both AZs, and what makes it
// so.
func (d *deployment) wayward(lifecycle string) {
	d.Must(fmt.Sprintf(`cat > app2.yml <<'EOF'
applications:
- name: app2
  instances: 2
  memory: 16M
  command: exec sleep %s2$MOORING_INDEX
  health: {type: process, interval: 200ms}
  mounts: [{volume: data2, path: /data}]
  lifecycle: {max_draining: 1, healthy_for: 300ms, drain: none, %s}
EOF
moor volume-sets | grep -q data2 || moor create-volume-set data2 --count 2 --size 16M --class persistent
moor push -f app2.yml`, sleeps, lifecycle))
}

// converges has BOSH take all cells through a plan.
func (d *deployment) converges(plan, onStuck string) {
	d.Must(fmt.Sprintf(`moor roll - <<'EOF'
name: %s
cells: all
action: restart
on_stuck: %s
via: {bosh: {deployment: mooring, instance_group: cell}}
EOF`, plan, onStuck))
}

// A cell that a policy never lets go holds itself alone: BOSH is told to pass
// over it, as long as it has to be, and its task goes on to the last AZ.
func TestCellsThatMayNeverGoDoNotHoldBOSHsTask(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	of := apps{"1": {5, 1}, "2": {2, 0}}
	d.push(apps{"1": {5, 1}})
	d.wayward("max_interrupted: 0")
	d.serve(of)
	watch := d.watch(of)
	d.converges("p", "hold")
	d.Eventually("moor roll-status p", "4 of 6 done")
	g.Expect(d.ends(2)).To(Succeed(), "the first task looked up what is ignored")
	g.Expect(d.Tasks()).To(Equal(2))
	d.obeyed(of, watch())
	d.Eventually("moor stuck --json | grep -c '\"kind\": \"policy-forbids\"'", "2")
	g.Eventually(d.Ignored, "30s").Should(BeEmpty(), "the resurrector has them again")

	d.wayward("max_interrupted: 1") // somebody sees to it
	d.Eventually("moor roll-status p", "6 of 6 done")
	g.Expect(d.Tasks()).To(Equal(4), "each is taken by itself")
	d.serve(of)
	d.nothingLeft()
}

// Of a plan that skips what is stuck, BOSH's task fails on a cell that was
// skipped when it had come to it. The next AZ is taken by another task.
func TestAPlanThatSkipsACellGoesOnInAnotherTask(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	of := apps{"1": {5, 1}, "2": {2, 1}}
	d.push(apps{"1": {5, 1}})
	d.wayward(`max_interrupted: 1, interrupt: {command: "sleep 3600", timeout: 60s, progress_timeout: 1s}`)
	d.serve(of)
	watch := d.watch(of)
	d.converges("p", "skip")
	d.Eventually("moor roll-status p", "4 of 6 done")
	d.Eventually("moor rolls | grep '^p '", "done")
	g.Expect(d.ends(1)).NotTo(Succeed(), "it failed on the one of the first AZ")
	g.Expect(d.ends(3)).NotTo(Succeed(), "on the one of the second")
	g.Expect(d.Tasks()).To(Equal(3))
	g.Eventually(d.Ignored, "30s").Should(BeEmpty())
	g.Expect(d.Must("moor roll-status p")).To(ContainSubstring("2 dropped"))
	d.obeyed(of, watch())
	d.serve(of)
	d.nothingLeft()
}
