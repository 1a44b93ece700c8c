package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	g.Expect(fleet.Place(strings.NewReader(in), &out)).To(Succeed())
	f, err := fleet.Read(&out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells[0].Domain).To(Equal(fleet.Numbered(4)))
	g.Expect(f.Apps[0].Cells).To(ConsistOf("c2", "c3"))
	g.Expect(f.Apps[1].Cells).To(Equal([]string{"c1"}))

	f.Apps[0].Cells, f.Apps[0].MemoryMB = nil, 400
	text, _ := json.Marshal(f)
	err = fleet.Place(bytes.NewReader(text), &out)
	g.Expect(err).To(MatchError(And(ContainSubstring("apps[0]"), ContainSubstring("kv/0"), ContainSubstring("lack"))))
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
