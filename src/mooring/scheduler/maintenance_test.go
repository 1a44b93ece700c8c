package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	described "mooring/fleet"
	"mooring/fleet/generate"
	"mooring/model"
	"mooring/scheduler"
)

// live is a described fleet as the scheduler gets it: cell by cell and app by
// app.
type live struct {
	*world
	fleet  *described.Fleet
	joined int
}

// newLive gives a fleet of a hundred cells and about two hundred apps of 3 to 50
// instances, none of which has come yet.
func newLive(g Gomega, seed uint64) *live {
	family := generate.Family{Cells: 100, AZs: 3, PerCell: 53, MinN: 3, MaxN: 50, Limits: generate.Mixed, Error: 0.1}
	return &live{world: newWorld(g), fleet: family.Fleet(seed)}
}

// join brings cells until there are so many.
func (l *live) join(until int) {
	for ; l.joined < until; l.joined++ {
		want := l.fleet.Cells[l.joined]
		c := cell(want.ID, want.AZ)
		c.Memory, c.Classes[0].Capacity = model.Size(want.MemoryMB)*model.Megabyte, model.Size(want.DiskMB)*model.Megabyte
		l.write(c, &model.Presence{CellID: c.ID})
	}
	l.decided()
}

// come pushes one of the apps, with so many of its instances.
func (l *live) come(a, instances int) {
	want := l.fleet.Apps[a]
	set := volumeSet(want.Name, model.ClassPersistent, instances)
	set.Size = model.Size(want.DiskMB) * model.Megabyte
	l.write(set)
	pushed := app(want.Name, instances, want.Name)
	pushed.Spec.Memory = model.Size(want.MemoryMB) * model.Megabyte
	l.push(pushed)
	l.decided()
}

// decided lets the scheduler decide until it has nothing left to do.
func (l *live) decided() {
	for decided := true; decided; {
		decision := scheduler.Decide(l.snap, l.now, scheduler.Rules{})
		for _, tx := range decision.Txns {
			l.apply(tx)
		}
		decided = len(decision.Txns) > 0
	}
}

// giveUp declares a cell lost for good.
func (l *live) giveUp(id string) {
	c := *l.snap.Cell(id)
	c.Lost = true
	l.write(&c)
	l.decided()
}

// rolled gives how long a roll of the whole fleet takes as its apps are placed,
// and the least that any order could take. Limits hold throughout.
func rolled(g Gomega, f *described.Fleet) (makespan, bound float64) {
	run, err := f.Simulate(described.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(run.Summary.Violations).To(BeZero())
	return run.Summary.Makespan, run.Summary.LowerBound
}

// compare rolls the fleet as the scheduler placed it, and placed at random: the
// first may take so many times its bound, and the second must take so many times
// as long as the first.
func (l *live) compare(overBound, faster float64) {
	for a := range l.fleet.Apps {
		want := &l.fleet.Apps[a]
		want.Cells = l.where("app-" + want.Name)
		l.g.Expect(want.Cells).To(HaveLen(want.Instances))
		held := map[string]bool{}
		for _, id := range want.Cells {
			l.g.Expect(held).NotTo(HaveKey(id), "%s shares a cell", want.Name)
			held[id] = true
			l.g.Expect(l.snap.Cell(id).Lost).To(BeFalse())
		}
	}
	makespan, bound := rolled(l.g, l.fleet)
	scattered := *l.fleet
	scattered.Apps = slices.Clone(l.fleet.Apps)
	generate.Scatter(&scattered, 1)
	random, _ := rolled(l.g, &scattered)
	l.g.Expect(makespan/bound).To(BeNumerically("<=", overBound), "over the bound")
	l.g.Expect(random/makespan).To(BeNumerically(">=", faster), "against placement at random")
}

// A fleet that grew app by app is rolled nearly as fast as its policies allow,
// and much faster than one placed without the next roll in mind.
func TestAFleetFilledAppByAppRollsFast(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := NewWithT(t)
			l := newLive(g, seed)
			l.join(len(l.fleet.Cells))
			for a := range l.fleet.Apps {
				l.come(a, l.fleet.Apps[a].Instances)
			}
			l.compare(1.1, 1.8)
		})
	}
}

// The same where cells join while apps come, apps grow later, and cells are lost
// for good.
func TestAFleetThatGrewAndLostCellsStillRollsFast(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := NewWithT(t)
			l := newLive(g, seed)
			random := rand.New(rand.NewPCG(seed, 3))
			grown := map[int]bool{}
			l.join(54)
			for a := range l.fleet.Apps {
				if a%4 == 0 && l.joined < len(l.fleet.Cells) {
					l.join(l.joined + 1)
				}
				n := l.fleet.Apps[a].Instances
				if grown[a] = random.IntN(5) == 0; grown[a] {
					n = (n + 1) / 2
				}
				l.come(a, n)
			}
			for _, c := range random.Perm(len(l.fleet.Cells))[:3] {
				l.giveUp(l.fleet.Cells[c].ID)
			}
			for a, grow := range grown {
				if grow {
					l.change("app-"+l.fleet.Apps[a].Name, func(app *model.App) { app.Instances = l.fleet.Apps[a].Instances })
					l.decided()
				}
			}
			l.compare(1.15, 1.6)
		})
	}
}
