package fleet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet"
)

// placedDomains places a fleet of an AZ whose cells have these domains, and
// gives the domains that come out and those that planning sees.
func placedDomains(t *testing.T, domains ...string) (written []string, numbers []int) {
	g := NewWithT(t)
	var cells []string
	for c, domain := range domains {
		cells = append(cells, fmt.Sprintf(`{"id":"c%d","az":"z1"%s}`, c, domain))
	}
	var out bytes.Buffer
	in := `{"cells":[` + strings.Join(cells, ",") + `],"apps":[]}`
	g.Expect(fleet.Place(strings.NewReader(in), &out, silent(t))).To(Succeed())
	f, err := fleet.Read(&out, silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	p, _ := f.Problem()
	for c := range f.Cells {
		text, err := f.Cells[c].Domain.MarshalJSON()
		g.Expect(err).NotTo(HaveOccurred())
		written, numbers = append(written, string(text)), append(numbers, p.Cells[c].Domain)
	}
	return written, numbers
}

func TestDomainsAreWrittenAsTheyAreGiven(t *testing.T) {
	g := NewWithT(t)
	written, numbers := placedDomains(t, `,"domain":0`, `,"domain":0`, `,"domain":1`, `,"domain":1`)
	g.Expect(written).To(Equal([]string{"0", "0", "1", "1"}), "0 is a domain as any other")
	g.Expect(numbers).To(Equal([]int{1, 1, 2, 2}))

	written, numbers = placedDomains(t, `,"domain":"east"`, `,"domain":"west"`, `,"domain":"east"`, `,"domain":7`)
	g.Expect(written).To(Equal([]string{`"east"`, `"west"`, `"east"`, `7`}))
	g.Expect(numbers).To(Equal([]int{1, 2, 1, 3}))

	written, numbers = placedDomains(t, `,"domain":4`, `,"domain":2`)
	g.Expect(written).To(Equal([]string{"4", "2"}))
	g.Expect(numbers).To(Equal([]int{4, 2}))
}

func TestCellsWithoutADomainJoinThoseThatAre(t *testing.T) {
	g := NewWithT(t)
	written, _ := placedDomains(t, `,"domain":0`, ``, ``)
	g.Expect(written).To(Equal([]string{"0", "1", "2"}), "counted from 0, as the others are")

	written, _ = placedDomains(t, `,"domain":"b"`, ``, `,"domain":"a"`, ``, ``)
	g.Expect(written).To(Equal([]string{`"b"`, `"a"`, `"a"`, `"b"`, `"b"`}), "there are no other names")

	written, numbers := placedDomains(t, ``, ``, ``)
	g.Expect(written).To(Equal([]string{"1", "1", "1"}), "as many columns as there are cells")
	g.Expect(numbers).To(Equal([]int{1, 1, 1}))
}
