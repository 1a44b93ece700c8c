package console

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// The filters of the page of events offer only kinds that there are, and every
// family among them.
func TestThePageOfEventsOffersTheKindsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("page/eventspage.js")
	g.Expect(err).NotTo(HaveOccurred())
	offers := regexp.MustCompile(`(?s)const families = \[(.*?)\];\n`).FindSubmatch(page)
	g.Expect(offers).NotTo(BeNil(), "the page has no list of families")
	var offered []string
	for _, offer := range regexp.MustCompile(`\["([^"]*)", "[^"]+"\]`).FindAllSubmatch(offers[1], -1) {
		if filter := string(offer[1]); filter != "" {
			offered = append(offered, strings.Split(filter, ",")...)
		}
	}
	for _, kind := range offered {
		g.Expect(model.EventKind(kind).Known() || slices.Contains(model.EventFamilies(), kind)).To(BeTrue(), "the page offers %s, which is no kind", kind)
	}
	g.Expect(offered).To(ContainElements(model.EventFamilies()))
}
