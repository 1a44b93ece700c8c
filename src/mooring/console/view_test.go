package console

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// view gives the board of a fleet of n cells with these records beside.
func view(n int, records ...model.Record) *Board {
	return View(with(state.SnapshotOf(fleet(n)...), records...), nil)
}

func TestASquareHoldsItsInstancesInTheirVolumes(t *testing.T) {
	g := NewWithT(t)
	board := view(6)
	g.Expect(board.Cells).To(HaveLen(6))
	g.Expect(board.Cells[3]).To(Equal(Cell{
		ID: "cell-3", AZ: "z2", Domain: 2, Serving: 1, Fixed: 1,
		Instances: []Chip{{App: "acme/prod/redis", Index: 3, Standing: lifecycle.Serving, State: model.Serving, Volume: "fixed"}},
	}))
	g.Expect(board.Apps).To(ConsistOf(App{
		Name: "acme/prod/redis", Owner: "data team", Instances: 6, Serving: 6, Limits: lifecycle.Limits{Interrupted: 1, Draining: 1, Disrupted: 1},
	}))
}

func TestAVolumeThatNoInstanceUsesIsShownWhereItIs(t *testing.T) {
	g := NewWithT(t)
	board := view(2, &model.Volume{GUID: "old", SetGUID: "set", Index: 1, CellID: "cell-0", Ending: true},
		&model.Volume{GUID: "shared", SetGUID: "set", Index: 5, CellID: "cell-0", Floating: true})
	g.Expect(board.Cells[0].Spare).To(Equal([]SpareVolume{
		{Set: "acme/prod/redis", Index: 1, Ending: true}, {Set: "acme/prod/redis", Index: 5, Floating: true},
	}))
	g.Expect([]int{board.Cells[0].Fixed, board.Cells[0].Floating}).To(Equal([]int{2, 1}))
	g.Expect(board.Cells[1].Spare).To(BeEmpty())
}

func TestADisruptionShowsItsStepAndProgress(t *testing.T) {
	g := NewWithT(t)
	board := view(3,
		&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{ID: "p", Index: 1, Kind: model.Drain, Step: model.StepRunning, CellID: "cell-1"}}},
		&model.ActualInstance{AppGUID: "redis", Index: 1, CellID: "cell-1", GUID: "g1", State: model.Serving,
			Disruption: &model.ActualDisruption{PermitID: "p", State: model.TaskRunning, Progress: 0.314}})
	chip := board.Cells[1].Instances[0]
	g.Expect(chip.Standing).To(Equal(lifecycle.Disrupted))
	g.Expect(chip.Kind).To(Equal(model.Drain))
	g.Expect(chip.Step).To(Equal(model.StepRunning))
	g.Expect(chip.Progress).To(Equal(31))
	g.Expect(board.Apps[0].Disrupted).To(Equal(1))
}

func TestAReplacementIsShownWhereItIsGoing(t *testing.T) {
	g := NewWithT(t)
	inst := &model.Instance{AppGUID: "redis", Index: 0, Placement: model.Placement{GUID: "g0", CellID: "cell-0"}, Next: &model.Placement{GUID: "new", CellID: "cell-1"}}
	board := view(2, inst)
	g.Expect(board.Cells[1].Instances[0]).To(Equal(Chip{App: "acme/prod/redis", Index: 0, Standing: Arriving}))
}

func TestACellThatDoesNotAnswerOrIsLostSaysSo(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(fleet(3)...)
	tx := snap.Txn()
	tx.Delete(snap.Presence("cell-1"))
	tx.Put(&model.Cell{ID: "cell-2", AZ: "z1", Domain: 1, Lost: true})
	board := View(snap.Apply(tx), nil)
	g.Expect([]string{board.Cells[0].State, board.Cells[1].State, board.Cells[2].State}).To(Equal([]string{"", "gone", "lost"}))
	g.Expect(board.Cells[1].Down).To(Equal(1))
}

