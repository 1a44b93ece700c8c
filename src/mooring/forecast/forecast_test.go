package forecast

import (
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fleet gives n cells with one app that serves on each of them.
func fleet(n int) []model.Record {
	limit := model.Limit{Count: 1}
	records := []model.Record{&model.App{GUID: "redis", Instances: n, Policy: model.Policy{MaxInterrupted: limit, MaxDraining: limit}}}
	for i := range n {
		cell, guid := fmt.Sprintf("cell-%d", i), fmt.Sprintf("g%d", i)
		records = append(records, &model.Cell{ID: cell}, &model.Presence{CellID: cell},
			&model.Instance{AppGUID: "redis", Index: i, Placement: model.Placement{GUID: guid, CellID: cell}},
			&model.ActualInstance{AppGUID: "redis", Index: i, CellID: cell, GUID: guid, State: model.Serving})
	}
	return records
}

func plan(cells ...string) *model.Plan {
	return &model.Plan{PlanSpec: model.PlanSpec{Name: "p", Action: model.Reboot}, Status: model.PlanRunning, Order: cells}
}

func roll(cell string, phase model.Phase) *model.Roll {
	return &model.Roll{Plan: "p", CellID: cell, Phase: phase}
}

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

func foretold(records ...model.Record) *client.Forecast {
	snap := state.SnapshotOf(append(fleet(4), records...)...)
	return Of(perCell, snap, snap.Plan("p"), noon)
}

func TestTheEndIsForetoldFromWhatIsLeft(t *testing.T) {
	g := NewWithT(t)
	running := plan("cell-0", "cell-1", "cell-2", "cell-3")
	whole := foretold(running)
	g.Expect(whole.Slots).To(HaveLen(4))
	g.Expect(whole.Slots[1]).To(Equal(client.Turn{CellID: "cell-1", From: noon.Add(time.Minute), To: noon.Add(2 * time.Minute)}))
	whole.Slots = nil
	g.Expect(*whole).To(Equal(client.Forecast{
		Earliest: noon.Add(2 * time.Minute), Likely: noon.Add(4 * time.Minute), Latest: noon.Add(8 * time.Minute), Bottleneck: "redis", Left: 4,
	}))
	g.Expect(foretold(running, roll("cell-0", model.RollDone)).Likely).To(Equal(noon.Add(3 * time.Minute)))
	g.Expect(foretold(running, roll("cell-0", model.Acting)).Slots[0].CellID).To(Equal("cell-1"), "only whose turn has not come")
	g.Expect(foretold(plan())).To(BeNil(), "nothing is left")
}

func TestWhoIsAwayOnPurposeIsTakenToComeBack(t *testing.T) {
	g := NewWithT(t)
	away := foretold(plan("cell-0", "cell-1"), roll("cell-0", model.Acting),
		&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{Index: 0, CellID: "cell-0"}}},
		&model.ActualInstance{AppGUID: "redis", Index: 0, CellID: "cell-0", GUID: "g0", State: model.Stopped})
	g.Expect(away.Open).To(BeZero())
	g.Expect(away.Earliest).To(Equal(noon.Add(30*time.Second)), "as if the roll under way were over")
	g.Expect(away.Likely).To(Equal(noon.Add(90*time.Second)), "as if it were half through")
	g.Expect(away.Latest).To(Equal(noon.Add(4*time.Minute)), "as if it had just begun")
}

func TestAFailureLeavesTheEndOpen(t *testing.T) {
	g := NewWithT(t)
	crashed := foretold(plan("cell-0", "cell-1"),
		&model.ActualInstance{AppGUID: "redis", Index: 0, CellID: "cell-0", GUID: "g0", State: model.Crashed})
	g.Expect([]int{crashed.Left, crashed.Open}).To(Equal([]int{1, 1}))
}

func TestAForecastIsMadeAnewAsThePlanGoesOn(t *testing.T) {
	g := NewWithT(t)
	stage := func(records ...model.Record) string {
		snap := state.SnapshotOf(append(fleet(2), append(records, plan("cell-0", "cell-1"))...)...)
		return Stage(snap, snap.Plan("p"))
	}
	stages := map[string]bool{}
	for _, text := range []string{stage(), stage(roll("cell-0", model.Acting)), stage(roll("cell-0", model.RollDone)),
		stage(&model.Roll{Plan: "p", CellID: "cell-0", Phase: model.Acting, StuckID: "s"})} {
		stages[text] = true
	}
	g.Expect(stages).To(HaveLen(4))
	g.Expect(stage(roll("cell-0", model.Acting))).To(Equal(stage(roll("cell-0", model.Settling))), "nothing is through yet")
}
