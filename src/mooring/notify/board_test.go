package notify

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestAnAlertLeadsToItsPageAndItsRunbook(t *testing.T) {
	g := NewWithT(t)
	at := board("https://moor.example.com")
	g.Expect(at.runbook(model.HandlerHung)).To(Equal("https://moor.example.com/console/runbooks/handler-hung"))
	g.Expect(at.page(&model.Stuck{CellID: "6f1c/2", Plan: "p"})).To(Equal("https://moor.example.com/#/cell/6f1c%2F2"))
	g.Expect(at.page(&model.Stuck{Plan: "stemcell-1.915"})).To(Equal("https://moor.example.com/#/plan/stemcell-1.915"))
	g.Expect(at.page(&model.Stuck{})).To(Equal("https://moor.example.com/"))

	g.Expect(board("").page(&model.Stuck{CellID: "c"})).To(BeEmpty())
	g.Expect(board("").runbook(model.HandlerHung)).To(Equal("docs/runbooks/handler-hung.md"), "there is nothing else to name")
}
