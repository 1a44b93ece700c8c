package sequence

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestNeversNameTheAppsThatForbidACell(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Apps[0].Limit = 0
	p.Cells[2].Uses[0].N = 2
	g.Expect(Nevers(p)).To(Equal([]Never{
		{Cell: 0, App: 0, Instances: 1, Limit: 0},
		{Cell: 1, App: 0, Instances: 1, Limit: 0},
		{Cell: 2, App: 1, Instances: 2, Limit: 1},
	}))
	line := Simulate(p, Order(p), nil)
	g.Expect(line.Start).To(Equal([]time.Duration{-1, -1, -1}))
}

func TestWhatMovesGoesInStepsOfTheLimit(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Moves(3, 1, 2, time.Minute)).To(Equal(Use{App: 3, N: 1, Hold: time.Minute}))
	g.Expect(Moves(3, 2, 2, time.Minute)).To(Equal(Use{App: 3, N: 2, Hold: time.Minute}))
	g.Expect(Moves(3, 5, 2, time.Minute)).To(Equal(Use{App: 3, N: 2, Hold: 3 * time.Minute}))
	g.Expect(Moves(3, 100, 1, 10*365*24*time.Hour)).To(Equal(Use{App: 3, N: 1}), "for as long as any roll")

	p := chain()
	p.Cells[1].Uses = []Use{Moves(0, 3, p.Apps[0].Limit, 10*time.Second)}
	g.Expect(Nevers(p)).To(BeEmpty())
	p.Apps[0].Limit = 0
	p.Cells[1].Uses = []Use{Moves(0, 3, p.Apps[0].Limit, 10*time.Second)}
	g.Expect(Nevers(p)).To(ContainElement(Never{Cell: 1, App: 0, Instances: 3, Limit: 0}))
}

func TestUnknownDurationsAreTakenFromTheKnown(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Cells[0].Expected, p.Cells[1].Expected, p.Cells[2].Expected = 2*time.Minute, 4*time.Minute, 0
	g.Expect(p.Expected()).To(Equal([]time.Duration{2 * time.Minute, 4 * time.Minute, 3 * time.Minute}))
	p.Cells = p.Cells[2:]
	g.Expect(p.Expected()).To(Equal([]time.Duration{Prior}))
}

func TestValidateNamesTheCellAndTheApp(t *testing.T) {
	g := NewWithT(t)
	p := chain()
	p.Cells[1].Uses = append(p.Cells[1].Uses, Use{App: 0, N: 1})
	g.Expect(p.Validate()).To(MatchError(ContainSubstring("c1): lists app 0 (left) twice")))
	p.Cells[1].Uses = []Use{{App: 7, N: 1}}
	g.Expect(p.Validate()).To(MatchError(ContainSubstring("uses 1 of app 7")))
}
