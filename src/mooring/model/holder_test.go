package model

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestTheHolderOfARollIsReadBack(t *testing.T) {
	g := NewWithT(t)
	plan, cell, ok := ParseRollHolder(RollHolder("stemcell-1.915", "6f1c/2"))
	g.Expect(ok).To(BeTrue())
	g.Expect([]string{plan, cell}).To(Equal([]string{"stemcell-1.915", "6f1c/2"}))
	for _, other := range []string{"", "roll:", "roll:p", "p/c", UpdateHolder("roll:p/c"), ScaleHolder("a")} {
		_, _, ok := ParseRollHolder(other)
		g.Expect(ok).To(BeFalse(), other)
	}
}

func TestPeopleAreToldWhoHoldsAPermit(t *testing.T) {
	g := NewWithT(t)
	for holder, says := range map[string]string{
		RollHolder("stemcell-1", "cell-5"): "the roll of cell-5 in plan stemcell-1",
		UpdateHolder("4f1c"):               "the update of acme/prod/web",
		ScaleHolder("4f1c"):                "the scale-down of acme/prod/web",
		"somebody":                         "somebody",
	} {
		g.Expect(DescribeHolder(holder, "acme/prod/web")).To(Equal(says))
	}
}
