package console

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// perCell plans a minute for each cell, half of it at the shortest, double at
// the longest, and cells that do not serve never.
func perCell(snap *state.Snapshot, spec model.PlanSpec, _ time.Time) (*client.Preview, error) {
	if len(spec.Cells.IDs) == 0 {
		return nil, errors.New("no cells")
	}
	preview := &client.Preview{Bottleneck: "redis"}
	for _, id := range spec.Cells.IDs {
		inst := snap.InstancesOn(id)[0]
		if snap.Crew("redis").Member(inst.Index).Standing == "serving" {
			from := model.Duration(time.Duration(len(preview.Timeline)) * time.Minute)
			preview.Timeline = append(preview.Timeline, client.Slot{CellID: id, From: from, To: from + model.Duration(time.Minute)})
		}
	}
	minutes := time.Duration(len(preview.Timeline)) * time.Minute
	preview.Expected, preview.Shortest, preview.Longest = model.Duration(minutes), model.Duration(minutes/2), model.Duration(2*minutes)
	return preview, nil
}

func foretold(records ...model.Record) *Forecast {
	snap := with(state.SnapshotOf(fleet(4)...), records...)
	running := snap.Plan("p")
	left, _ := remaining(snap, running)
	return foretell(perCell, snap, running, left, noon)
}

func TestTheEndIsForetoldFromWhatIsLeft(t *testing.T) {
	g := NewWithT(t)
	running := plan("p", 0, model.PlanRunning, "cell-0", "cell-1", "cell-2", "cell-3")
	whole := foretold(running)
	g.Expect(whole.Slots).To(HaveLen(4))
	g.Expect(whole.Slots[1]).To(Equal(Slot{CellID: "cell-1", From: noon.Add(time.Minute), To: noon.Add(2 * time.Minute)}))
	whole.Slots = nil
	g.Expect(*whole).To(Equal(Forecast{
		Earliest: noon.Add(2 * time.Minute), Likely: noon.Add(4 * time.Minute), Latest: noon.Add(8 * time.Minute), Bottleneck: "redis", Left: 4,
	}))
	g.Expect(foretold(running, roll("p", "cell-0", model.RollDone)).Likely).To(Equal(noon.Add(3 * time.Minute)))
	g.Expect(foretold(running, roll("p", "cell-0", model.Acting)).Slots[0].CellID).To(Equal("cell-1"), "only whose turn has not come")
	g.Expect(foretold(plan("p", 0, model.PlanRunning))).To(BeNil(), "nothing is left")
}

func TestWhoIsAwayOnPurposeIsTakenToComeBack(t *testing.T) {
	g := NewWithT(t)
	away := foretold(plan("p", 0, model.PlanRunning, "cell-0", "cell-1"), roll("p", "cell-0", model.Acting),
		&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{Index: 0, CellID: "cell-0"}}},
		&model.ActualInstance{AppGUID: "redis", Index: 0, CellID: "cell-0", GUID: "g0", State: model.Stopped})
	g.Expect(away.Open).To(BeZero())
	g.Expect(away.Earliest).To(Equal(noon.Add(30*time.Second)), "as if the roll under way were over")
	g.Expect(away.Likely).To(Equal(noon.Add(90*time.Second)), "as if it were half through")
	g.Expect(away.Latest).To(Equal(noon.Add(4*time.Minute)), "as if it had just begun")
}

func TestAFailureLeavesTheEndOpen(t *testing.T) {
	g := NewWithT(t)
	crashed := foretold(plan("p", 0, model.PlanRunning, "cell-0", "cell-1"),
		&model.ActualInstance{AppGUID: "redis", Index: 0, CellID: "cell-0", GUID: "g0", State: model.Crashed})
	g.Expect([]int{crashed.Left, crashed.Open}).To(Equal([]int{1, 1}))
}
