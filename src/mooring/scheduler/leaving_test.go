package scheduler_test

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/scheduler"
	"mooring/state"
)

// retire puts a retire of cells in line.
func (w *world) retire(cells ...string) {
	w.write(&model.Plan{PlanSpec: model.PlanSpec{Name: "going", Action: model.Retire}, Intent: model.IntentRun, Status: model.PlanRunning, Order: cells})
}

// others lists the cells but for those named.
func (w *world) others(than ...string) []string {
	return slices.DeleteFunc(slices.Clone(w.order), func(id string) bool { return slices.Contains(than, id) })
}

func TestLeavingCell_TakesNoDrainedVolume(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 6, 3)
	from, stays := w.where("app-db")[0], w.where("app-db")[1]
	w.retire(w.others(stays)...)
	w.permit("app-db", 0, model.Drain, false)
	w.settle()
	g.Expect(w.where("app-db")[0]).To(Equal(stays), "rather than an empty cell that goes too")
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
	g.Expect(from).NotTo(Equal(stays))
}

func TestLeavingCell_TakesNothingNew(t *testing.T) {
	for class, says := range map[string]string{
		model.ClassPersistent: "4 cells in pool default: 4 are leaving",
		model.ClassShared:     "2 AZs in pool default: 2 have no cell for what will run beside it",
		"":                    "4 cells in pool default: 4 are leaving",
	} {
		t.Run("class "+class, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld(g, fleet(4)...)
			var sets []string
			if class != "" {
				sets = append(sets, "data")
				w.write(volumeSet("data", class, 2))
			}
			w.retire(w.order...)
			w.push(app("db", 2, sets...))
			w.settle()
			g.Expect(w.where("app-db")).To(Equal([]string{"", ""}))
			g.Expect(w.snap.Instance("app-db", 0).Unplaced).To(Equal(says))

			w.cells["z1-9"] = &host{id: "z1-9", procs: map[member]*proc{}, made: map[string]bool{}, volumes: map[string]model.Volume{}}
			w.order = append(w.order, "z1-9")
			w.write(cell("z1-9", "z1"))
			w.register("z1-9")
			w.settle()
			g.Expect(w.where("app-db")).To(Equal([]string{"z1-9", "z1-9"}), "a cell is added")
			g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
		})
	}
}

func TestLeavingCell_TakesNoVolumeOfASetThatNobodyMounts(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.retire("z1-1", "z1-2", "z2-1")
	w.write(volumeSet("data", model.ClassPersistent, 3))
	w.settle()
	for _, v := range w.snap.VolumesOf("set-data") {
		g.Expect(v.CellID).To(Equal("z2-2"))
	}
}

func TestLeavingCell_TakesNothingThatMoves(t *testing.T) {
	g := NewWithT(t)
	w := floatingApp(g, 6, 2)
	from := w.where("app-kv")[0]
	az := w.snap.Cell(from).AZ
	w.retire(from, az+"-1", az+"-2")
	w.permit("app-kv", 0, model.Interrupt, true)
	w.settle()
	g.Expect(w.where("app-kv")[0]).To(HavePrefix(az))
	g.Expect([]string{from, az + "-1", az + "-2"}).NotTo(ContainElement(w.where("app-kv")[0]))
}

func TestLeavingCell_TakesNoReplacement(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(g, fleet(4)...)
	w.push(app("web", 1))
	w.settle()
	from := w.where("app-web")[0]
	others := w.others(from)
	w.retire(from, others[0], others[1])
	w.write(&model.Cordon{CellID: from, Holder: model.RollHolder("going", from), Evacuate: true})
	w.decide(9)
	g.Expect(w.snap.Instance("app-web", 0).Next.CellID).To(Equal(others[2]))

	w.retire(w.order...) // all of them, before it runs
	w.decide(9)
	g.Expect(w.snap.Instance("app-web", 0).Next).To(BeNil())
	w.settle()
	g.Expect(w.where("app-web")).To(Equal([]string{from}))
	g.Expect(w.states("app-web")).To(HaveEach(model.Serving), "it goes on where it is")
	g.Expect(w.snap.Instance("app-web", 0).Unplaced).To(Equal("4 cells in pool default: 3 are leaving, 1 is being left"))
}

// What has data on a cell that leaves can run nowhere else until it is drained.
func TestLeavingCell_RunsWhatHasDataThere(t *testing.T) {
	g := NewWithT(t)
	w := fixedApp(g, 2, 2)
	before := w.where("app-db")
	w.change("app-db", func(a *model.App) { a.Instances = 0 })
	w.settle()
	g.Expect(w.where("app-db")).To(BeEmpty())
	w.retire(w.order...)
	w.change("app-db", func(a *model.App) { a.Instances = 2 })
	w.settle()
	g.Expect(w.where("app-db")).To(Equal(before))
	g.Expect(w.states("app-db")).To(HaveEach(model.Serving))
}

func TestLeavingCell_OfADeploymentThatIsDeleted(t *testing.T) {
	g := NewWithT(t)
	cells := fleet(4)
	for _, c := range cells[:3] {
		c.Deployment = "mooring"
	}
	w := newWorld(g, cells...)
	w.retire(cells[0].ID)
	w.write(&model.Roll{Plan: "going", CellID: cells[0].ID, Action: model.Retire, Phase: model.Queued, AtGate: w.now, Deployment: "mooring", DeletesAll: true})
	w.write(volumeSet("data", model.ClassPersistent, 3))
	w.push(app("db", 3, "data"))
	w.settle()
	g.Expect(w.where("app-db")).To(HaveEach(cells[3].ID), "the others have not come to their gates")
}

// A plan that is made while a place is chosen may take its cell away: the place
// is then chosen anew.
func TestLeavingCell_IsNotChosenWhileItsPlanIsMade(t *testing.T) {
	g := NewWithT(t)
	store := control(t)
	c := cell("c1", "z1")
	c.Boot, c.Start, c.Domain, c.Column = "b", "s", 1, 1
	put(t, store, c, app("web", 1))
	g.Expect(store.Keep(t.Context(), &model.Presence{CellID: "c1", Boot: "b", Start: "s"}, time.Hour)).To(Succeed())
	decision := scheduler.Decide(store.Snapshot(), time.Now(), scheduler.Rules{})
	g.Expect(decision.Txns).To(HaveLen(1))

	put(t, store, &model.Plan{PlanSpec: model.PlanSpec{Name: "going", Action: model.Retire}, Status: model.PlanRunning, Order: []string{"c1"}})
	_, err := store.Commit(t.Context(), decision.Txns[0])
	g.Expect(err).To(MatchError(state.ErrConflict))
}
