package e2e

import (
	"fmt"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector"
)

// drained counts how often each volume of the fleet was drained.
func (d *deployment) drained() map[string]int {
	counts := map[string]int{}
	ending := regexp.MustCompile(`volume (\S+) on \S+ may go: its instance was drained`)
	for _, found := range ending.FindAllStringSubmatch(d.Must("moor events --all --kind volume.ending"), -1) {
		counts[found[1]]++
	}
	return counts
}

// Cells that BOSH takes away together take nothing of each other, though only
// one instance may be drained at a time: each volume goes once, to where it
// stays.
func TestScaleIn_DrainsEachVolumeOnce(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 6)
	of := apps{"1": {6, 1}}
	d.push(of)
	watch := d.watch(of)
	task := d.Deploy(fakedirector.Update{Remove: []string{"cell-2", "cell-3", "cell-4", "cell-5"}, MaxInFlight: "100%"})
	g.Expect(d.ends(task)).To(Succeed())
	d.obeyed(of, watch())
	g.Expect(d.drained()).To(And(HaveLen(4), HaveEach(1)), "of one instance on each of six cells")
	d.serve(of)
	d.nothingLeft()
}

// A deployment that is deleted with its applications holds at once: nothing is
// drained from one cell that goes to another. What runs nothing goes.
func TestDeleteDeployment_HoldsWhileThereIsData(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 4)
	of := apps{"1": {3, 1}}
	d.push(of)
	watch := d.watch(of)
	task := d.DeleteDeployment()
	g.Eventually(d.gone, "30s").Should(HaveLen(1), "the empty cell")
	d.Eventually("moor stuck | grep -c '^STUCK .*no-room: '", "3")
	held := func() string {
		said := ""
		for cell := range 4 {
			said += d.said(fmt.Sprintf("cell-%d", cell))
		}
		return said
	}
	for index := range 3 {
		g.Eventually(held, "30s").Should(MatchRegexp(`retire-.* queued: STUCK: default/default/app1/%[1]d \(volume default/default/data1/%[1]d, owner: .*\) has to leave cell \S+, `+
			`and every other cell that could take it is leaving for good too: delete the application, or add a cell; `, index))
	}
	d.serve(of)
	d.obeyed(of, watch())
	g.Expect(d.Must("moor events --all --kind permit")).NotTo(ContainSubstring("drain"), "nothing was asked to go")

	d.Must("moor delete app1 --force")
	g.Expect(d.ends(task)).To(Succeed())
	g.Expect(d.gone()).To(HaveLen(4))
	g.Expect(d.drained()).To(BeEmpty())
}