func plan(name string, at time.Duration, status model.PlanStatus, cells ...string) *model.Plan {
	p := &model.Plan{PlanSpec: model.PlanSpec{Name: name, Action: model.Recreate}, Status: status, CreatedAt: noon.Add(at), Order: cells}
	if p.Finished() {
		p.FinishedAt = p.CreatedAt.Add(time.Minute)
	}
	return p
}

func roll(plan, cell string, phase model.Phase) *model.Roll {
	return &model.Roll{Plan: plan, CellID: cell, Phase: phase, Timeline: []model.Entry{{Phase: phase, At: noon.Add(time.Second)}}}
}

func TestASquareShowsHowFarItsRollIs(t *testing.T) {
	g := NewWithT(t)
	held := roll("now", "cell-1", model.Interrupting)
	held.StuckID = "now.cell-1.handler-hung"
	board := view(4, plan("now", 0, model.PlanRunning, "cell-0", "cell-1", "cell-2"), roll("now", "cell-0", model.Acting), held)
	g.Expect(board.Cells[0].Phase).To(Equal(model.Acting))
	g.Expect(board.Cells[0].Since).To(Equal(noon.Add(time.Second)))
	g.Expect(board.Cells[1].Stuck).To(Equal("now.cell-1.handler-hung"))
	g.Expect(board.Cells[2].Phase).To(Equal(model.Queued), "a roll that was not written yet")
	g.Expect(board.Cells[3].Plan).To(BeEmpty())
	g.Expect(board.Plans[0].Phases).To(Equal(map[model.Phase]int{model.Acting: 1, model.Queued: 1}))
	g.Expect(board.Plans[0].Stuck).To(Equal(1))
}

func TestAnUnfinishedPlanWinsOverANewerFinishedOne(t *testing.T) {
	g := NewWithT(t)
	board := view(2,
		plan("long", 0, model.PlanRunning, "cell-0"), roll("long", "cell-0", model.Settling),
		plan("short", time.Hour, model.PlanDone, "cell-0", "cell-1"), roll("short", "cell-0", model.RollDone), roll("short", "cell-1", model.RollDone),
		plan("older", -time.Hour, model.PlanDone, "cell-1"), roll("older", "cell-1", model.RollSkipped))
	g.Expect(board.Cells[0].Plan).To(Equal("long"))
	g.Expect(board.Cells[1].Plan).To(Equal("short"), "the newer of two that finished")
	g.Expect([]string{board.Plans[0].Name, board.Plans[1].Name, board.Plans[2].Name}).To(Equal([]string{"short", "long", "older"}))
}

func TestOldPlansLeaveTheBoard(t *testing.T) {
	g := NewWithT(t)
	records := []model.Record{plan("running", -time.Hour, model.PlanRunning, "cell-0")}
	for i := range finishedLimit + 5 {
		records = append(records, plan(fmt.Sprintf("done-%d", i), time.Duration(i)*time.Minute, model.PlanDone, "cell-0"))
	}
	board := view(1, records...)
	g.Expect(board.Plans).To(HaveLen(finishedLimit + 1))
	g.Expect(board.Plans[finishedLimit].Name).To(Equal("running"))
}

func TestTheOldestAlertIsFirst(t *testing.T) {
	g := NewWithT(t)
	board := view(2, &model.Stuck{ID: "a", CellID: "cell-1", FlaggedAt: noon.Add(time.Minute)}, &model.Stuck{ID: "b", CellID: "cell-0", Kind: model.CellGone, FlaggedAt: noon})
	g.Expect([]string{board.Stuck[0].ID, board.Stuck[1].ID}).To(Equal([]string{"b", "a"}))
	g.Expect(board.Stuck[1].AZ).To(Equal("z2"))
	g.Expect(board.Cells[0].Stuck).To(Equal("b"), "an alert about a cell itself marks it, plan or not")
}

