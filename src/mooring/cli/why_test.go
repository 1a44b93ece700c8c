package cli_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
)

func TestWhy(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/why/cells/cell-3", client.Why{Subject: "cell cell-3", Chain: []client.Link{
		{Kind: client.LinkRoll, Name: "cell-3", Text: "cell cell-3 is in line", Since: time.Now().Add(-3 * time.Hour)},
		{Kind: client.LinkPolicy, Name: "acme/prod/db", Text: "acme/prod/db allows 1 of 3", Owner: "#data"},
		{Kind: client.LinkPerson, Name: "#data", Text: "#data must see to it", Owner: "#data"},
	}, Also: []string{"kernel.cell-5.cell-gone"}})
	api.answers("GET /v1/why/plans/kernel", client.Why{Subject: "plan kernel", Moving: true,
		Chain: []client.Link{{Kind: client.LinkPlan, Name: "kernel", Text: "plan kernel is done"}}})

	r := api.run(t, "why", "cell-3")
	g.Expect(r).To(Equal(result{0, lines(
		"cell cell-3 is in line, since 3h",
		"  because acme/prod/db allows 1 of 3 [#data]",
		"    because #data must see to it",
		"also stuck: kernel.cell-5.cell-gone",
	), ""}))
	g.Expect(api.run(t, "why", "kernel")).To(Equal(result{0, "plan kernel is done\nnobody needs to do anything\n", ""}))
	g.Expect(api.run(t, "why", "--plan", "kernel").out).To(HavePrefix("plan kernel"))
	g.Expect(api.run(t, "why", "cell-3", "--json").out).To(ContainSubstring(`"kind": "policy"`))
	g.Expect(api.run(t, "why", "x")).To(Equal(result{1, "", "moor: there is no cell and no plan x; see moor cells and moor plans\n"}))
	g.Expect(api.run(t, "why").status).To(Equal(2))
}
