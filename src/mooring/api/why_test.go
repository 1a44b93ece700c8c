package api

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func TestWhyIsAnsweredForCellsAndPlans(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	_, err := f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	item := aStuck("a")
	item.Owner, item.Answers = "team-redis", []model.Verb{model.Retry}
	f.put(t, item, &model.Roll{Plan: "one", CellID: "c1", Action: model.Reboot, Phase: model.Interrupting, StuckID: "a"})

	why, err := f.WhyCell(t.Context(), "c1")

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(why.Subject).To(Equal("cell c1"))
	g.Expect(why.Moving).To(BeFalse())
	last := why.Chain[len(why.Chain)-1]
	g.Expect(last.Kind).To(Equal(client.LinkPerson))
	g.Expect(last.Owner).To(Equal("team-redis"))
	g.Expect(last.Text).To(ContainSubstring("moor resolve a retry"))

	why, err = f.WhyPlan(t.Context(), "one")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(why.Chain[0].Kind).To(Equal(client.LinkPlan))
	g.Expect(why.Chain[len(why.Chain)-1]).To(Equal(last))

	_, err = f.WhyCell(t.Context(), "c9")
	g.Expect(err).To(refusal(http.StatusNotFound, "there is no cell c9"))
	_, err = f.WhyPlan(t.Context(), "two")
	g.Expect(err).To(refusal(http.StatusNotFound, "there is no plan two"))
}
