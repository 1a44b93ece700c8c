package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

func TestCensusPutsEachMemberInExactlyOnePlace(t *testing.T) {
	for _, row := range []struct {
		name     string
		change   func(f *fleet)
		standing lifecycle.Standing
		crashed  bool
	}{
		{"healthy for long enough", func(*fleet) {}, lifecycle.Serving, false},
		{"soaking", func(f *fleet) { f.state("db", 1, model.Soaking) }, lifecycle.Down, false},
		{"starting", func(f *fleet) { f.state("db", 1, model.Starting) }, lifecycle.Down, false},
		{"failing its check", func(f *fleet) { f.state("db", 1, model.Failing) }, lifecycle.Down, false},
		{"crashed", func(f *fleet) { f.state("db", 1, model.Crashed) }, lifecycle.Down, true},
		{"blocked", func(f *fleet) { f.state("db", 1, model.Blocked) }, lifecycle.Down, true},
		{"stopped, to be started again", func(f *fleet) { f.state("db", 1, model.Stopped) }, lifecycle.Down, false},
		{"stopped for good", func(f *fleet) {
			f.state("db", 1, model.Stopped)
			f.instances["db"][1].Removing = true
		}, lifecycle.Down, true},
		{"serving, but to be removed", func(f *fleet) { f.instances["db"][1].Removing = true }, lifecycle.Down, false},
		{"not heard of yet", func(f *fleet) { f.actuals["db"] = f.actuals["db"][:1] }, lifecycle.Down, false},
		{"reported for an earlier placement", func(f *fleet) { f.actuals["db"][1].GUID = "earlier" }, lifecycle.Down, false},
		{"serving on another cell than desired", func(f *fleet) { f.instances["db"][1].CellID = "c9" }, lifecycle.Down, false},
		{"on a cell that is not present", func(f *fleet) { f.gone["c1"] = true }, lifecycle.Down, true},
		{"placed nowhere", func(f *fleet) { f.instances["db"][1].CellID = "" }, lifecycle.Down, true},
		{"not made yet", func(f *fleet) { f.instances["db"] = f.instances["db"][:1] }, lifecycle.Down, true},
		{"with a permit, serving", func(f *fleet) { f.enter(interrupts("roll:p/c1", "db", 1)) }, lifecycle.Disrupted, false},
		{"with a permit, crashed", func(f *fleet) {
			f.enter(interrupts("roll:p/c1", "db", 1))
			f.state("db", 1, model.Crashed)
		}, lifecycle.Disrupted, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFleet()
			f.add("db", 2, one())
			row.change(f)
			crew := f.crew("db")
			g.Expect(crew.Members).To(HaveLen(2))
			g.Expect(crew.Members[0].Standing).To(Equal(lifecycle.Serving), "the other member")
			g.Expect(crew.Member(1).Standing).To(Equal(row.standing))
			g.Expect(crew.Member(1).Crashed).To(Equal(row.crashed), "crashed")
		})
	}
}

func TestCensusCountsSurplusMembersOnlyWhileTheyHoldAPermit(t *testing.T) {
	g := NewWithT(t)
	f := newFleet()
	app := f.add("db", 4, one())
	app.Instances = 2
	f.state("db", 3, model.Crashed)

	crew := f.crew("db")
	g.Expect(crew.Members).To(HaveLen(4))
	g.Expect(crew.Member(3).Surplus).To(BeTrue())
	g.Expect(crew.Spent("")).To(BeEmpty())

	f.enter(drains("scale:db", "db", 2))
	g.Expect(f.crew("db").Spent("")).To(Equal([]int{2}))
	serving, disrupted, down := f.crew("db").Count()
	g.Expect([]int{serving, disrupted, down}).To(Equal([]int{2, 1, 0}))
}

func TestCensusKnowsWhoseDataMatters(t *testing.T) {
	g := NewWithT(t)
	f := newFleet()
	app := f.add("db", 2, one())
	f.instances["db"][1].Volumes = nil
	g.Expect(f.crew("db").Member(0).HasData).To(BeTrue())
	g.Expect(f.crew("db").Member(1).HasData).To(BeFalse(), "no volume")
	app.Policy.DataDisposable = true
	g.Expect(f.crew("db").Member(0).HasData).To(BeFalse(), "disposable")
}
