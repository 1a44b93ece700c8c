package gateorder

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestTheGateMayNotCostMoreThanItMay(t *testing.T) {
	g := NewWithT(t)
	ours := []time.Duration{90 * time.Second, 300 * time.Second, 100 * time.Second}
	gated := []time.Duration{120 * time.Second, 118 * time.Second, 10 * time.Second}
	ratio := median(gated) / median(ours)
	g.Expect(ratio).To(BeNumerically("~", 1.18, 0.001), "medians, so that one round that went wrong decides nothing")
	g.Expect(within(ratio, 1.15)).To(MatchError("bosh recreate through the gate took 1.180 times what Mooring's own order took, and may take 1.15 times"))
	g.Expect(within(ratio, 1.2)).To(Succeed())
	g.Expect(within(ratio, 0)).To(Succeed(), "nothing is asked of it")
	g.Expect(ours).To(HaveExactElements(90*time.Second, 300*time.Second, 100*time.Second), "rounds stay in their order")
}
