package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet"
	"mooring/fleet/generate"
	"mooring/model"
)

// spread gives the least and the most memory taken on a cell, and the largest
// request.
func spread(f *fleet.Fleet) (low, high, largest int64) {
	load := map[string]int64{}
	for _, app := range f.Apps {
		largest = max(largest, app.MemoryMB)
		for _, cell := range app.Cells {
			load[cell] += app.MemoryMB
		}
	}
	low = 1 << 60
	for _, cell := range f.Cells {
		low, high = min(low, load[cell.ID]), max(high, load[cell.ID])
	}
	return low, high, largest
}

func TestPlaceSpreadsEveryAppAndLoadsCellsEvenly(t *testing.T) {
	for _, family := range generate.Families(300, generate.Unknown) {
		t.Run(family.Name, func(t *testing.T) {
			g := NewWithT(t)
			f := family.Fleet(3)
			placed, err := f.Place()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(placed.Instances).To(BeNumerically(">=", 300*family.PerCell))
			az := map[string]string{}
			for _, cell := range f.Cells {
				az[cell.ID] = cell.AZ
				g.Expect(cell.Domain.Given()).To(BeTrue())
			}
			for _, app := range f.Apps {
				cells, azs := map[string]int{}, map[string]int{}
				for _, cell := range app.Cells {
					cells[cell]++
					azs[az[cell]]++
				}
				g.Expect(cells).To(HaveLen(app.Instances), "%s shares a cell", app.Name)
				for _, n := range azs {
					g.Expect(n).To(BeNumerically("~", float64(app.Instances)/3, 1), "%s is uneven over AZs", app.Name)
				}
			}
			if family.Name == "sparse" {
				return // two things a cell cannot be even
			}
			low, high, largest := spread(f)
			g.Expect(high - low).To(BeNumerically("<=", largest))
		})
	}
}

func TestPlaceKeepsWhatIsPlacedAndEveryHardConstraint(t *testing.T) {
	g := NewWithT(t)
	in := `{"cells":[{"id":"c1","az":"z1","domain":4,"memory_mb":100},{"id":"c2","az":"z2","memory_mb":300},{"id":"c3","az":"z1","memory_mb":300}],
 "apps":[{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed","memory_mb":200},
         {"name":"old","instances":1,"max_interrupted":1,"kind":"fixed","memory_mb":50,"cells":["c1"]}]}`
	var out bytes.Buffer
	g.Expect(fleet.Place(strings.NewReader(in), &out, silent(t))).To(Succeed())
	f, err := fleet.Read(&out, silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells[0].Domain).To(Equal(fleet.Numbered(4)))
	g.Expect(f.Apps[0].Cells).To(ConsistOf("c2", "c3"))
	g.Expect(f.Apps[1].Cells).To(Equal([]string{"c1"}))

	f.Apps[0].Cells, f.Apps[0].MemoryMB = nil, 400
	text, _ := json.Marshal(f)
	err = fleet.Place(bytes.NewReader(text), &out, silent(t))
	g.Expect(err).To(MatchError(And(ContainSubstring("apps[0]"), ContainSubstring("kv/0"), ContainSubstring("lack"))))
}

// silent fails a test in which anything is warned of.
func silent(t *testing.T) func(string) {
	return func(text string) { t.Helper(); t.Errorf("warned of: %s", text) }
}

// warnings places a fleet and gives what is warned of.
func warnings(g Gomega, in string) []string {
	var said []string
	g.Expect(fleet.Place(strings.NewReader(in), io.Discard, func(text string) { said = append(said, text) })).To(Succeed())
	return said
}

func TestWhatGaveWayIsSaid(t *testing.T) {
	g := NewWithT(t)
	g.Expect(warnings(g, `{"cells":[{"id":"c1","az":"z1","memory_mb":300},{"id":"c2","az":"z1","memory_mb":50}],
 "apps":[{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed","memory_mb":100},
         {"name":"web","instances":2,"max_interrupted":1,"kind":"floating","disk_mb":10}]}`)).To(Equal([]string{
		"disk_mb of 1 app is not looked at (first apps[1], web): floating volumes are not on the disks of cells",
		"1 instance is not where it should be (first kv/1 on c1): it shares its cell with another of its set: no other cell can take it; an update domain that has fewer of its set cannot take it",
	}))
}

func TestCellsThatTheFileItselfOverfillsAreNamed(t *testing.T) {
	g := NewWithT(t)
	g.Expect(warnings(g, `{"cells":[{"id":"c1","az":"z1","memory_mb":100},{"id":"c2","az":"z1","disk_mb":100},{"id":"c3","az":"z1","memory_mb":200}],
 "apps":[{"name":"kv","instances":3,"max_interrupted":1,"kind":"fixed","memory_mb":200,"disk_mb":150,"cells":["c1","c2","c3"]}]}`)).
		To(Equal([]string{"the file itself places more than fits on 2 cells (first c1)"}))
}

func TestTheDiskOfAnAppWithoutVolumesIsTheCells(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1","disk_mb":10},{"id":"c2","az":"z1","disk_mb":20}],
 "apps":[{"name":"web","instances":2,"max_interrupted":1,"kind":"none","disk_mb":10}]}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	placed, err := f.Place()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(placed.Index.FreeDisk(placed.Index.Cell("c1"), "fixed")).To(BeZero())
	g.Expect(placed.Index.FreeDisk(placed.Index.Cell("c2"), "fixed")).To(Equal(10 * model.Megabyte))
}

func TestAFleetToRollIsPlacedFirst(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.ReadPlaced(strings.NewReader(small), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells[0].Domain.Given()).To(BeFalse(), "a fleet that is placed stays as it is")

	var said []string
	f, err = fleet.ReadPlaced(strings.NewReader(strings.Replace(small, `,"cells":["c1","c2"]`, ``, 1)), func(text string) { said = append(said, text) })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Apps[0].Cells).To(HaveLen(2))
	g.Expect(f.Apps[1].Cells).To(Equal([]string{"c1", "c2", "c3"}))
	g.Expect(said).To(Equal([]string{"1 of 2 apps have no cells, and are placed first, as moor place does"}))
}

func TestNoAppsAreWrittenAsNone(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	g.Expect(fleet.Place(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"}],"apps":[]}`), &out, silent(t))).To(Succeed())
	g.Expect(out.String()).To(ContainSubstring(`"apps":[]`))
}

func TestPlaceUsesCellsOutsideTheColumnWhenItIsFull(t *testing.T) {
	g := NewWithT(t)
	f := &fleet.Fleet{}
	for c := range 12 {
		f.Cells = append(f.Cells, fleet.Cell{ID: fmt.Sprint("c", c), AZ: fmt.Sprint("z", c%3), MemoryMB: 100})
	}
	for a := range 4 {
		f.Apps = append(f.Apps, fleet.App{Name: fmt.Sprint("a", a), Instances: 3, MaxInterrupted: fleet.Limit{Limit: model.Limit{Count: 1}}, Kind: fleet.Fixed, MemoryMB: 100})
	}
	_, err := f.Place()
	g.Expect(err).NotTo(HaveOccurred())
	low, high, _ := spread(f)
	g.Expect([]int64{low, high}).To(Equal([]int64{100, 100}))
}