func TestWhatThePolicyWillForceIsSaid(t *testing.T) {
	g := NewWithT(t)
	app := fleet(2)[0].(*model.App)
	app.Policy.OnStuck = model.OnStuck{Answer: model.StuckForce, After: model.Duration(2 * time.Hour)}
	hung := model.Stuck{ID: "a", Kind: model.HandlerHung, AppGUID: "redis", CellID: "cell-1", FlaggedAt: noon}
	withData := hung
	withData.ID, withData.Data = "b", []string{"acme/prod/redis/1"}
	another := hung
	another.ID, another.Kind = "c", model.NotSettled
	board := view(2, app, &hung, &withData, &another)
	g.Expect(board.Stuck[0].ForcedAt).To(Equal(noon.Add(2 * time.Hour)))
	g.Expect(board.Stuck[1].ForcedAt).To(BeZero(), "no policy gives data up")
	g.Expect(board.Stuck[2].ForcedAt).To(BeZero(), "only handlers are forced")
	g.Expect(view(2, &hung).Stuck[0].ForcedAt).To(BeZero(), "it holds")
}

func TestTheCourseOfAPlanIsCountedInStretches(t *testing.T) {
	g := NewWithT(t)
	at := func(cell string, phases ...any) *model.Roll {
		r := &model.Roll{Plan: "p", CellID: cell}
		for i := 0; i < len(phases); i += 2 {
			r.Phase = phases[i].(model.Phase)
			r.Timeline = append(r.Timeline, model.Entry{Phase: r.Phase, At: noon.Add(time.Duration(phases[i+1].(int)) * time.Second)})
		}
		return r
	}
	running := plan("p", 0, model.PlanRunning, "cell-0", "cell-1", "cell-2", "cell-3")
	g.Expect(view(4, running, at("cell-3", model.Queued, 0)).Plans[0].Course).To(BeNil(), "nothing began")
	g.Expect(view(4, running,
		at("cell-0", model.Queued, 0, model.Cordoned, 1, model.RollDone, 3),
		at("cell-1", model.Queued, 0, model.Cordoned, 1, model.Acting, 4),
		at("cell-2", model.Queued, 0, model.RollSkipped, 3),
		at("cell-3", model.Queued, 0)).Plans[0].Course).To(Equal(&Course{Every: 1, Begun: []int{0, 2, 0, 1}, Ended: []int{0, 0, 0, 2}}))
	g.Expect(view(4, running, at("cell-0", model.Cordoned, 5, model.Queued, 9)).Plans[0].Course).To(Equal(&Course{Every: 1, Begun: []int{0, 0, 0, 0, 0, 1}, Ended: make([]int, 6)}), "it gave its turn back")
	g.Expect(view(4, running, at("cell-0", model.Cordoned, 2, model.RollDone, -3)).Plans[0].Course).To(Equal(&Course{Every: 1, Begun: []int{0, 0, 1}, Ended: []int{1, 0, 0}}), "clocks that differ")
	long := view(2, running, at("cell-0", model.Cordoned, 10, model.RollDone, 1000), at("cell-1", model.Cordoned, 990)).Plans[0].Course
	g.Expect(long.Every).To(Equal(16))
	g.Expect(len(long.Begun)).To(BeNumerically("<=", courseLimit))
	g.Expect([]int{long.Begun[0], long.Begun[61], long.Ended[62]}).To(Equal([]int{1, 1, 1}))
}

func TestALargeFleetLeavesOutWhatIsTooSmallToSee(t *testing.T) {
	g := NewWithT(t)
	board := view(chipLimit + 1)
	g.Expect(board.Cells[0].Instances).To(BeEmpty())
	g.Expect(board.Cells[0].Serving).To(Equal(1))
	g.Expect(board.Cells[0].Fixed).To(Equal(1))
}

func TestOfManyAppsThoseAreListedThatDoNotServeFully(t *testing.T) {
	g := NewWithT(t)
	var records []model.Record
	for i := range appLimit {
		guid := fmt.Sprintf("app-%d", i)
		records = append(records, &model.App{GUID: guid, Name: model.Name{Org: "o", Space: "s", Name: guid}})
	}
	records = append(records, &model.App{GUID: "down", Name: model.Name{Org: "o", Space: "s", Name: "down"}, Instances: 2})
	board := view(2, records...)
	g.Expect(board.AppCount).To(Equal(appLimit + 2))
	g.Expect(board.Apps).To(HaveLen(1))
	g.Expect(board.Apps[0].Name).To(Equal("o/s/down"))
}
