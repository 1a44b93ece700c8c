package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestWhatLeavesACellGoesInStepsOfWhatThePolicyAllows(t *testing.T) {
	g := NewWithT(t)
	f := newFleet()
	both := model.Limit{Count: 2}
	f.add("files", 5, model.Policy{MaxInterrupted: model.Limit{Count: 3}, MaxDraining: model.Limit{Count: 1}, MaxDisrupted: &both})
	all := []int{0, 1, 2, 3, 4}
	g.Expect(f.crew("files").Steps(model.Interrupt, all)).To(Equal([][]int{{0, 1}, {2, 3}, {4}}), "the limit on both kinds counts")
	g.Expect(f.crew("files").Steps(model.Drain, all[:2])).To(Equal([][]int{{0}, {1}}))
	g.Expect(f.crew("files").Steps(model.Drain, nil)).To(BeEmpty())

	f.state("files", 1, model.Crashed)
	f.state("files", 4, model.Crashed)
	f.state("files", 2, model.Starting)
	g.Expect(f.crew("files").Steps(model.Interrupt, all)).To(Equal([][]int{{1, 4}, {0, 2}, {3}}), "what is down already goes together")

	f.add("never", 3, model.Policy{})
	g.Expect(f.crew("never").Steps(model.Interrupt, all[:3])).To(Equal([][]int{{0, 1, 2}}))
}
