package runbook_test

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/runbook"
)

func TestEveryKindOfStuckHasAPageToShow(t *testing.T) {
	for _, kind := range slices.Concat(model.StuckKinds, model.StateKinds) {
		g := NewWithT(t)
		page, err := runbook.Read(string(kind))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(page.Title).NotTo(Or(BeEmpty(), HavePrefix("#")))
		g.Expect(page.Body).To(And(ContainSubstring("<h2>Look</h2>"), ContainSubstring("<h2>Do</h2>"), ContainSubstring("<code>")), string(kind))
	}
}

func TestThereIsNoOtherPage(t *testing.T) {
	for _, name := range []string{"", "nothing", "../runbook", "handler-hung.md"} {
		_, err := runbook.Read(name)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("there is no runbook")), name)
	}
}
