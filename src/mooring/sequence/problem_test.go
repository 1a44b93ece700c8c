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
	p.Cells[1].Uses = append(p.Cells[1].Uses, Use{0, 1})
	g.Expect(p.Validate()).To(MatchError(ContainSubstring("c1): lists app 0 (left) twice")))
	p.Cells[1].Uses = []Use{{7, 1}}
	g.Expect(p.Validate()).To(MatchError(ContainSubstring("uses 1 of app 7")))
}
