package generate_test

import (
	"fmt"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet"
	"mooring/fleet/generate"
)

func TestFamiliesAreWhatTheySayAndTheSameForOneSeed(t *testing.T) {
	for _, family := range generate.Families(120, 0.1) {
		t.Run(fmt.Sprint(family.Name, family.PerCell), func(t *testing.T) {
			g := NewWithT(t)
			f := family.Fleet(4)
			g.Expect(f.Validate()).To(Succeed())
			g.Expect(family.Fleet(4)).To(Equal(f))
			g.Expect(family.Fleet(5)).NotTo(Equal(f))
			instances := 0
			for _, app := range f.Apps {
				instances += app.Instances
				g.Expect(app.Instances).To(BeNumerically("<=", family.MaxN))
				g.Expect(app.Limit()).To(BeNumerically(">=", 1))
			}
			g.Expect(instances).To(BeNumerically("~", 120*family.PerCell, family.MaxN))
			for _, s := range f.Rolls {
				g.Expect(s).To(And(BeNumerically(">=", 180), BeNumerically("<=", 900)))
			}
			generate.Break(f, 600, 1)
			g.Expect(f.Validate()).To(Succeed())
			g.Expect(f.Failures).To(HaveLen(1))
			generate.Scatter(f, 1)
			g.Expect(f.Validate()).To(Succeed())
			for _, app := range f.Apps {
				seen := map[string]bool{}
				for _, cell := range app.Cells {
					seen[cell] = true
				}
				g.Expect(seen).To(HaveLen(app.Instances))
			}
		})
	}
}

func TestSomeFamiliesAreOfAllKindsAndUnderEveryCeiling(t *testing.T) {
	g := NewWithT(t)
	kinds, plain := map[fleet.Kind]int{}, 0
	for _, family := range generate.Families(120, 0.1) {
		f := family.Fleet(1)
		if family.Plain() {
			plain++
			g.Expect(f.MaxInFlight.Never()).To(BeTrue())
			g.Expect(slices.ContainsFunc(f.Apps, func(app fleet.App) bool { return app.Kind != fleet.Fixed })).To(BeFalse())
			continue
		}
		g.Expect(f.AZSerial).To(Equal(family.Name == "serial"))
		g.Expect(f.MaxInFlight.Of(120)).To(Equal(12))
		g.Expect(f.Canaries).To(Equal(2))
		for _, app := range f.Apps {
			kinds[app.Kind]++
		}
	}
	g.Expect(plain).To(Equal(10))
	g.Expect(kinds[fleet.Floating]).To(BeNumerically(">", 20))
	g.Expect(kinds[fleet.Fixed]).To(BeNumerically(">", kinds[fleet.Floating]))
	g.Expect(kinds[fleet.Floating]).To(BeNumerically("~", kinds[fleet.None], kinds[fleet.None]/3))
}
