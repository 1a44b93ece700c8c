package fleets_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/bench/fleets"
	"mooring/fleet"
)

// small measures few cells of the families of some names.
func small(names ...string) fleets.Config {
	return fleets.Config{
		Cells: []int{60}, Seeds: 1, Errors: []float64{0, 0.2}, Domains: 17,
		Wants: func(family string) bool { return slices.Contains(names, family) },
	}
}

func TestOthersAreComparedWhereOnlyLimitsHoldRollsUp(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	g.Expect(fleets.Plan(small("sparse", "mixed", "serial"), &out)).To(Succeed())
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")[1:]
	g.Expect(rows).To(HaveLen(3 * 5))
	for _, row := range rows {
		unknown := 0 // figures
		for _, field := range strings.Fields(row) {
			unknown += strings.Count(" "+field+" ", " - ")
		}
		switch {
		case strings.Contains(row, " sparse ") && strings.Contains(row, " random "):
			g.Expect(unknown).To(BeZero(), row)
		case strings.Contains(row, " sparse "):
			g.Expect(unknown).To(Equal(1), "what is attainable: %s", row)
		default:
			g.Expect(unknown).To(Equal(7), "and what others take: %s", row)
		}
	}
}

func TestFleetsAreWrittenForOthersToPlace(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir() + "/fleets"
	var out bytes.Buffer
	g.Expect(fleets.Write(small("serial"), dir, &out)).To(Succeed())
	g.Expect(out.String()).To(Equal(dir + "/serial-20-a-cell-60-cells-known-seed-1.json\n" + dir + "/serial-20-a-cell-60-cells-off-20-seed-1.json\n"))
	for _, path := range strings.Fields(out.String()) {
		file, err := os.Open(path)
		g.Expect(err).NotTo(HaveOccurred())
		f, err := fleet.Read(file, func(text string) { t.Errorf("warned of: %s", text) })
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(file.Close()).To(Succeed())
		g.Expect(f.Cells).To(HaveLen(60))
		g.Expect(f.Placed()).To(BeFalse())
		g.Expect(f.AZSerial).To(BeTrue())
		g.Expect(f.MaxInFlight.Percent).To(Equal(10))
	}
}
