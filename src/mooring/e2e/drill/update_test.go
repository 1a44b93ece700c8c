package drill

import (
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// Updates wait for what is down as rolls do, and say so.
func TestAnUpdateWaitsForAnInstanceThatIsDown(t *testing.T) {
	t.Parallel()
	s := steady("timeout: 60s, progress_timeout: 20s")
	d := newDrill(t, s, nil, oneZone...)
	g := d.g
	cell := d.cellOf(1)
	g.Expect(syscall.Kill(d.agent(cell), syscall.SIGSTOP)).To(Succeed())
	g.Eventually(d.stuck, patience, "20ms").Should(ContainElement(HaveField("Kind", model.CellGone)))
	s.memory = "17M"
	pushed := time.Now()
	d.push(s)

	alert, seen := d.flagged(model.WaitingForBudget)
	met := pushed.Add(time.Second) // return_within
	d.t.Logf("flagged %s after its rule was met", seen.Sub(met).Round(time.Millisecond))
	g.Expect(seen.Sub(met)).To(BeNumerically("<=", soon))
	g.Expect(alert.FlaggedAt).To(BeTemporally(">=", met))
	g.Expect(alert.Owner).To(Equal(owner))
	g.Expect(alert.Index).To(Equal(1), "it names whose fault it is")
	g.Expect(alert.CellID).To(Equal(cell))
	g.Expect(alert.What).To(MatchRegexp("^the update of default/default/redis/[02] waits for default/default/redis/1, which is on cell " + cell + ", which does not answer"))
	g.Expect(alert.Answers).To(Equal([]model.Verb{model.Wait}))
	g.Expect(alert.Effects).To(HaveLen(1))

	g.Expect(syscall.Kill(d.agent(cell), syscall.SIGCONT)).To(Succeed())
	d.Eventually("moor app redis", "3 of 3 serving")
	g.Eventually(d.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}
